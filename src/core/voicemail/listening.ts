import { CALLER, type CallEvent } from '../call/events.ts';
import { act, attest, newToken, type Turn } from '../call/turn.ts';
import type { World } from '../call/world.ts';
import type { Prompt } from '../dialplan/index.ts';
import { zone } from '../time/index.ts';
import { rulesOf } from './mailboxes.ts';
import type { After, MessageBrief, MessageMark, Retrieval, RetrievalIn, Session } from './retrieval.ts';

/**
 * In a mailbox: messages one after the other, urgent ones first, then new ones, then the oldest first. Keys:
 *
 *   1 again   2 keep   3 delete   4 back   6 on   5 claim   7 when and who   8 call back   9 more   * undo   0 operator   # done
 */

type Listening = RetrievalIn<'listening'>;

const keyWithinMs = 10_000;
const maxSilences = 3;

/** Says what there is and plays the first message. */
export function listen(
  world: World,
  device: string,
  session: Session,
  listed: readonly MessageBrief[],
  turn: Turn,
): Retrieval {
  const messages = inOrder(listed);
  const fresh = messages.filter(({ state }) => state === 'new').length;
  const saved = messages.length - fresh;
  const words: readonly Prompt[] = [
    { say: 'id', id: 'mailbox-of' },
    nameOf(world, session.mailbox),
    ...counted(fresh, 'mailbox-new'),
    ...counted(saved, 'mailbox-kept'),
    ...(messages.length === 0 ? [id('mailbox-empty')] : []),
  ];
  const at: Listening = { name: 'listening', session, messages, at: 0, deleted: [], silences: 0, token: 0 };
  return present(world, device, at, words, turn);
}

/** `next` lists the mailbox that comes after this one. */
export function listening(
  world: World,
  device: string,
  now: Listening,
  event: CallEvent,
  turn: Turn,
  next: (session: Session) => Retrieval,
): Retrieval {
  switch (event.type) {
    case 'messageUnplayable':
      if (event.token !== now.token) return now;
      attest(turn, { ...accessOf(now, device), fact: 'messageUnplayable', why: event.why });
      return offerKeys(now, [id('mailbox-damaged')], turn);
    case 'claimAnswered':
      return event.token === now.token ? claimed(now, device, event.by, turn) : now;
    case 'digitsGathered':
      if (event.leg !== CALLER || event.token !== now.token) return now;
      return keyed(world, device, now, event.digits, turn, next);
    default:
      return now;
  }
}

function keyed(
  world: World,
  device: string,
  now: Listening,
  key: string,
  turn: Turn,
  next: (session: Session) => Retrieval,
): Retrieval {
  const message = now.messages[now.at];
  const go = (at: number, words: readonly Prompt[] = []) =>
    present(world, device, { ...now, at, silences: 0 }, words, turn);
  // Whoever does anything but pass over it has heard it.
  if (message !== undefined && key !== '4' && key !== '6') change(now, 'heard', turn);
  switch (key) {
    case '':
      if (now.silences + 1 >= maxSilences) return over({ go: 'goodbye' });
      return offerKeys({ ...now, silences: now.silences + 1 }, [], turn);
    case '0':
      return over({ go: 'operator' });
    case '#': {
      const { person } = now.session;
      const [mailbox, ...further] = now.session.further;
      return mailbox === undefined ? over({ go: 'goodbye' }) : next({ person, mailbox, further });
    }
    case '9': {
      // Whoever was only called about a message has nothing to arrange here.
      if (now.session.only !== undefined) return offerKeys(now, [id('wrong-key')], turn);
      const token = newToken(turn);
      const prompts = [id('mailbox-more')];
      act(turn, { type: 'gather', leg: CALLER, token, prompts, maxDigits: 1, waitMs: keyWithinMs, isAgain: false });
      return { name: 'more', now, token };
    }
    case '*':
      return undo(now, device, turn);
    case '4':
      return go(Math.max(0, now.at - 1));
    default:
      return message === undefined
        ? offerKeys(now, [id('wrong-key')], turn)
        : onMessage(world, device, now, key, go, turn);
  }
}

