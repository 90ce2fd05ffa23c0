import type { CallEvent } from '../core/call/index.ts';
import { never } from '../core/never.ts';
import type { TelephonyEffect } from '../engine/ports.ts';

/** What an effect that could not even be started comes to; null for those without an outcome. */
export function failureOf(effect: TelephonyEffect, why: string): CallEvent | null {
  switch (effect.type) {
    case 'answerCaller':
      return { type: 'callerAnswerFailed', why };
    case 'ringLeg':
      return { type: 'legFailed', leg: effect.leg, result: { kind: 'mediaFailed', why } };
    case 'play':
      return effect.then === 'nothing' ? { type: 'promptFinished', leg: effect.leg, token: effect.token } : null;
    case 'gather':
      return { type: 'digitsGathered', leg: effect.leg, token: effect.token, digits: '' };
    case 'playMessage':
      return { type: 'messageUnplayable', token: effect.token, why };
    case 'bridge':
    case 'connectDirect':
      return { type: 'bridgeFailed', leg: effect.leg, why };
    case 'recordMessage':
      return { type: 'recordingEnded', messageId: effect.messageId, durationMs: 0, by: 'failed', why };
    case 'ringCaller':
    case 'refuseCaller':
    case 'standDownLeg':
    case 'hangUpCaller':
    case 'callOver':
      return null;
    default:
      return never(effect);
  }
}
