import { CALLER, type CallEvent } from '../call/events.ts';
import { act, attest, newToken, type Turn } from '../call/turn.ts';
import type { World } from '../call/world.ts';
import type { Prompt } from '../dialplan/index.ts';
import { zone } from '../time/index.ts';
import { absenceEnd, GREETING_NAME, type GreetingKind, longestGreetingMs, shortestGreetingMs } from './greetings.ts';
import { offerKeys } from './listening.ts';
import type { Retrieval, RetrievalIn } from './retrieval.ts';

/*
 *   greetings ── 1 2 3: which ──▶ greetings ── 2 ──▶ recordingGreeting ── '#' ──▶ greetings
 *       └── any other key ──▶ listening                1 hears it, 3 deletes it
 *   An absence has an end: asked for when it is recorded, and by 4 ──▶ askingAbsenceEnd ── digits ──▶ greetings
 */

type Choosing = RetrievalIn<'greetings'>;

const keyWithinMs = 8_000;
const dateDigits = 4;
const kinds: Readonly<Record<string, GreetingKind>> = { 1: 'usual', 2: 'closed', 3: 'absence' };

export function openGreetings(now: Choosing['now'], turn: Turn): Choosing {
  return { name: 'greetings', now, kind: null, token: ask([{ say: 'id', id: 'greeting-which' }], turn) };
}

/** `recorder`: names what this call records. */
export function inGreetings(
  world: World,
  recorder: { readonly device: string; readonly messageId: string },
  choosing: Choosing,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  if (event.type === 'messageUnplayable' && event.token === choosing.token)
    return keysOf(choosing, 'mailbox-damaged', turn);
  if (event.type !== 'digitsGathered' || event.leg !== CALLER || event.token !== choosing.token) return choosing;
  const { now, kind } = choosing;
  if (kind === null) {
    const chosen = kinds[event.digits];
    return chosen === undefined ? offerKeys(now, [], turn) : keysOf({ ...choosing, kind: chosen }, null, turn);
  }
  const { mailbox, person } = now.session;
  const known = world.greetingsOf?.(mailbox)[kind];
  switch (event.digits) {
    case '1': {
      if (known === undefined) return keysOf(choosing, 'greeting-none', turn);
      const token = newToken(turn);
      const after: readonly Prompt[] = [{ say: 'id', id: keysFor(kind) }];
      act(turn, { type: 'playMessage', leg: CALLER, token, messageId: known, before: [], after, waitMs: keyWithinMs });
      return { ...choosing, token };
    }
    case '2': {
      const token = newToken(turn);
      act(turn, { type: 'play', leg: CALLER, token, prompts: [{ say: 'id', id: 'beep' }], then: 'nothing' });
      return {
        name: 'recordingGreeting',
        now,
        kind,
        greetingId: `${GREETING_NAME}${recorder.messageId}-${token}`,
        token,
      };
    }
    case '3': {
      if (known === undefined) return keysOf(choosing, 'greeting-none', turn);
      const { device } = recorder;
      attest(turn, {
        fact: 'greetingChanged',
        how: 'deleted',
        mailbox,
        kind,
        greetingId: known,
        durationMs: 0,
        person,
        device,
      });
      act(turn, { type: 'setGreeting', mailbox, kind, greetingId: null, by: person });
      return keysOf(choosing, 'mailbox-deleted', turn);
    }
    case '4':
      if (kind !== 'absence') return offerKeys(now, [], turn);
      return known === undefined ? keysOf(choosing, 'greeting-none', turn) : askAbsenceEnd(now, known, [], turn);
    default:
      return offerKeys(now, [], turn);
  }
}

function askAbsenceEnd(now: Choosing['now'], greetingId: string, words: readonly Prompt[], turn: Turn): Retrieval {
  const token = ask([...words, { say: 'id', id: 'absence-until' }], turn, dateDigits);
  return { name: 'askingAbsenceEnd', now, greetingId, token };
}

export function askingAbsenceEnd(
  world: World,
  device: string,
  asking: RetrievalIn<'askingAbsenceEnd'>,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  if (event.type !== 'digitsGathered' || event.leg !== CALLER || event.token !== asking.token) return asking;
  const { now, greetingId } = asking;
  const { mailbox, person } = now.session;
  const choosing: Choosing = { name: 'greetings', now, kind: 'absence', token: 0 };
  // Silence leaves it as it is: a new one has no end.
  if (event.digits === '') return keysOf(choosing, 'greeting-set', turn);
  const { zone: zoneName } = world.plan.source;
  const endsAt = event.digits === '0' ? null : absenceEnd(event.digits, zoneName, world.at);
  if (endsAt === null && event.digits !== '0') {
    return askAbsenceEnd(now, greetingId, [{ say: 'id', id: 'wrong-key' }], turn);
  }
  attest(turn, {
    fact: 'greetingChanged',
    how: 'endSet',
    mailbox,
    kind: 'absence',
    greetingId,
    durationMs: 0,
    person,
    device,
    endsAt,
  });
  act(turn, { type: 'setAbsenceEnd', mailbox, endsAt });
  if (endsAt === null) return keysOf(choosing, 'greeting-set', turn);
  const [date = ''] = zone(zoneName).show(endsAt).split(' ');
  const firstDay: Prompt = { say: 'digits', digits: date.slice(5).replace('-', '') };
  return {
    ...choosing,
    token: ask([{ say: 'id', id: 'absence-ends' }, firstDay, { say: 'id', id: keysFor('absence') }], turn),
  };
}

export function recordingGreeting(
  { device }: { readonly device: string },
  recording: RetrievalIn<'recordingGreeting'>,
  event: CallEvent,
  turn: Turn,
): Retrieval {
  const { now, kind, greetingId } = recording;
  const { mailbox, person } = now.session;
  if (event.type === 'promptFinished' && event.leg === CALLER && event.token === recording.token) {
    act(turn, { type: 'recordMessage', messageId: greetingId, mailbox, urgent: false, maxMs: longestGreetingMs });
    return recording;
  }
  if (event.type !== 'recordingEnded' || event.messageId !== greetingId) return recording;
  const { durationMs } = event;
  const choosing: Choosing = { name: 'greetings', now, kind, token: 0 };
  if (event.by === 'failed') return keysOf(choosing, 'voicemail-unavailable', turn);
  if (durationMs < shortestGreetingMs) return keysOf(choosing, 'greeting-none', turn);
  attest(turn, { fact: 'greetingChanged', how: 'recorded', mailbox, kind, greetingId, durationMs, person, device });
  act(turn, { type: 'setGreeting', mailbox, kind, greetingId, by: person });
  if (kind === 'absence') return askAbsenceEnd(now, greetingId, [], turn);
  return keysOf(choosing, 'greeting-set', turn);
}

function keysOf(choosing: Choosing, word: string | null, turn: Turn): Choosing {
  const words: readonly Prompt[] = word === null ? [] : [{ say: 'id', id: word }];
  return { ...choosing, token: ask([...words, { say: 'id', id: keysFor(choosing.kind) }], turn) };
}

function keysFor(kind: GreetingKind | null): string {
  return kind === 'absence' ? 'absence-keys' : 'greeting-keys';
}

function ask(prompts: readonly Prompt[], turn: Turn, maxDigits = 1): number {
  const token = newToken(turn);
  act(turn, { type: 'gather', leg: CALLER, token, prompts, maxDigits, waitMs: keyWithinMs, isAgain: false });
  return token;
}
