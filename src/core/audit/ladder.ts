import type { Instant } from '../time/index.ts';
import type { Fact } from './facts.ts';
import { type Names, type Revealed, sentence } from './sentence.ts';

export interface Rung {
  readonly at: Instant;
  /** Since the call arrived. */
  readonly afterMs: number;
  readonly says: string;
}

/** The facts of one call, told from top to bottom. Legs are spoken of by whose phone they are. */
export function ladder(
  entries: readonly { readonly at: Instant; readonly fact: Fact }[],
  names: Omit<Names, 'leg'>,
  revealed: Revealed = {},
): readonly Rung[] {
  const legs = new Map<string, string>();
  for (const { fact } of entries) {
    if (fact.fact !== 'legRung') continue;
    const device = fact.target.kind === 'extension' ? `phone ${fact.target.extension}` : 'mobile';
    const person = names.person(fact.person);
    legs.set(fact.leg, person === fact.person && device.endsWith(person) ? device : `${person}, ${device}`);
  }
  const leg = (id: string) => legs.get(id) ?? `leg ${id}`;
  const start = entries[0]?.at ?? (0 as Instant);
  return entries.map(({ at, fact }) => ({
    at,
    afterMs: at - start,
    says: sentence(fact, { ...names, leg }, revealed),
  }));
}
