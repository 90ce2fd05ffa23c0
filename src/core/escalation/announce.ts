import type { World } from '../call/world.ts';
import type { Prompt } from '../dialplan/index.ts';
import type { Person, ServiceId, Urgency } from '../oncall/index.ts';
import { servicePrompt } from './challenge.ts';
import type { Candidate } from './who-to-ring.ts';

/** What the caller hears while the chain works. Said while the phones already ring, and only what is true. */

export function callingPrompts(world: World, about: { service: ServiceId; urgency: Urgency }): readonly Prompt[] {
  return [
    { say: 'id', id: 'calling-the-on-call' },
    servicePrompt(world, about.service),
    { say: 'id', id: `urgency-${about.urgency}` },
  ];
}

/** "Trying the backup", "trying the operator and the house supervisor": those that ring now, nobody else. */
export function tryingPrompts(candidates: readonly Candidate[]): readonly Prompt[] {
  const rung = candidates.filter((candidate) => candidate.verdict === 'rung');
  const tiers = new Set(rung.map(({ tier }) => tier));
  const posts = new Map(rung.flatMap(({ tier, person }) => (tier === 'post' ? [[person.id, person]] : [])));
  const prompts: Prompt[] = [];
  for (const tier of ['primary', 'backup', 'attending'] as const) {
    if (tiers.has(tier)) prompts.push({ say: 'id', id: tryingTier[tier] });
  }
  for (const [i, person] of [...posts.values()].entries()) {
    prompts.push({ say: 'id', id: i === 0 ? 'trying' : 'and' }, personPrompt(person));
  }
  if (rung.length > 0 && rung.every(({ device }) => device === 'mobile'))
    prompts.push({ say: 'id', id: 'trying-next-number' });
  return prompts;
}

const tryingTier = {
  primary: 'calling-primary',
  backup: 'trying-the-backup',
  attending: 'trying-the-attending',
} as const;

export function takenByPrompts(winner: Pick<Person, 'id' | 'name'>): readonly Prompt[] {
  return [{ say: 'id', id: 'taken-by' }, personPrompt(winner)];
}

function personPrompt({ id, name }: Pick<Person, 'id' | 'name'>): Prompt {
  return { say: 'name', of: 'person', id, text: name };
}