function onMessage(
  world: World,
  device: string,
  now: Listening,
  key: string,
  go: (at: number, words?: readonly Prompt[]) => Retrieval,
  turn: Turn,
): Retrieval {
  const message = now.messages[now.at]!;
  switch (key) {
    case '1':
      return go(now.at);
    case '2':
      done(now, 'saved', device, turn);
      return go(now.at + 1, [id('mailbox-saved')]);
    case '3':
      // Whoever was only called about a message does not decide what the mailbox keeps.
      if (now.session.only !== undefined) return offerKeys(now, [id('wrong-key')], turn);
      done(now, 'deleted', device, turn);
      return present(
        world,
        device,
        {
          ...now,
          messages: now.messages.filter((one) => one !== message),
          deleted: [...now.deleted, message.messageId],
          silences: 0,
        },
        [id('mailbox-deleted')],
        turn,
      );
    case '5': {
      if (message.isClaimed) return offerKeys(now, [id('mailbox-claimed-already')], turn);
      const token = newToken(turn);
      act(turn, { type: 'claimMessage', token, messageId: message.messageId, by: now.session.person });
      return { ...now, token };
    }
    case '6':
      return go(now.at + 1);
    case '7':
      return offerKeys(now, envelope(world, message), turn);
    case '8':
      // An outside number is not dialled from here: whoever guesses a PIN must not be able to spend money.
      return callBack(world, now, message, turn);
    default:
      return offerKeys(now, [id('wrong-key')], turn);
  }
}

/** At the number that was left, where it is a phone of the house; else at the phone that left the message. */
function callBack({ plan }: World, now: Listening, { callBack: left, from }: MessageBrief, turn: Turn): Retrieval {
  const extension = [left, from].find((one) => one !== null && plan.extension(one) !== undefined);
  if (extension === undefined || extension === null) return offerKeys(now, [id('mailbox-no-callback')], turn);
  return over({ go: 'callBack', extension });
}

/** Of two who claim at once one has it, and the other is told so. */
function claimed(now: Listening, device: string, by: string, turn: Turn): Listening {
  const messages = now.messages.map((one, i) => (i === now.at ? { ...one, isClaimed: true } : one));
  const known = { ...now, messages };
  if (by !== now.session.person) return offerKeys(known, [id('mailbox-claimed-already')], turn);
  attest(turn, { ...accessOf(now, device), fact: 'messageAccessed', how: 'claimed' });
  return offerKeys(known, [id('mailbox-claimed')], turn);
}

/** Plays the message at hand; behind the last one, the keys alone. */
function present(world: World, device: string, now: Listening, words: readonly Prompt[], turn: Turn): Listening {
  const message = now.messages[now.at];
  if (message === undefined) {
    const end = now.at > 0 ? [id('mailbox-no-more')] : [];
    return offerKeys({ ...now, at: now.messages.length }, [...words, ...end], turn);
  }
  attest(turn, { ...accessOf(now, device), fact: 'messageAccessed', how: 'heard' });
  const token = newToken(turn);
  const before = [...words, ...envelope(world, message)];
  const { messageId } = message;
  act(turn, {
    type: 'playMessage',
    leg: CALLER,
    token,
    messageId,
    before,
    after: [id('mailbox-keys')],
    waitMs: keyWithinMs,
  });
  return { ...now, token };
}

export function offerKeys(now: Listening, words: readonly Prompt[], turn: Turn): Listening {
  const token = newToken(turn);
  const keys = now.messages[now.at] === undefined ? 'mailbox-end-keys' : 'mailbox-keys';
  const prompts = [...words, id(keys)];
  act(turn, { type: 'gather', leg: CALLER, token, prompts, maxDigits: 1, waitMs: keyWithinMs, isAgain: false });
  return { ...now, token };
}

