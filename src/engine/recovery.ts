import { type CallId, endCauses } from '../core/call/index.ts';
import type { AuditEntry, AuditPort, CallIndex, Clock, Log } from './ports.ts';

/**
 * Calls without an ending were left by a process that died. Every call ends, so they get theirs now, but for those that
 * `goesOn` says something of: their people still talk. Resolves with their number when the facts are written. Run once, before the first call is taken.
 */
export async function recoverCalls(parts: {
  readonly index: CallIndex;
  readonly audit: AuditPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly goesOn: (callId: CallId) => boolean;
}): Promise<number> {
  const { index, audit, clock, log } = parts;
  const calls = index.unfinished().filter((callId) => !parts.goesOn(callId));
  if (calls.length === 0) return 0;
  const at = clock.now();
  const cause = 'wardlineRestarted';
  const { fault } = endCauses[cause];
  const entries: AuditEntry[] = calls.map((callId) => ({
    at,
    callId,
    fact: { fact: 'ended', cause, fault, talkedMs: 0 },
  }));
  // The canonical form bounds the items of one fact.
  for (let from = 0; from < calls.length; from += lostPerFact) {
    entries.push({ at, callId: null, fact: { fact: 'callsLost', calls: calls.slice(from, from + lostPerFact) } });
  }
  await audit.attest(entries);
  for (const callId of calls) index.callEnded({ callId, at, cause, acceptedBy: null, service: null });
  log.warn({ calls: calls.length }, 'calls were lost in a restart');
  return calls.length;
}

const lostPerFact = 500;
