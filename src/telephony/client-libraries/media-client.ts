import Mrf from 'drachtio-fsmrf';
import { probeMediaServer } from './probe-media-server.ts';
import { probeListen } from './probe-port.ts';
import type { SrfClient } from './srf-types.ts';

export type MediaServer = Mrf.MediaServer;
export type Endpoint = Mrf.Endpoint;
export type EslEvent = Mrf.EslEvent;

const withinMs = 3000;

/** mediad's own: a phone sends no sound. */
export const mediaSilent = 'wardline::media_timeout';

/** One connection to a media server; rejects within a few seconds if it cannot be made. */
export async function connectMrf(srf: SrfClient, to: Mrf.ConnectOptions): Promise<MediaServer> {
  const { address: host, port, secret, profile } = to;
  await probeMediaServer({ host, port, secret, profile }, withinMs);
  await probeListen(to.listenAddress, to.listenPort);
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`media server at ${to.address}:${to.port} was not ready within ${withinMs} ms`)),
      withinMs,
    );
  });
  try {
    return await Promise.race([new Mrf(srf, { customEvents: [mediaSilent] }).connect(to), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
