import type { Instant } from '../time/index.ts';
import type { Fact } from './facts.ts';
import { type Names, type Revealed, sentence, spokenPhone } from './sentence.ts';

export interface Rung {
  readonly at: Instant;
  /** Since the call arrived. */
  readonly afterMs: number;
  readonly says: string;
  /**
   * How it stands on the page: a heading opens a step and `inStep` belongs to it; an `aside` says nothing that the
   * lines around it do not, and may be left out for a person.
   */
  readonly stands: 'heading' | 'inStep' | 'plain' | 'aside' | 'ending';
}

/** The facts of one call, told from top to bottom. Legs are spoken of by whose phone they are. */
export function ladder(
  entries: readonly { readonly at: Instant; readonly fact: Fact }[],
  names: Omit<Names, 'leg' | 'wasPickedUp'>,
  revealed: Revealed = {},
): readonly Rung[] {
  const legs = legsOf(entries, names);
  const pickedUp = new Set<string>();
  const leg = (id: string) => legs.get(id) ?? `leg ${id}`;
  const told: Names = { ...names, leg, wasPickedUp: (id) => pickedUp.has(id) };
  const start = entries[0]?.at ?? (0 as Instant);
  let isInStep = false;
  return entries.map(({ at, fact }, i) => {
    if (fact.fact === 'legAnswered') pickedUp.add(fact.leg);
    const rung = { at, afterMs: at - start, says: sentence(fact, told, revealed) };
    switch (fact.fact) {
      case 'stepStarted':
        isInStep = true;
        return { ...rung, stands: 'heading' };
      case 'ended':
        return { ...rung, stands: 'ending' };
      case 'documentsUsed':
        return { ...rung, stands: 'aside' };
      case 'considered':
        return { ...rung, stands: isSaidAlready(fact, entries, i) ? 'aside' : isInStep ? 'inStep' : 'plain' };
      case 'accepted':
      case 'nobodyAccepted':
        isInStep = false;
        return { ...rung, stands: 'plain' };
      default:
        return { ...rung, stands: isInStep ? 'inStep' : 'plain' };
    }
  });
}

/** The person was introduced with the phone before; that this one rings too is the next line anyway. */
function isSaidAlready(
  { person, step, tier, verdict }: Extract<Fact, { fact: 'considered' }>,
  entries: readonly { readonly fact: Fact }[],
  i: number,
): boolean {
  if (verdict !== 'rung') return false;
  const before = entries.slice(0, i).findLast(({ fact }) => fact.fact === 'considered')?.fact;
  return before?.fact === 'considered' && before.person === person && before.step === step && before.tier === tier;
}

function legsOf(
  entries: readonly { readonly fact: Fact }[],
  names: Omit<Names, 'leg' | 'wasPickedUp'>,
): ReadonlyMap<string, string> {
  const legs = new Map<string, string>();
  for (const [i, { fact }] of entries.entries()) {
    if (fact.fact !== 'legRung') continue;
    const { leg, person, target } = fact;
    const before = entries[i - 1]?.fact;
    // What the person calls a further number: "home".
    const contact = before?.fact === 'considered' && before.person === person ? before.contact : undefined;
    if (target.kind === 'extension') legs.set(leg, desk(person, target.extension, contact, names));
    // A forward of the plan rings a number, whoever it belongs to.
    else
      legs.set(leg, person === '' ? 'the outside number' : `${whose(person, names)} ${spokenPhone('mobile', contact)}`);
  }
  return legs;
}

function desk(
  person: string,
  extension: string,
  contact: string | undefined,
  names: Omit<Names, 'leg' | 'wasPickedUp'>,
): string {
  // A plain call rings an extension, not a person on duty.
  if (person === extension) return `${names.extension(extension) ?? 'extension'} (${extension})`;
  return `${whose(person, names)} ${spokenPhone('desk', contact)} ${extension}`;
}

function whose(person: string, names: Omit<Names, 'leg' | 'wasPickedUp'>): string {
  return `${names.person(person)}'s`;
}
