import { CALLER, type CallEvent } from '../call/events.ts';
import { act, attest, newToken, type Turn } from '../call/turn.ts';
import type { World } from '../call/world.ts';
import type { Prompt } from '../dialplan/index.ts';
import { phi } from '../phi/index.ts';
import { askingAbsenceEnd, inGreetings, openGreetings, recordingGreeting } from './greeting-menu.ts';
import { listen, listening, nameOf, offerKeys } from './listening.ts';
import { alsoOpenTo, mailboxByNumber, mailboxOfPhone } from './mailboxes.ts';
import {
  askingComment,
  askingTo,
  forward,
  forwarding,
  handOver,
  recordingComment,
  reply,
  type Sender,
} from './passing-on.ts';
import { MAX_PIN_DIGITS } from './pin-rules.ts';
import type { After, Retrieval, RetrievalIn, Session } from './retrieval.ts';

/*
 *   start ── own phone ───────────────▶ askingPin ──▶ checkingPin ── right ──▶ listing ──▶ listening ──▶ over
 *   deliver ─────────────────────────────▲
 *      └─ elsewhere, shared ─▶ askingNumber ──▲            │ wrong                 ▲           │ # next mailbox
 *                                  ▲──────────────────────┘ (three times)         └───────────┘
 */

/** Who calls, as far as a mailbox has to know. */
interface Opener {
  readonly from: { readonly kind: 'phone'; readonly extension: string } | { readonly kind: 'trunk' };
  /** Drawn for this call; names what it records. */
  readonly messageId: string;
}

const signInTries = 3;
const keyWithinMs = 8_000;
const maxNumberDigits = 15;

/** `own`: that of the calling phone; from a phone that has none, and from outside, the number is asked for. */
export function startRetrieval(
  world: World,
  { from }: Pick<Opener, 'from'>,
  whose: 'own' | 'ask',
  turn: Turn,
): Retrieval {
  const box = whose === 'own' && from.kind === 'phone' ? mailboxOfPhone(world.plan, from.extension) : null;
  if (box === null) return askNumber(null, 1, [], turn);
  // A shared one is opened by a person, so that it is known who listened.
  if (box.openTo.length > 0) return askNumber(box.id, 1, [], turn);
  return askPin({ opens: null, attempt: 1 }, box.id, turn);
}

/** Whoever the house has called is to listen to a message: who it is shows by a PIN, for a carrier's mailbox answers too. */
export function deliverMessage(
  world: World,
  { messageId, mailbox, opener }: { readonly messageId: string; readonly mailbox: string; readonly opener: string },
  turn: Turn,
): Retrieval {
  const words: readonly Prompt[] = [{ say: 'id', id: 'chase-waits' }, nameOf(world, mailbox)];
  return askPin({ opens: mailbox, brought: messageId, attempt: 1 }, opener, turn, words);
}

/** Facts and acts go into `turn`. Events that are none of its business leave it as it is. */
export function stepRetrieval(
  world: World,
  opener: Opener,
  retrieval: Retrieval,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  switch (retrieval.name) {
    case 'askingNumber':
      return askingNumber(world, retrieval, event, turn);
    case 'askingPin':
      return askingPin(retrieval, event, turn);
    case 'checkingPin':
      return checkingPin(world, opener, retrieval, event, turn);
    case 'listing':
      return listing(world, opener, retrieval, event, turn);
    case 'listening':
      return listening(world, deviceOf(opener), retrieval, event, turn, (session) => list(session, turn));
    case 'more':
      return more(world, senderOf(opener), retrieval, event, turn);
    case 'askingTo':
      return askingTo(world, senderOf(opener), retrieval, event, turn);
    case 'askingComment':
      return askingComment(senderOf(opener), retrieval, event, turn);
    case 'recordingComment':
      return recordingComment(senderOf(opener), retrieval, event, turn);
    case 'forwarding':
      return forwarding(senderOf(opener), retrieval, event, turn);
    case 'greetings':
      return inGreetings(world, senderOf(opener), retrieval, event, turn);
    case 'recordingGreeting':
      return recordingGreeting({ device: deviceOf(opener) }, retrieval, event, turn);
    case 'askingAbsenceEnd':
      return askingAbsenceEnd(world, deviceOf(opener), retrieval, event, turn);
    case 'over':
      return retrieval;
  }
}

function more(world: World, sender: Sender, retrieval: RetrievalIn<'more'>, event: CallEvent, turn: Turn): Retrieval {
  if (!isKeyed(event, retrieval.token)) return retrieval;
  const { now } = retrieval;
  switch (event.digits) {
    case '1':
      return forward(now, turn);
    case '2':
      return reply(world, sender, now, turn);
    case '3':
      return handOver(world, sender, now, turn);
    case '4':
      return openGreetings(now, turn);
    case '':
    case '#':
      return offerKeys(now, [], turn);
    default:
      return offerKeys(now, [{ say: 'id', id: 'wrong-key' }], turn);
  }
}

