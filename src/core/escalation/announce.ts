import type { World } from '../call/world.ts';
import type { Prompt } from '../dialplan/index.ts';
import type { Person, ServiceId, Urgency } from '../oncall/index.ts';
import { servicePrompt } from './challenge.ts';
import type { Candidate } from './who-to-ring.ts';

/** What the caller hears while the chain works. Said while the phones already ring, and only what is true. */

export function callingPrompts(world: World, about: { service: ServiceId; urgency: Urgency }): readonly Prompt[] {
  return [
    { say: 'id', id: 'calling' },
    servicePrompt(world, about.service),
    { say: 'id', id: `urgency-${about.urgency}` },
    { say: 'id', id: 'please-hold' },
  ];
}

/** "Trying the backup", "trying the operator and the house supervisor": those that ring now, nobody else. */
export function tryingPrompts(candidates: readonly Candidate[]): readonly Prompt[] {
  const prompts: Prompt[] = [];
  const said = new Set<string>();
  for (const candidate of candidates) {
    if (candidate.verdict !== 'rung') continue;
    const who =
      candidate.tier === 'post'
        ? personPrompt(candidate.person)
        : ({ say: 'id', id: `the-${candidate.tier}` } as const);
    const key = 'id' in who ? who.id : candidate.person.id;
    if (said.has(key)) continue;
    said.add(key);
    prompts.push({ say: 'id', id: prompts.length === 0 ? 'trying' : 'and' }, who);
  }
  const rung = candidates.filter((candidate) => candidate.verdict === 'rung');
  if (rung.length > 0 && rung.every((candidate) => candidate.device === 'mobile')) {
    prompts.push({ say: 'id', id: 'on-the-mobile' });
  }
  return prompts;
}

export function takenByPrompts(winner: Person): readonly Prompt[] {
  return [{ say: 'id', id: 'taken-by' }, personPrompt(winner)];
}

export function personPrompt(person: Pick<Person, 'id' | 'name'>): Prompt {
  return { say: 'name', of: 'person', id: person.id, text: person.name };
}
