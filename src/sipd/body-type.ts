import type { Headers } from '../sip/index.ts';

/** What is wrong with the body of an app's message, or nothing after its type has been filled in. */
export function completeBodyType({ headers, body }: { headers: Headers; body: Buffer }): string | undefined {
  if (body.length === 0 || headers.has('Content-Type')) return undefined;
  if (body.toString('latin1', 0, 3) !== 'v=0') return 'missing content-type';
  headers.set('Content-Type', 'application/sdp');
  return undefined;
}
