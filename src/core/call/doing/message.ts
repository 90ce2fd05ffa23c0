import type { Prompt, Verb } from '../../dialplan/index.ts';
import { type Escalation, standDownAll, stepEscalation } from '../../escalation/index.ts';
import { greetingNow, greetingOf, roomFor, rulesOf, voicemailRules } from '../../voicemail/index.ts';
import type { EndCause } from '../end-causes.ts';
import { CALLER, type CallEvent } from '../events.ts';
import { type DoingOf, type Going, type Line, type Move, stay, type Taking, type VerbOf } from '../state.ts';
import { act, attest, newToken, type Turn } from '../turn.ts';
import type { World } from '../world.ts';
import { beep, newTaking, operatorMs, record, sent, toOperator } from './record.ts';
import { keepTaken, review } from './reviewing.ts';

/*
 *   greeting ── beep ──▶ recording ── limit, silence ──▶ saying "saved" ──▶ end      '#': reviewing.ts
 *      │                     └─ caller hangs up ──▶ closing ── recorder is done ──▶ end
 *      └─ a desk phone of the chain answers after all ──▶ escalating
 */

/** What a plan says of a message, if there is room for it. */
export function takeMessage(world: World, line: Line, verb: VerbOf<'voicemail'>, path: string, turn: Turn): Going {
  const { mailbox, urgent: mustBeTaken, evenFull = false } = verb;
  const messages = world.messagesIn?.(mailbox) ?? 0;
  const room = roomFor(rulesOf(world.plan, mailbox), messages, { mustBeTaken, evenFull });
  if (room === 'taken') return greet(world, verb, null, turn);
  attest(turn, { fact: 'mailboxFull', mailbox, messages });
  if (room === 'refused') {
    return { move: 'say', prompts: [{ say: 'id', id: 'voicemail-unavailable' }], cause: 'mailboxFull' };
  }
  const full: readonly Prompt[] = [{ say: 'id', id: 'mailbox-full' }];
  const operator: Verb = {
    verb: 'operator',
    site: line.site,
    forMs: operatorMs,
    otherwise: { ...verb, evenFull: true },
  };
  return { move: 'enter', verb: { verb: 'play', prompts: full, times: 1, then: operator }, path: `${path}.full` };
}

/** The tone is the end of the greeting: nobody is waited for behind it. */
const keyMs = 50;

/** Greeting, beep, and then what the caller says. */
export function greet(
  world: World,
  box: { readonly mailbox: string; readonly urgent: boolean; readonly greeting: readonly Prompt[] },
  late: Escalation | null,
  turn: Turn,
): Going {
  const { mailbox, urgent } = box;
  if (world.hasRoomToRecord?.() === false) {
    // Said before the tone: nobody shall speak to a recorder that cannot keep it.
    if (late !== null) standDownAll(late, 'stepOver', turn);
    attest(turn, { fact: 'recorderFull', mailbox });
    return { move: 'say', prompts: [{ say: 'id', id: lastWord.recordingFailed }], cause: 'recordingFailed' };
  }
  const token = newToken(turn);
  const recorded =
    box.greeting.length > 0 ? null : greetingNow(world.plan, mailbox, world.greetingsOf?.(mailbox) ?? {}, world.at);
  if (recorded === null) {
    const prompts: readonly Prompt[] = [...greetingOf(world.plan, world.roster, box), beep];
    act(turn, { type: 'play', leg: CALLER, token, prompts, then: 'nothing', keys: true });
  } else {
    const after: readonly Prompt[] = urgent ? [{ say: 'id', id: 'voicemail-urgent-note' }, beep] : [beep];
    act(turn, { type: 'playMessage', leg: CALLER, token, messageId: recorded, before: [], after, waitMs: keyMs });
  }
  return { move: 'be', doing: { name: 'greeting', mailbox, urgent, token, late } };
}