function askingNumber(world: World, retrieval: RetrievalIn<'askingNumber'>, event: CallEvent, turn: Turn): Retrieval {
  if (!isKeyed(event, retrieval.token)) return retrieval;
  const { opens, attempt } = retrieval;
  if (event.digits === '') return again({ opens, attempt }, 'no-key', turn);
  // Whether there is such a mailbox shows no sooner than whether the PIN is right.
  return askPin({ opens, attempt }, mailboxByNumber(world.plan, event.digits)?.id ?? null, turn);
}

function askingPin(retrieval: RetrievalIn<'askingPin'>, event: CallEvent, turn: Turn): Retrieval {
  if (!isKeyed(event, retrieval.token)) return retrieval;
  const { person } = retrieval;
  if (event.digits === '') return again(retrieval, 'no-key', turn, person);
  const token = newToken(turn);
  act(turn, { type: 'checkPin', token, mailbox: person, pin: phi(event.digits) });
  return { ...retrieval, name: 'checkingPin', token };
}

function checkingPin(
  world: World,
  opener: Opener,
  retrieval: RetrievalIn<'checkingPin'>,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  if (event.type !== 'pinChecked' || event.token !== retrieval.token) return retrieval;
  const { opens, person, brought } = retrieval;
  attest(turn, { fact: 'pinTried', mailbox: person ?? '', result: event.result, device: deviceOf(opener) });
  if (event.result !== 'right' || person === null) {
    if (event.result === 'paused') return over({ go: 'unavailable' });
    // Whoever is called and has no PIN of their own signs with that of the mailbox.
    if (event.result === 'noPin' && brought !== undefined && person !== opens) return askPin(retrieval, opens, turn);
    return again(retrieval, 'mailbox-wrong-pin', turn, person);
  }
  const others = alsoOpenTo(world.plan, person);
  // The PIN is right, but not that of somebody who may open this one.
  const mailbox = opens ?? person;
  const isOpen = mailbox === person || others.includes(mailbox);
  if (!isOpen && brought === undefined) return again(retrieval, 'mailbox-wrong-pin', turn);
  const further = [person, ...others].filter((id) => id !== mailbox);
  return list({ person, mailbox, further, ...(isOpen ? {} : { only: brought }) }, turn);
}

function listing(
  world: World,
  opener: Opener,
  retrieval: RetrievalIn<'listing'>,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  if (event.type !== 'messagesListed' || event.token !== retrieval.token) return retrieval;
  if (event.messages === null) return over({ go: 'unavailable' });
  const { session } = retrieval;
  const { person, mailbox, only } = session;
  const messages = event.messages.filter(({ messageId }) => only === undefined || messageId === only);
  attest(turn, { fact: 'mailboxOpened', mailbox, person, device: deviceOf(opener), messages: messages.length });
  return listen(world, deviceOf(opener), session, messages, turn);
}

/** `brought`: by a call of the house. */
interface Asking {
  readonly opens: string | null;
  readonly brought?: string | undefined;
  readonly attempt: number;
}

/** Asks once more, or lets the caller go. `person`: of whom only the PIN is asked. */
function again(what: Asking, why: string, turn: Turn, person?: string | null): Retrieval {
  const { opens, attempt } = what;
  if (attempt >= signInTries) return over({ go: 'goodbye' });
  const words: readonly Prompt[] = [{ say: 'id', id: why }];
  if (person !== undefined) return askPin({ ...what, attempt: attempt + 1 }, person, turn, words);
  return askNumber(opens, attempt + 1, words, turn);
}

function askNumber(opens: string | null, attempt: number, words: readonly Prompt[], turn: Turn): Retrieval {
  const token = ask([...words, { say: 'id', id: 'mailbox-which' }], maxNumberDigits, turn);
  return { name: 'askingNumber', opens, attempt, token };
}

function askPin(
  { opens, brought, attempt }: Asking,
  person: string | null,
  turn: Turn,
  words: readonly Prompt[] = [],
): Retrieval {
  const token = ask([...words, { say: 'id', id: 'mailbox-pin' }], MAX_PIN_DIGITS, turn);
  return { name: 'askingPin', opens, brought, person, attempt, token };
}

function ask(prompts: readonly Prompt[], maxDigits: number, turn: Turn): number {
  const token = newToken(turn);
  act(turn, { type: 'gather', leg: CALLER, token, prompts, maxDigits, waitMs: keyWithinMs, isAgain: false });
  return token;
}

function list(session: Session, turn: Turn): Retrieval {
  const token = newToken(turn);
  act(turn, { type: 'listMessages', token, mailbox: session.mailbox });
  return { name: 'listing', session, token };
}

function isKeyed(event: CallEvent, token: number): event is Extract<CallEvent, { type: 'digitsGathered' }> {
  return event.type === 'digitsGathered' && event.leg === CALLER && event.token === token;
}

function over(then: After): Retrieval {
  return { name: 'over', then };
}

/** For the record: the phone that somebody listens on. */
function deviceOf({ from }: Pick<Opener, 'from'>): string {
  return from.kind === 'phone' ? from.extension : 'outside';
}

function senderOf(opener: Opener): Sender {
  return { messageId: opener.messageId, device: deviceOf(opener) };
}
