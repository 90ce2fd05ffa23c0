import { CALLER, type CallEvent } from '../call/events.ts';
import { act, attest, newToken, type Turn } from '../call/turn.ts';
import type { World } from '../call/world.ts';
import type { Prompt } from '../dialplan/index.ts';
import type { ServiceId } from '../oncall/index.ts';
import { accessOf, id, nameOf, offerKeys } from './listening.ts';
import { mailboxByNumber, mailboxOfPhone, roomFor, rulesOf } from './mailboxes.ts';
import type { MessageBrief, Retrieval, RetrievalIn } from './retrieval.ts';

/*
 *   more ── 1 ──▶ askingTo ──▶ askingComment ── 1 ──▶ recordingComment ──▶ forwarding ──▶ listening
 *     │                             └── 2: without one ──────────────────────▲
 *     ├── 2 ──▶ a reply is recorded like any message ──▶ listening
 *     └── 3 ──▶ askingTo, unless the service is known ──▶ handed over ──▶ listening
 */

type Listening = RetrievalIn<'listening'>;

const keyWithinMs = 8_000;
const maxNumberDigits = 15;
export const longestCommentMs = 60_000;
/** A shorter one is a slip of the finger: the message goes without. */
const shortestCommentMs = 1_000;

/** A comment lies on the disk until it is part of the message that it belongs to. */
export const COMMENT_NAME = 'comment-';
/** A message that was forwarded; without an entry in the list it was never told to be done. */
export const COPY_NAME = 'copy-';

/** What this call draws names from, and the phone that somebody listens on. */
export interface Sender {
  readonly messageId: string;
  readonly device: string;
}

export function forward(now: Listening, turn: Turn): Retrieval {
  return mayPassOn(now, turn) ?? askTo(now, 'forward', turn);
}

/** To whoever is on call now for the service, and on from there until somebody claims it. */
export function handOver(world: World, { device }: Sender, now: Listening, turn: Turn): Retrieval {
  const refused = mayPassOn(now, turn);
  if (refused !== null) return refused;
  const { service, mailbox } = { ...now.messages[now.at]!, mailbox: now.session.mailbox };
  const known = service ?? world.roster.services().find((one) => one.mailbox === mailbox)?.id;
  if (known === undefined || world.roster.service(known as ServiceId) === undefined) {
    return askTo(now, 'handOver', turn);
  }
  return handedOver(device, now, known, turn);
}

/** Into the mailbox of whoever has left or sent the message. */
export function reply(world: World, { messageId, device }: Sender, now: Listening, turn: Turn): Retrieval {
  const message = now.messages[now.at];
  if (message === undefined) return offerKeys(now, [id('wrong-key')], turn);
  const to = senderOf(world, message);
  if (to === null) return offerKeys(now, [id('mailbox-no-reply')], turn);
  if (isFull(world, to, false)) return offerKeys(now, [id('mailbox-full-there')], turn);
  attest(turn, { ...accessOf(now, device), fact: 'messageAccessed', how: 'replied', to });
  return { name: 'over', then: { go: 'reply', to, replyId: `${messageId}-r${newToken(turn)}`, now } };
}

export function askingTo(
  world: World,
  { device }: Sender,
  asking: RetrievalIn<'askingTo'>,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  if (!isKeyed(event, asking.token)) return asking;
  const { now, why } = asking;
  if (event.digits === '') return offerKeys(now, [], turn);
  const box = mailboxByNumber(world.plan, event.digits);
  if (why === 'handOver') {
    const service = world.roster.services().find(({ mailbox }) => mailbox === box?.id);
    if (service === undefined) return offerKeys(now, [id('mailbox-wrong-pin')], turn);
    return handedOver(device, now, service.id, turn);
  }
  if (box === null || box.id === now.session.mailbox) return offerKeys(now, [id('mailbox-wrong-pin')], turn);
  if (isFull(world, box.id, isStillUrgent(now.messages[now.at]!))) {
    return offerKeys(now, [id('mailbox-full-there')], turn);
  }
  const token = ask([nameOf(world, box.id), id('forward-comment')], 1, turn);
  return { name: 'askingComment', now, to: box.id, token };
}

export function askingComment(
  sender: Sender,
  asking: RetrievalIn<'askingComment'>,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  if (!isKeyed(event, asking.token)) return asking;
  const { now, to } = asking;
  if (event.digits === '2') return send(sender, now, to, null, turn);
  // Nothing leaves a mailbox because somebody was silent.
  if (event.digits !== '1') return offerKeys(now, [id('not-sent')], turn);
  const token = newToken(turn);
  act(turn, { type: 'play', leg: CALLER, token, prompts: [id('beep')], then: 'nothing' });
  return { name: 'recordingComment', now, to, commentId: `${COMMENT_NAME}${sender.messageId}-${token}`, token };
}

