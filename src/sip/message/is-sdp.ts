import type { Headers } from './headers.ts';

/** Whether a message carries SDP. */
export function isSdp(headers: Headers, body: Buffer | undefined): boolean {
  const type = headers.get('Content-Type')?.toLowerCase();
  return body !== undefined && body.length > 0 && type?.startsWith('application/sdp') === true;
}
