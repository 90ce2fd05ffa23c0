import type { Prompt, Verb } from '../../dialplan/index.ts';
import { offerKeys, rulesOf } from '../../voicemail/index.ts';
import type { EndCause } from '../end-causes.ts';
import { CALLER, type CallEvent } from '../events.ts';
import { type DoingOf, type Going, type Line, type Move, stay, type Taking } from '../state.ts';
import { act, attest, newToken, type Turn } from '../turn.ts';
import type { World } from '../world.ts';

export const beep: Prompt = { say: 'id', id: 'beep' };

/** How long the operator is rung for a caller who leaves no message, or finds no room for it. */
export const operatorMs = 30_000;

export function newTaking(messageId: string, mailbox: string): Taking {
  const unmarked = { urgent: false, isUrgent: false, isPrivate: false, callBack: null };
  return { messageId, mailbox, take: 1, chain: {}, ...unmarked, reply: null, before: null };
}

/** From here on the caller speaks to the recorder. */
export function record(world: World, taking: Taking, turn: Turn): Going {
  const { messageId, mailbox, chain, reply } = taking;
  // A process that dies from here on knows no other mark.
  const urgent = taking.urgent || taking.isUrgent;
  attest(turn, {
    fact: 'recordingStarted',
    messageId,
    mailbox,
    urgent,
    ...chain,
    ...(reply === null ? {} : { sentBy: reply.by }),
  });
  act(turn, { type: 'recordMessage', messageId, mailbox, urgent, maxMs: rulesOf(world.plan, mailbox).longestMs });
  return { move: 'be', doing: { name: 'recording', taking } };
}

/** Once more: the tone, and then what the caller says. */
export function recordAgain(taking: Taking, turn: Turn): Going {
  const token = newToken(turn);
  act(turn, { type: 'play', leg: CALLER, token, prompts: [beep], then: 'nothing' });
  return { move: 'be', doing: { name: 'recordingAgain', taking, token } };
}

export function recordingAgain(world: World, doing: DoingOf<'recordingAgain'>, event: CallEvent, turn: Turn): Move {
  const isOver = event.type === 'promptFinished' && event.leg === CALLER && event.token === doing.token;
  return isOver ? record(world, doing.taking, turn) : stay;
}

/** The last word about a message; whoever replied is back in the mailbox with it. */
export function sent({ reply }: Taking, word: string, cause: EndCause, turn: Turn): Going {
  const prompts: readonly Prompt[] = [{ say: 'id', id: word }];
  if (reply === null) return { move: 'say', prompts, cause };
  const retrieval = offerKeys(reply.now, prompts, turn);
  return { move: 'be', doing: { name: 'retrieving', retrieval, path: reply.path } };
}

export function toOperator(line: Line): Going {
  const verb: Verb = { verb: 'operator', site: line.site, forMs: operatorMs, otherwise: null };
  return { move: 'enter', verb, path: 'voicemail.operator' };
}
