import type { FoundFault } from './findings.ts';
import { patienceMs } from './model.ts';

/** What can be wrong with a place of the plan, and what to do about it. */

/** Whatever answers outside is connected: nobody has shown to be a human. */
export function unconfirmedAnswer(place: string): FoundFault {
  return {
    kind: 'unconfirmedAnswer',
    document: 'plan',
    path: place,
    on: 'value',
    reason: 'a clinical call is connected to whatever answers outside of the house, also to a machine',
    remedy: 'let a chain ring that number, or put it behind a key that the caller chooses',
  };
}

export function unclaimed(mailbox: string): FoundFault {
  return {
    kind: 'noStaffedLastResort',
    document: 'plan',
    path: `mailboxes.${mailbox}`,
    on: 'key',
    reason: `a clinical call can end in the mailbox ${mailbox}, and nobody is said to listen to it`,
    remedy: 'add claimed-by: and the extension of whoever does, or ring the operator before',
  };
}

export function deadEnd(place: string, how: string): FoundFault {
  return {
    kind: 'deadEnd',
    document: 'plan',
    path: place,
    on: 'value',
    reason: `a clinical call can end here without a human: ${how}`,
    remedy: 'let it go on to the operator, to a chain, or to a mailbox that somebody listens to',
  };
}

export function tooLate(place: string, waitedMs: number): FoundFault {
  return {
    kind: 'tooLate',
    document: 'plan',
    path: place,
    on: 'value',
    reason: `a caller can wait ${waitedMs / 1000} s before it comes to this; ${patienceMs / 1000} s are allowed`,
    remedy: 'shorten what comes before: ring shorter, or ask less often',
  };
}

export function loop(place: string, path: readonly string[]): FoundFault {
  const round = path.slice(path.indexOf(place)).join(' -> ');
  return {
    kind: 'loop',
    document: 'plan',
    path: place,
    on: 'value',
    reason: `a call comes back here, and nobody has pressed a key: ${round}`,
    remedy: 'let one of them end at a person or a mailbox',
  };
}