export function recordingComment(
  sender: Sender,
  recording: RetrievalIn<'recordingComment'>,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  const { now, to, commentId } = recording;
  if (event.type === 'promptFinished' && event.leg === CALLER && event.token === recording.token) {
    act(turn, { type: 'recordMessage', messageId: commentId, mailbox: to, urgent: false, maxMs: longestCommentMs });
    return recording;
  }
  if (event.type !== 'recordingEnded' || event.messageId !== commentId) return recording;
  if (event.by === 'failed') return offerKeys(now, [id('voicemail-unavailable')], turn);
  return send(sender, now, to, event.durationMs < shortestCommentMs ? null : commentId, turn);
}

export function forwarding(
  { device }: Sender,
  sending: RetrievalIn<'forwarding'>,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  if (event.type !== 'messageForwarded' || event.token !== sending.token) return sending;
  const { now } = sending;
  if (event.why === null) return offerKeys(now, [id('voicemail-saved')], turn);
  attest(turn, { ...accessOf(now, device), fact: 'messageUnplayable', why: `not forwarded: ${event.why}` });
  return offerKeys(now, [id('not-sent')], turn);
}

function send(
  { messageId: name, device }: Sender,
  now: Listening,
  to: string,
  commentId: string | null,
  turn: Turn,
): Retrieval {
  const message = now.messages[now.at]!;
  const { messageId } = message;
  const token = newToken(turn);
  const copyId = `${COPY_NAME}${name}-${token}`;
  attest(turn, { ...accessOf(now, device), fact: 'messageAccessed', how: 'forwarded', to, copyId });
  const by = now.session.person;
  act(turn, { type: 'forwardMessage', token, messageId, commentId, to, copyId, isUrgent: isStillUrgent(message), by });
  return { name: 'forwarding', now, token };
}

function handedOver(device: string, now: Listening, service: string, turn: Turn): Retrieval {
  const { messageId } = now.messages[now.at]!;
  attest(turn, { ...accessOf(now, device), fact: 'messageAccessed', how: 'handedOver', to: service });
  act(turn, { type: 'handOverMessage', messageId, service, by: now.session.person });
  const messages = now.messages.map((one) =>
    one.messageId === messageId ? { ...one, service, isUrgent: true, isClaimed: false } : one,
  );
  return offerKeys({ ...now, messages }, [id('handed-over')], turn);
}

/** What is in the way is said; null: nothing. */
function mayPassOn(now: Listening, turn: Turn): Retrieval | null {
  const message = now.messages[now.at];
  if (message === undefined) return offerKeys(now, [id('wrong-key')], turn);
  return message.isPrivate ? offerKeys(now, [id('mailbox-private-stays')], turn) : null;
}

/** Somebody who has taken it sends a copy for information: nobody has to be called for that one. */
function isStillUrgent({ isUrgent, isClaimed }: MessageBrief): boolean {
  return isUrgent && !isClaimed;
}

function senderOf({ plan }: World, { sentBy, from }: MessageBrief): string | null {
  if (sentBy !== null && plan.mailbox(sentBy) !== undefined) return sentBy;
  return from === null ? null : (mailboxOfPhone(plan, from)?.id ?? null);
}

function isFull(world: World, mailbox: string, mustBeTaken: boolean): boolean {
  const messages = world.messagesIn?.(mailbox) ?? 0;
  return roomFor(rulesOf(world.plan, mailbox), messages, { mustBeTaken, evenFull: false }) !== 'taken';
}

function askTo(now: Listening, why: 'forward' | 'handOver', turn: Turn): Retrieval {
  return { name: 'askingTo', why, now, token: ask([id('forward-to')], maxNumberDigits, turn) };
}

function ask(prompts: readonly Prompt[], maxDigits: number, turn: Turn): number {
  const token = newToken(turn);
  act(turn, { type: 'gather', leg: CALLER, token, prompts, maxDigits, waitMs: keyWithinMs, isAgain: false });
  return token;
}

function isKeyed(event: CallEvent, token: number): event is Extract<CallEvent, { type: 'digitsGathered' }> {
  return event.type === 'digitsGathered' && event.leg === CALLER && event.token === token;
}
