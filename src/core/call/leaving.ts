import { standDownAll } from '../escalation/index.ts';
import { closeRecording } from './doing/message.ts';
import { keepTaken } from './doing/reviewing.ts';
import { standDown, standDownGroup } from './doing/ringing-group.ts';
import type { EndCause } from './end-causes.ts';
import { CALLER, type CallEvent } from './events.ts';
import { type Doing, type Line, type Move, stay } from './state.ts';
import { act, type Turn } from './turn.ts';
import type { World } from './world.ts';

/** The caller goes, or the house stops: whatever the call is doing, nobody is left ringing or talking alone. */

/** BYE or CANCEL of the caller, or the caller's sound is gone. */
export function callerLeft(event: CallEvent): 'hungUp' | 'mediaLost' | null {
  if (event.type === 'callerHungUp') return 'hungUp';
  if (event.type !== 'legEnded' || event.leg !== CALLER) return null;
  return event.by === 'remote' ? 'hungUp' : 'mediaLost';
}

export function callerGone(world: World, line: Line, doing: Doing, left: 'hungUp' | 'mediaLost', turn: Turn): Move {
  if (doing.name === 'closing') return stay;
  if (doing.name === 'recording') {
    if (left === 'mediaLost') act(turn, { type: 'hangUpCaller', cause: 'mediaLost' });
    return closeRecording(doing, turn);
  }
  keepSaid(doing, turn);
  standDownLegs(doing, 'callerGone', turn);
  const cause = causeOfLeaving(line, doing, left);
  return { move: 'end', cause, isCallerGone: left === 'hungUp', talkedMs: talkedMs(world, doing) };
}

/** `cause`: why the house ends the call. */
export function stopping(world: World, doing: Doing, cause: 'shuttingDown' | 'wardlineRestarted', turn: Turn): Move {
  if (doing.name === 'closing') return stay;
  if (doing.name === 'recording') {
    act(turn, { type: 'hangUpCaller', cause });
    return closeRecording(doing, turn);
  }
  keepSaid(doing, turn);
  standDownLegs(doing, 'callOver', turn);
  return { move: 'end', cause, isCallerGone: false, talkedMs: talkedMs(world, doing) };
}

/** Whoever goes without a word has sent the message. */
function keepSaid(doing: Doing, turn: Turn): void {
  if (doing.name === 'reviewing') keepTaken(doing.taken, turn);
  if (doing.name === 'recordingAgain' && doing.taking.before !== null) keepTaken(doing.taking.before, turn);
}

function causeOfLeaving(line: Line, doing: Doing, left: 'hungUp' | 'mediaLost'): EndCause {
  if (doing.name === 'saying') return doing.cause;
  if (doing.name === 'reviewing') return 'messageLeft';
  if (doing.name === 'recordingAgain' && doing.taking.before !== null) return 'messageLeft';
  if (left === 'mediaLost') return 'mediaLost';
  if (doing.name === 'greeting') return 'noMessageLeft';
  return line.isAnswered ? 'callerHungUp' : 'callerCancelled';
}

function standDownLegs(doing: Doing, because: 'callerGone' | 'callOver', turn: Turn): void {
  switch (doing.name) {
    case 'ringing':
    case 'talking':
      // The end of a leg that was stood down is in the audit since the CANCEL.
      if (doing.name === 'ringing' && doing.stage === 'stoodDown') {
        return act(turn, { type: 'standDownLeg', leg: doing.leg, because });
      }
      return standDown(doing.leg, because, turn);
    case 'ringingGroup':
      return standDownGroup(doing, because, turn);
    case 'escalating':
      return standDownAll(doing.escalation, because, turn);
    case 'greeting':
      if (doing.late) standDownAll(doing.late, because, turn);
      return;
    default:
  }
}

function talkedMs(world: World, doing: Doing): number {
  if (doing.name === 'talking') return world.at - doing.since;
  if (doing.name === 'escalating' && doing.escalation.name === 'talking') return world.at - doing.escalation.since;
  return 0;
}
