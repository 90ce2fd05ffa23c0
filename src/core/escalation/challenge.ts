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
  /** The prompt says nine. */
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
    { say: 'id', id: 'to-decline-press-nine' },
  ];
  switch (before) {
    case 'firstAttempt':
      return [
        { say: 'id', id: 'call-for-you' },
        servicePrompt(world, about.service),
        { say: 'id', id: `urgency-${about.urgency}` },
        ...callerPrompts(world, situation),
        ...press,
      ];
    case 'wrongDigit':
      return [{ say: 'id', id: 'wrong-digit' }, ...press];
    default:
      return press;
  }
}

/** Never the number of an outside caller: whoever picked up the mobile is not known to be staff yet. */
function callerPrompts(world: World, { from }: Situation): readonly Prompt[] {
  if (from.kind === 'trunk') return [{ say: 'id', id: 'from-outside' }];
  const extension = world.plan.extension(from.extension);
  const named: Prompt = extension
    ? { say: 'name', of: extension.kind === 'unit' ? 'unit' : 'person', id: extension.nameId, text: extension.name }
    : { say: 'digits', digits: from.extension };
  return [{ say: 'id', id: 'from-extension' }, named];
}

export function servicePrompt(world: World, service: ServiceId): Prompt {
  return { say: 'name', of: 'service', id: service, text: world.roster.service(service)?.name ?? service };
}
