import type { Prompt } from '../../dialplan/index.ts';
import type { Marks } from '../../audit/facts.ts';
import { phi } from '../../phi/index.ts';
import { CALLER, type CallEvent } from '../events.ts';
import { type DoingOf, type Going, type Line, type Move, stay, type Taken } from '../state.ts';
import { act, attest, newToken, type Turn } from '../turn.ts';
import { recordAgain, sent, toOperator } from './record.ts';

/*
 *   recording ── '#' ──▶ reviewing ── '#' or silence ──▶ saying "saved"        hang-up and 0 keep the message too
 *       ▲── tone ◀── 2 ──────┘  1 hear it   3 urgent   4 private   5 ──▶ number to call back ──▶ reviewing
 *   A take is thrown away when there is sound in the next one.
 */

const keyWithinMs = 8_000;
const mostTakes = 3;
const mostDigits = 15;

export function review(taken: Taken, turn: Turn, words: readonly Prompt[] = []): Going {
  const token = ask([...words, { say: 'id', id: 'review-keys' }], 1, turn);
  return { move: 'be', doing: { name: 'reviewing', taken, token, isNumber: false } };
}

export function reviewing(line: Line, doing: DoingOf<'reviewing'>, event: CallEvent, turn: Turn): Move {
  const { taken, token } = doing;
  if (!('token' in event) || event.token !== token) return stay;
  if (event.type === 'messageUnplayable') return review(taken, turn, [{ say: 'id', id: 'mailbox-damaged' }]);
  if (event.type !== 'digitsGathered' || event.leg !== CALLER) return stay;
  if (doing.isNumber) {
    const isNumber = /^\d{3,}$/.test(event.digits);
    return isNumber ? marked(taken, { callBack: event.digits }, [], turn) : review(taken, turn);
  }
  switch (event.digits) {
    case '':
    case '#':
      keepTaken(taken, turn);
      return sent(taken, 'voicemail-saved', 'messageLeft', turn);
    case '0':
      keepTaken(taken, turn);
      return toOperator(line);
    case '1': {
      const heard = newToken(turn);
      const { messageId } = taken;
      const after: readonly Prompt[] = [{ say: 'id', id: 'review-keys' }];
      act(turn, { type: 'playMessage', leg: CALLER, token: heard, messageId, before: [], after, waitMs: keyWithinMs });
      return { move: 'be', doing: { ...doing, token: heard } };
    }
    case '2':
      return again(taken, turn);
    case '3':
      return marked(taken, { isUrgent: true }, [{ say: 'id', id: 'review-urgent' }], turn);
    case '4':
      return marked(taken, { isPrivate: true }, [{ say: 'id', id: 'review-private' }], turn);
    case '5': {
      const asked = ask([{ say: 'id', id: 'review-number' }], mostDigits, turn);
      return { move: 'be', doing: { ...doing, token: asked, isNumber: true } };
    }
    default:
      return review(taken, turn, [{ say: 'id', id: 'wrong-key' }]);
  }
}

/** On record before the caller hears that it is so: a process that dies during the review loses no mark. */
function marked(
  taken: Taken,
  mark: Partial<Pick<Taken, 'isUrgent' | 'isPrivate' | 'callBack'>>,
  words: readonly Prompt[],
  turn: Turn,
): Going {
  attest(turn, { fact: 'messageMarked', messageId: taken.messageId, ...markFields({ ...unmarked, ...mark }) });
  return review({ ...taken, ...mark }, turn, words);
}

const unmarked = { isUrgent: false, isPrivate: false, callBack: null } as const;

function markFields({ isUrgent, isPrivate, callBack }: Pick<Taken, 'isUrgent' | 'isPrivate' | 'callBack'>): Marks {
  return {
    ...(isUrgent ? { urgent: true } : {}),
    ...(isPrivate ? { private: true } : {}),
    ...(callBack === null ? {} : { callBack: phi(callBack) }),
  };
}

/** The caller is content, or gone: what was said last is kept as it was marked. */
export function keepTaken(taken: Taken, turn: Turn, ended = { by: 'key', why: '' }): void {
  const { messageId, durationMs } = taken;
  attest(turn, { fact: 'recordingEnded', messageId, durationMs, ...ended, ...markFields(taken) });
  discardBefore(taken, turn);
}

/** What was said before is thrown away when there is another take, and no sooner: a line may break during the tone. */
function discardBefore({ before }: Taken, turn: Turn): void {
  if (before === null) return;
  attest(turn, { fact: 'recordingDiscarded', messageId: before.messageId, mailbox: before.mailbox });
}

function again(taken: Taken, turn: Turn): Going {
  if (taken.take >= mostTakes) return review(taken, turn, [{ say: 'id', id: 'wrong-key' }]);
  const take = taken.take + 1;
  discardBefore(taken, turn);
  const before = { ...taken, before: null };
  const first = taken.take === 1 ? taken.messageId : taken.messageId.slice(0, taken.messageId.lastIndexOf('-'));
  return recordAgain({ ...taken, take, messageId: `${first}-${take}`, before }, turn);
}

function ask(prompts: readonly Prompt[], maxDigits: number, turn: Turn): number {
  const token = newToken(turn);
  act(turn, { type: 'gather', leg: CALLER, token, prompts, maxDigits, waitMs: keyWithinMs, isAgain: false });
  return token;
}
