import type { SipResponse } from '../message/sip-message.ts';

/** Answers that let the caller do better next time, RFC 3261 16.7 step 6. */
const telling: ReadonlySet<number> = new Set([401, 407, 415, 420, 484]);

/** The final response that goes back to the caller when no target accepted; undefined if there was none. */
export function bestResponse(finals: readonly SipResponse[]): SipResponse | undefined {
  const best = finals.toSorted((a, b) => rank(a.status) - rank(b.status))[0];
  if (best === undefined || (best.status !== 401 && best.status !== 407)) return best;
  // Step 7: whoever challenged wants to be answered, so the challenges of all targets go along.
  const headers = best.headers.clone();
  for (const other of finals) {
    if (other === best || (other.status !== 401 && other.status !== 407)) continue;
    headers.copy('WWW-Authenticate', other.headers).copy('Proxy-Authenticate', other.headers);
  }
  return { ...best, headers };
}

function rank(status: number): number {
  if (status >= 600) return 0;
  if (telling.has(status)) return 1;
  // 3xx, 4xx, 5xx: the lowest class first.
  return Math.floor(status / 100);
}
