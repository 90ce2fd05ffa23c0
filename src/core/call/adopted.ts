import type { CallFact } from '../audit/index.ts';
import type { Instant } from '../time/index.ts';
import { callerLeft } from './leaving.ts';
import { endCauses, type EndCause } from './end-causes.ts';
import type { CallEvent, LegId } from './events.ts';

/** A conversation that went on while the process that had connected it was gone. */
export interface AdoptedState {
  readonly leg: LegId;
  /** When the two heard each other first. */
  readonly since: Instant;
}

/**
 * The two talk already: nothing is asked of the plan any more, and a caller who loses the doctor is not sent back into the
 * chain, for where the chain stood is not known. What is left is how it ends. null: it goes on.
 */
export function stepAdopted(
  { leg, since }: AdoptedState,
  event: CallEvent,
  at: Instant,
): { readonly facts: readonly CallFact[]; readonly cause: EndCause } | null {
  const ending = endingOf(leg, event);
  if (ending === null) return null;
  const { cause, result } = ending;
  const { fault } = endCauses[cause];
  const facts: CallFact[] = [
    { fact: 'legEnded', leg, result: { kind: result } },
    { fact: 'ended', cause, fault, talkedMs: Math.max(0, at - since) },
  ];
  return { facts, cause };
}

function endingOf(
  leg: LegId,
  event: CallEvent,
): { readonly cause: EndCause; readonly result: 'hungUp' | 'stoodDown' | 'mediaLost' } | null {
  const left = callerLeft(event);
  if (left !== null) return { cause: left === 'hungUp' ? 'callerHungUp' : 'mediaLost', result: 'stoodDown' };
  switch (event.type) {
    case 'legEnded':
      if (event.leg !== leg) return null;
      return event.by === 'remote'
        ? { cause: 'calleeHungUp', result: 'hungUp' }
        : { cause: 'mediaLost', result: 'mediaLost' };
    case 'wardlineStopping':
      return { cause: 'shuttingDown', result: 'stoodDown' };
    case 'signallingLost':
      return { cause: 'wardlineRestarted', result: 'stoodDown' };
    default:
      return null;
  }
}
