import type { World } from '../call/world.ts';
import type { Prompt } from '../dialplan/index.ts';
import type { ServiceId, Urgency } from '../oncall/index.ts';
import type { Situation } from './model.ts';

/** A mobile proves a human: mailboxes of carriers answer calls too, and must never win one. */
export const challenge = {
  attempts: 3,
  /** For the key, after the prompt has ended. */
  waitMs: 5_000,
  /** Talk without an acceptance after which the answering side is taken for a machine. */
  talkLimitMs: 30_000,
  declineDigit: '9',
} as const;

export type KeyJudgement = 'accepted' | 'declined' | 'wrongDigit' | 'silence';

export function judgeKey(digits: string, acceptDigit: string): KeyJudgement {
  if (digits === '') return 'silence';
  if (digits === acceptDigit) return 'accepted';
  return digits === challenge.declineDigit ? 'declined' : 'wrongDigit';
}

/** Who calls, from where, for which service, how urgent, and what to press. Later attempts only say what to press. */
export function challengePrompts(
  world: World,
  situation: Situation,
  about: { readonly service: ServiceId; readonly urgency: Urgency },
  before: 'firstAttempt' | 'wrongDigit' | 'silence',
): readonly Prompt[] {
  const press: readonly Prompt[] = [
    { say: 'id', id: 'to-accept-press' },
    { say: 'digits', digits: situation.acceptDigit },
    { say: 'id', id: 'to-decline-press' },
    { say: 'digits', digits: challenge.declineDigit },
  ];
  switch (before) {
    case 'firstAttempt':
      return [
        { say: 'id', id: 'call-from' },
        callerPrompt(world, situation),
        { say: 'id', id: 'for-service' },
        servicePrompt(world, about.service),
        { say: 'id', id: `urgency-${about.urgency}` },
        ...press,
      ];
    case 'wrongDigit':
      return [{ say: 'id', id: 'wrong-key' }, ...press];
    default:
      return press;
  }
}

/** Never the number of an outside caller: whoever picked up the mobile is not known to be staff yet. */
function callerPrompt(world: World, { from }: Situation): Prompt {
  if (from.kind === 'trunk') return { say: 'id', id: 'an-outside-caller' };
  const extension = world.plan.extension(from.extension);
  if (extension === undefined) return { say: 'digits', digits: from.extension };
  const of = extension.kind === 'person' ? 'person' : 'unit';
  return { say: 'name', of, id: extension.nameId, text: extension.name };
}

export function servicePrompt(world: World, service: ServiceId): Prompt {
  return { say: 'name', of: 'service', id: service, text: world.roster.service(service)?.name ?? service };
}
