import type { Prompt, Verb } from '../../dialplan/index.ts';
import { type Escalation, standDownAll, stepEscalation } from '../../escalation/index.ts';
import { greetingOf, roomFor, rulesOf, voicemailRules } from '../../voicemail/index.ts';
import type { EndCause } from '../end-causes.ts';
import { CALLER, type CallEvent } from '../events.ts';
import { type DoingOf, type Going, type Line, type Move, stay, type VerbOf } from '../state.ts';
import { act, attest, newToken, type Turn } from '../turn.ts';
import type { World } from '../world.ts';

/*
 *   greeting ── beep ──▶ recording ── '#', limit, silence ──▶ saying "saved" ──▶ end
 *      │                     └─ caller hangs up ──▶ closing ── recorder is done ──▶ end
 *      └─ a desk phone of the chain answers after all ──▶ escalating
 */

/** How long the operator is rung for a caller whose message finds no room. */
const operatorMs = 30_000;

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

/** Greeting, beep, and then what the caller says. */
export function greet(
  world: World,
  box: { readonly mailbox: string; readonly urgent: boolean; readonly greeting: readonly Prompt[] },
  late: Escalation | null,
  turn: Turn,
): Going {
  const token = newToken(turn);
  const prompts: readonly Prompt[] = [...greetingOf(world.plan, world.roster, box), { say: 'id', id: 'beep' }];
  act(turn, { type: 'play', leg: CALLER, token, prompts, then: 'nothing' });
  return { move: 'be', doing: { name: 'greeting', mailbox: box.mailbox, urgent: box.urgent, token, late } };
}

export function greeting(world: World, line: Line, doing: DoingOf<'greeting'>, event: CallEvent, turn: Turn): Move {
  if (event.type === 'promptFinished' && event.leg === CALLER && event.token === doing.token) {
    // From here on the caller speaks to the recorder; whoever answers now is hung up.
    if (doing.late) standDownAll(doing.late, 'stepOver', turn);
    const { mailbox, urgent, late } = doing;
    const { messageId } = line;
    const chain = late === null ? {} : { service: late.service, urgency: late.urgency };
    attest(turn, { fact: 'recordingStarted', messageId, mailbox, urgent, ...chain });
    act(turn, { type: 'recordMessage', messageId, mailbox, urgent, maxMs: rulesOf(world.plan, mailbox).longestMs });
    return { move: 'be', doing: { name: 'recording' } };
  }
  if (doing.late === null) return stay;
  const late = stepEscalation(world, line, doing.late, event, turn);
  return {
    move: 'be',
    doing: late.name === 'bridging' ? { name: 'escalating', escalation: late } : { ...doing, late },
  };
}

export function recording(line: Line, event: CallEvent, turn: Turn): Move {
  if (event.type !== 'recordingEnded' || event.messageId !== line.messageId) return stay;
  const cause = attestRecording(event, turn);
  if (event.by === 'hangUp') return { move: 'end', cause, isCallerGone: true, talkedMs: 0 };
  const id = lastWord[cause];
  return { move: 'say', prompts: [{ say: 'id', id }], cause };
}

const lastWord = {
  messageLeft: 'voicemail-saved',
  noMessageLeft: 'goodbye',
  recordingFailed: 'voicemail-unavailable',
} as const;

/** The caller of a recording is gone: the recorder still has to say what it got. */
export function closeRecording(line: Line, turn: Turn): Going {
  const { messageId } = line;
  act(turn, {
    type: 'wakeMe',
    afterMs: voicemailRules.recorderPatienceMs,
    with: { type: 'recordingOverdue', messageId },
  });
  return { move: 'be', doing: { name: 'closing' } };
}

export function closing(line: Line, event: CallEvent, turn: Turn): Move {
  switch (event.type) {
    case 'recordingEnded':
      if (event.messageId !== line.messageId) return stay;
      return { move: 'end', cause: attestRecording(event, turn), isCallerGone: true, talkedMs: 0 };
    case 'recordingOverdue':
      return { move: 'end', cause: 'recordingFailed', isCallerGone: true, talkedMs: 0 };
    default:
      return stay;
  }
}

function attestRecording(
  event: Extract<CallEvent, { type: 'recordingEnded' }>,
  turn: Turn,
): Extract<EndCause, 'messageLeft' | 'noMessageLeft' | 'recordingFailed'> {
  const { messageId, durationMs, by, why } = event;
  attest(turn, { fact: 'recordingEnded', messageId, durationMs, by, why });
  if (by === 'failed') return 'recordingFailed';
  return durationMs > 0 ? 'messageLeft' : 'noMessageLeft';
}
