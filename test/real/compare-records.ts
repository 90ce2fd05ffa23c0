import type { CallRecord } from '../support/records.ts';

type Fact = CallRecord['facts'][number];

/** Fields that are ids, times or addresses: they differ between any two runs. */
const unlike: ReadonlySet<string> = new Set(['sipCallId', 'peer', 'messageId', 'durationMs', 'talkedMs']);

/**
 * What differs between the records of one story on two pairs of servers, in sentences; none if they tell the same.
 * Facts about different legs may come in either order, for they happen at different telephones; and who of several wins
 * that accept at the same time is a matter of time.
 */
export function differences(ours: readonly CallRecord[], theirs: readonly CallRecord[]): readonly string[] {
  const found: string[] = [];
  if (ours.length !== theirs.length) found.push(`${ours.length} calls here, ${theirs.length} there`);
  const [here, there] = [new Documents(), new Documents()];
  for (const [i, our] of ours.entries()) {
    const their = theirs[i];
    if (their === undefined) break;
    const call = `call ${i + 1} (${our.from} to ${our.dialled})`;
    const [a, b] = [threads(our, here), threads(their, there)];
    for (const leg of new Set([...a.keys(), ...b.keys()])) {
      const difference = firstDifference(a.get(leg) ?? [], b.get(leg) ?? []);
      if (difference !== null) found.push(`${call}${leg === '' ? '' : `, leg ${leg}`}: ${difference}`);
    }
  }
  return found;
}

/** How it sounded is measured, by each media server in its own way or by one alone, and not when what else is told of a leg. */
const measured: readonly unknown[] = ['soundMeasured', 'answerHinted'];

/** The facts of each leg, and under '' those of the call itself. */
function threads({ facts: all }: CallRecord, documents: Documents): ReadonlyMap<string, readonly string[]> {
  const byLeg = new Map<string, string[]>();
  const facts = all.filter(({ fact }) => !measured.includes(fact));
  const places = placesOf(facts);
  for (const fact of facts) {
    const leg = typeof fact['leg'] === 'string' ? fact['leg'] : '';
    const place = places.get(leg);
    const raced = place === undefined ? fact : { ...fact, leg: place, ...anybody(fact) };
    byLeg.set(place ?? leg, [...(byLeg.get(place ?? leg) ?? []), told(raced, documents)]);
  }
  return byLeg;
}

/** Of each leg that accepted when somebody came too late: "winner", "too late 1", …; no leg where nobody did. */
function placesOf(facts: readonly Fact[]): ReadonlyMap<string, string> {
  const ended = (result: string): string[] =>
    facts
      .filter((fact) => fact.fact === 'challengeAnswered' && fact['result'] === result)
      .map(({ leg }) => String(leg));
  const late = ended('tooLate');
  if (late.length === 0) return new Map();
  const places = late.map((leg, i): [string, string] => [leg, `too late ${i + 1}`]);
  return new Map([...ended('accepted').map((leg): [string, string] => [leg, 'winner']), ...places]);
}

/** Who it is goes with the leg. */
function anybody(fact: Fact): Record<string, string> {
  return Object.fromEntries(['person', 'target'].filter((key) => key in fact).map((key) => [key, `<${key}>`]));
}

/** Ids of what documents hold, in which there may be an address: known by when they came. */
class Documents {
  readonly #known = new Map<string, number>();

  number(id: string): string {
    const number = this.#known.get(id) ?? this.#known.size + 1;
    this.#known.set(id, number);
    return `<document ${number}>`;
  }
}

function told(fact: object, documents: Documents): string {
  return JSON.stringify(fact, (key, value: unknown) => {
    if (unlike.has(key)) return value === null ? null : `<${key}>`;
    if (typeof value !== 'string') return value;
    return value
      .replaceAll(/\bsha256:[0-9a-f]{64}\b/g, (id) => documents.number(id))
      .replaceAll(/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?/g, '<address>');
  });
}

function firstDifference(ours: readonly string[], theirs: readonly string[]): string | null {
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    if (ours[i] === theirs[i]) continue;
    return `fact ${i + 1} here: ${ours[i] ?? 'none'}; there: ${theirs[i] ?? 'none'}`;
  }
  return null;
}
