import sdpTransform from 'sdp-transform';

/** Where a description wants its sound: read by a library that is not ours. Throws when it wants none. */
export function sdpTarget(sdp: string): { readonly address: string; readonly port: number } {
  const { connection, media } = sdpTransform.parse(sdp);
  const audio = media.find(({ type, port }) => type === 'audio' && port > 0);
  const address = audio?.connection?.ip ?? connection?.ip;
  if (audio === undefined || address === undefined) throw new Error(`no sound is wanted here:\n${sdp}`);
  return { address, port: audio.port };
}
