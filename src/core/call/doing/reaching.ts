import { HOME, type Prompt } from '../../dialplan/index.ts';
import { phi } from '../../phi/index.ts';
import { deliverMessage } from '../../voicemail/index.ts';
import type { EndCause } from '../end-causes.ts';
import type { Errand, Party } from '../errand.ts';
import { CALLER, type CallEvent } from '../events.ts';
import { type DoingOf, type Going, type Line, type Move, newLine, stay } from '../state.ts';
import { act, attest, type Turn } from '../turn.ts';
import type { World } from '../world.ts';
import { onRetrieval } from './retrieving.ts';
import { causeOf } from './ringing.ts';

/*
 *   reaching ── picks up ──▶ retrieving, or saying what became of a message ──▶ end
 *      └─ no answer, busy, settled meanwhile ──▶ end
 */

/** Longer than a caller would wait: nobody hears it ring but the person it is for. */
const ringMs = 45_000;

type HouseCalls = Extract<CallEvent, { type: 'houseCalls' }>;

/** The house calls somebody; from the answer on that party is the caller of this call. */
export function lineOf(event: HouseCalls): Line {
  const { target } = event.party;
  const from =
    target.kind === 'extension'
      ? ({ kind: 'phone', extension: target.extension } as const)
      : ({ kind: 'trunk', trunk: target.trunk } as const);
  return newLine({ ...event, from }, { dialled: '', site: HOME, lists: [] });
}

export function reach({ party, errand }: HouseCalls, turn: Turn): Going {
  attest(turn, {
    fact: 'houseCalled',
    person: party.person,
    target: shown(party),
    about: errand.errand,
    messageId: errand.messageId,
  });
  act(turn, { type: 'answerCaller' }, { type: 'wakeMe', afterMs: ringMs, with: { type: 'houseCallTimedOut' } });
  return { move: 'be', doing: { name: 'reaching', errand } };
}

export function reaching({ errand }: DoingOf<'reaching'>, event: CallEvent, turn: Turn): Move {
  switch (event.type) {
    case 'callerAnswered':
      attest(turn, { fact: 'callerAnswered', media: event.media });
      return { move: 'reached', errand };
    case 'legRinging':
      if (event.leg === CALLER) attest(turn, { fact: 'legRinging', leg: CALLER, sipStatus: event.sipStatus });
      return stay;
    case 'legFailed':
      return event.leg === CALLER ? end(causeOf(event.result)) : stay;
    case 'houseCallTimedOut':
      return end('noAnswer');
    case 'errandSettled':
      return end('takenElsewhere');
    default:
      return stay;
  }
}

/** Somebody has picked up: a person, or a mailbox of a carrier, which knows no PIN. */
export function reached(world: World, line: Line, errand: Errand, turn: Turn): Going {
  if (errand.errand === 'deliver') return onRetrieval(line, deliverMessage(world, errand, turn), 'deliver', turn);
  const id = errand.errand === 'tellClaimed' ? 'chase-claimed' : 'chase-unclaimed';
  // Twice: whoever picks up has not got the phone to the ear yet.
  const words: Prompt = { say: 'id', id };
  return { move: 'say', prompts: [words, words], cause: 'callerTold' };
}

function end(cause: EndCause): Going {
  return { move: 'end', cause, isCallerGone: false, talkedMs: 0 };
}

/** The number of somebody who left a message may be a patient's. */
function shown({ person, target }: Party) {
  if (target.kind === 'extension' || person !== '') return target;
  return { kind: 'dialled', number: phi(target.e164), trunk: target.trunk } as const;
}