function undo(now: Listening, device: string, turn: Turn): Retrieval {
  const messageId = now.deleted.at(-1);
  if (messageId === undefined) return offerKeys(now, [id('wrong-key')], turn);
  const { session } = now;
  attest(turn, {
    fact: 'messageAccessed',
    how: 'restored',
    messageId,
    mailbox: session.mailbox,
    person: session.person,
    device,
    reason: MY_MESSAGES,
  });
  act(turn, { type: 'changeMessage', messageId, change: 'restored', by: session.person });
  // It is kept, and stands among the others again when the mailbox is opened next time.
  const rest = { ...now, deleted: now.deleted.slice(0, -1) };
  return offerKeys(rest, [id('mailbox-restored')], turn);
}

/** What somebody gives as the reason who opens a mailbox by its PIN. */
const MY_MESSAGES = 'opened with a PIN';

function done(now: Listening, how: MessageMark, device: string, turn: Turn): void {
  attest(turn, { ...accessOf(now, device), fact: 'messageAccessed', how });
  change(now, how, turn);
}

function change(now: Listening, how: MessageMark, turn: Turn): void {
  const { messageId } = now.messages[now.at]!;
  act(turn, { type: 'changeMessage', messageId, change: how, by: now.session.person });
}

export function accessOf({ session, messages, at }: Listening, device: string) {
  const { mailbox, person } = session;
  return { messageId: messages[at]?.messageId ?? '', mailbox, person, device, reason: MY_MESSAGES };
}

/** When it came and from whom; the voice names no outside number, for others may hear the phone. */
function envelope(world: World, message: MessageBrief): readonly Prompt[] {
  const { plan } = world;
  const { at, from, isUrgent, isPrivate, sentBy, isForwarded } = message;
  const [day = '', time = ''] = zone(plan.source.zone).show(at).split(' ');
  const caller = from === null ? [id('mailbox-from-outside')] : [id('mailbox-from'), phoneName(plan, from)];
  const sender = sentBy === null ? [] : [nameOf(world, sentBy)];
  const who = isForwarded
    ? [id('mailbox-forwarded-by'), ...sender, ...caller]
    : sentBy === null
      ? caller
      : [id('mailbox-from'), ...sender];
  return [
    ...(isUrgent ? [id('mailbox-urgent')] : []),
    ...(isPrivate ? [id('mailbox-private')] : []),
    ...who,
    id('mailbox-received'),
    { say: 'digits', digits: day.slice(5).replace('-', '') },
    id('mailbox-at'),
    { say: 'digits', digits: time.replace(':', '') },
  ];
}

/** A name that is recorded, else a number: a media server plays a list of 64 pieces at most. */
export function nameOf({ plan, roster }: World, mailbox: string): Prompt {
  const service = roster.services().find((one) => one.mailbox === mailbox);
  if (service !== undefined) return { say: 'name', of: 'service', id: service.id, text: service.name };
  const { number, name } = rulesOf(plan, mailbox);
  if (plan.extension(mailbox) !== undefined) return phoneName(plan, mailbox);
  return number === null ? { say: 'name', of: 'unit', id: mailbox, text: name } : { say: 'digits', digits: number };
}

function phoneName(plan: World['plan'], extension: string): Prompt {
  const { nameId = '', name = '' } = plan.extension(extension) ?? {};
  if (nameId === '') return { say: 'digits', digits: extension };
  return { say: 'name', of: 'person', id: nameId, text: name };
}

function counted(messages: number, what: string): readonly Prompt[] {
  return messages === 0 ? [] : [{ say: 'digits', digits: String(messages) }, id(what)];
}

function inOrder(messages: readonly MessageBrief[]): readonly MessageBrief[] {
  const rank = ({ isUrgent, state }: MessageBrief) => (state === 'saved' ? 2 : isUrgent ? 0 : 1);
  return [...messages].sort((a, b) => rank(a) - rank(b) || a.at - b.at);
}

export function id(name: string): Prompt {
  return { say: 'id', id: name };
}

function over(then: After): Retrieval {
  return { name: 'over', then };
}
