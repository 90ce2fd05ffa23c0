import type { CallRecord } from '../support/records.ts';

type Fact = CallRecord['facts'][number];

/** Fields that are ids, times or addresses: they differ between any two runs. */
const unlike: ReadonlySet<string> = new Set(['sipCallId', 'peer', 'messageId', 'durationMs', 'talkedMs']);

/**
 * What differs between the records of one story on two pairs of servers, in sentences; none if they tell the same.
 * Facts about different legs may come in either order, for they happen at different telephones.
 */
export function differences(ours: readonly CallRecord[], theirs: readonly CallRecord[]): readonly string[] {
  const found: string[] = [];
  if (ours.length !== theirs.length) found.push(`${ours.length} calls here, ${theirs.length} there`);
  for (const [i, our] of ours.entries()) {
    const their = theirs[i];
    if (their === undefined) break;
    const call = `call ${i + 1} (${our.from} to ${our.dialled})`;
    const [a, b] = [threads(our), threads(their)];
    for (const leg of new Set([...a.keys(), ...b.keys()])) {
      const difference = firstDifference(a.get(leg) ?? [], b.get(leg) ?? []);
      if (difference !== null) found.push(`${call}${leg === '' ? '' : `, leg ${leg}`}: ${difference}`);
    }
  }
  return found;
}

/** The facts of each leg, and under '' those of the call itself. */
function threads({ facts }: CallRecord): ReadonlyMap<string, readonly string[]> {
  const byLeg = new Map<string, string[]>();
  for (const fact of facts) {
    const leg = typeof fact['leg'] === 'string' ? fact['leg'] : '';
    byLeg.set(leg, [...(byLeg.get(leg) ?? []), told(fact)]);
  }
  return byLeg;
}

function told(fact: Fact): string {
  return JSON.stringify(fact, (key, value: unknown) => {
    if (unlike.has(key)) return value === null ? null : `<${key}>`;
    return typeof value === 'string' ? value.replaceAll(/\b\d{1,3}(\.\d{1,3}){3}(:\d+)?/g, '<address>') : value;
  });
}

function firstDifference(ours: readonly string[], theirs: readonly string[]): string | null {
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    if (ours[i] === theirs[i]) continue;
    return `fact ${i + 1} here: ${ours[i] ?? 'none'}; there: ${theirs[i] ?? 'none'}`;
  }
  return null;
}