export function greeting(world: World, line: Line, doing: DoingOf<'greeting'>, event: CallEvent, turn: Turn): Move {
  const isMine = 'token' in event && event.token === doing.token;
  if (isMine && event.type === 'messageUnplayable') {
    // A greeting that cannot be opened, or a media server that cannot open one: what the house says will do.
    const plain = { ...doing, greeting: greetingOf(world.plan, world.roster, { ...doing, greeting: [] }) };
    return greet(world, plain, doing.late, turn);
  }
  if (isMine && event.type === 'digitsGathered' && event.digits === '0') {
    if (doing.late) standDownAll(doing.late, 'stepOver', turn);
    return toOperator(line);
  }
  if (isMine && event.type === 'digitsGathered' && event.digits !== '') {
    // Whoever knows the greeting skips it, and nothing else: a mailbox is opened by its PIN.
    const token = newToken(turn);
    act(turn, { type: 'play', leg: CALLER, token, prompts: [beep], then: 'nothing' });
    return { move: 'be', doing: { ...doing, token } };
  }
  if (isMine && (event.type === 'promptFinished' || event.type === 'digitsGathered')) {
    // From here on the caller speaks to the recorder; whoever answers now is hung up.
    if (doing.late) standDownAll(doing.late, 'stepOver', turn);
    const { mailbox, urgent, late } = doing;
    const chain = late === null ? {} : { service: late.service, urgency: late.urgency };
    return record(world, { ...newTaking(line.messageId, mailbox), urgent, chain }, turn);
  }
  if (doing.late === null) return stay;
  const late = stepEscalation(world, line, doing.late, event, turn);
  return {
    move: 'be',
    doing: late.name === 'bridging' ? { name: 'escalating', escalation: late } : { ...doing, late },
  };
}

export function recording({ taking }: DoingOf<'recording'>, event: CallEvent, turn: Turn): Move {
  if (event.type !== 'recordingEnded' || event.messageId !== taking.messageId) return stay;
  // Whoever presses "#" is still there, and may want to hear it.
  if (event.by === 'key' && event.durationMs > 0) {
    return review({ ...taking, durationMs: event.durationMs }, turn);
  }
  const cause = attestRecording(taking, event, turn);
  if (event.by === 'hangUp') return { move: 'end', cause, isCallerGone: true, talkedMs: 0 };
  return sent(taking, lastWord[cause], cause, turn);
}

const lastWord = {
  messageLeft: 'voicemail-saved',
  noMessageLeft: 'goodbye',
  recordingFailed: 'voicemail-unavailable',
} as const;

/** The caller of a recording is gone: the recorder still has to say what it got. */
export function closeRecording({ taking }: DoingOf<'recording'>, turn: Turn): Going {
  const { messageId } = taking;
  act(turn, {
    type: 'wakeMe',
    afterMs: voicemailRules.recorderPatienceMs,
    with: { type: 'recordingOverdue', messageId },
  });
  return { move: 'be', doing: { name: 'closing', taking } };
}

export function closing({ taking }: DoingOf<'closing'>, event: CallEvent, turn: Turn): Move {
  switch (event.type) {
    case 'recordingEnded':
      if (event.messageId !== taking.messageId) return stay;
      return { move: 'end', cause: attestRecording(taking, event, turn), isCallerGone: true, talkedMs: 0 };
    case 'recordingOverdue':
      if (taking.before !== null) keepTaken(taking.before, turn);
      return { move: 'end', cause: 'recordingFailed', isCallerGone: true, talkedMs: 0 };
    default:
      return stay;
  }
}

function attestRecording(
  taking: Taking,
  event: Extract<CallEvent, { type: 'recordingEnded' }>,
  turn: Turn,
): Extract<EndCause, 'messageLeft' | 'noMessageLeft' | 'recordingFailed'> {
  const { durationMs, by, why } = event;
  if (durationMs > 0) keepTaken({ ...taking, durationMs }, turn, { by, why });
  else {
    attest(turn, { fact: 'recordingEnded', messageId: taking.messageId, durationMs, by, why });
    // Whoever wanted to say it again, and did not, has said it once.
    if (taking.before !== null) {
      keepTaken(taking.before, turn);
      return 'messageLeft';
    }
  }
  if (by === 'failed') return 'recordingFailed';
  return durationMs > 0 ? 'messageLeft' : 'noMessageLeft';
}
