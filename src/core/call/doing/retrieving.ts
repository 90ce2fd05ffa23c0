import type { Verb } from '../../dialplan/index.ts';
import { type After, type Retrieval, startRetrieval, stepRetrieval } from '../../voicemail/index.ts';
import type { CallEvent } from '../events.ts';
import type { DoingOf, Going, Line, VerbOf } from '../state.ts';
import type { Turn } from '../turn.ts';
import type { World } from '../world.ts';
import { newTaking, recordAgain } from './record.ts';

const operatorMs = 60_000;
const callBackMs = 30_000;

/** A caller listens to messages. */
export function openMailbox(world: World, line: Line, verb: VerbOf<'mailbox'>, path: string, turn: Turn): Going {
  return onRetrieval(line, startRetrieval(world, line, verb.whose, turn), path, turn);
}

export function retrieving(
  world: World,
  line: Line,
  { retrieval, path }: DoingOf<'retrieving'>,
  event: CallEvent,
  turn: Turn,
): Going {
  return onRetrieval(line, stepRetrieval(world, line, retrieval, event, turn), path, turn);
}

export function onRetrieval(line: Line, retrieval: Retrieval, path: string, turn: Turn): Going {
  if (retrieval.name !== 'over') return { move: 'be', doing: { name: 'retrieving', retrieval, path } };
  const { then } = retrieval;
  if (then.go === 'goodbye') return { move: 'say', prompts: [{ say: 'id', id: 'goodbye' }], cause: 'mailboxClosed' };
  if (then.go === 'unavailable') {
    return { move: 'say', prompts: [{ say: 'id', id: 'mailbox-unavailable' }], cause: 'mailboxClosed' };
  }
  if (then.go === 'reply') {
    const { to, replyId, now } = then;
    return recordAgain({ ...newTaking(replyId, to), reply: { by: now.session.person, now, path } }, turn);
  }
  return { move: 'enter', verb: verbOf(then, line), path: `${path}.${then.go}` };
}

function verbOf(then: Extract<After, { go: 'operator' | 'callBack' }>, line: Line): Verb {
  if (then.go === 'operator') return { verb: 'operator', site: line.site, forMs: operatorMs, otherwise: null };
  return { verb: 'ring', extension: then.extension, forMs: callBackMs, otherwise: null };
}
