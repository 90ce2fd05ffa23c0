import type { CallMedia } from './media.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import type { EndpointWish } from './media-link.ts';
import type { PhoneDialog } from './phone-dialog.ts';

/** A media server that has just come back may be slow, or go again. */
const mostTries = 3;

class PhoneRefuses extends Error {}

/**
 * Gives an answered phone an endpoint on a media server that is up, by a re-INVITE: the one it had is gone. Rejects when
 * no server can, or the phone will not.
 */
export async function moveMedia(
  media: CallMedia,
  phone: PhoneDialog,
  wish: Omit<EndpointWish, 'remoteSdp'>,
): Promise<MediaEndpoint> {
  const endpoint = await media.endpoint({ ...wish, remoteSdp: null });
  try {
    await endpoint.modify(await offered(phone, endpoint.sdp));
    phone.mark(endpoint);
    return endpoint;
  } catch (error) {
    endpoint.close();
    throw error;
  }
}

/**
 * The same for a conversation whose endpoint `lost` is gone; what the server does not manage is tried again, for giving up ends the
 * conversation. Rejects too when it is that endpoint alone and not its server: somebody wanted it so.
 */
export async function moveFrom(lost: MediaEndpoint, ...to: Parameters<typeof moveMedia>): Promise<MediaEndpoint> {
  if (!(await lost.isServerLost())) throw new Error('the media server dropped the leg');
  const [, phone] = to;
  for (let tries = 1; ; tries++) {
    try {
      return await moveMedia(...to);
    } catch (error) {
      if (error instanceof PhoneRefuses || !phone.isUp || tries === mostTries) throw error;
    }
  }
}

async function offered(phone: PhoneDialog, sdp: string): Promise<string> {
  try {
    return await phone.modify(sdp);
  } catch (cause) {
    throw new PhoneRefuses('the phone does not send its sound elsewhere', { cause });
  }
}
