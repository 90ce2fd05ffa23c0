import t from 'tap';
import { ById } from '../../src/core/oncall/by-id.ts';
import type { Person, PersonId } from '../../src/core/oncall/index.ts';
import { holderOf, type KeptShift, ShiftShelf } from '../../src/core/oncall/shift-shelf.ts';
import { instant, zone } from '../../src/core/time/index.ts';
import { fc } from '../support/fast-check.ts';

const people = ['a', 'b', 'c'].map((id): Person => ({ id: id as PersonId, name: id, mobile: '+12025550111' }));

/** Shifts with gaps, by few lengths and people: so many tiers have much in common. */
const tier = fc
  .array(
    fc.record({
      gap: fc.constantFrom(0, 0, 1, 7),
      length: fc.constantFrom(1, 3, 3, 5),
      who: fc.nat(2),
      says: fc.nat(1),
    }),
    {
      maxLength: 24,
    },
  )
  .map((pieces) => {
    let at = Date.UTC(2026, 9, 1);
    return pieces.map(({ gap, length, who, says }): KeptShift => {
      const from = at + gap * 3_600_000;
      at = from + length * 3_600_000;
      return { from: instant(from), to: instant(at), saying: says, person: people[who]! };
    });
  });

void t.test('what many tiers share on a shelf answers for each of them as if it were its own', async () => {
  fc.assert(
    fc.property(fc.array(tier, { minLength: 2, maxLength: 12 }), (tiers) => {
      const shelf = new ShiftShelf();
      const home = zone('America/Chicago');
      for (const says of ['one', 'other']) shelf.keepSaying({ says, isDated: true, zone: home });
      // Twice, so that the second finds everything there already; with a rotation, whose people come again.
      const rotation = tiers.map((shifts) => shifts.map((shift, i) => ({ ...shift, person: people[i % 2]! })));
      const all = [...tiers, ...rotation, ...tiers];
      const runs = all.map((shifts) => shelf.keep(shifts));
      for (const [i, shifts] of all.entries()) {
        const run = runs[i]!;
        if (shelf.count(run) !== shifts.length) return false;
        for (const [j, { from, to, saying, person }] of shifts.entries()) {
          const kept = shelf.shift(run.timetable, j);
          if (kept.from !== from || kept.to !== to) return false;
          const holder = holderOf(run, j);
          if (shelf.person(holder) !== person || shelf.personId(holder) !== person.id) return false;
          if (kept.rule.says !== ['one', 'other'][saying]) return false;
        }
        for (let at = Date.UTC(2026, 9, 1) - 1; at < Date.UTC(2026, 9, 9); at += 1_799_999) {
          const expected = shifts.findIndex(({ from, to }) => from <= at && at < to);
          if (shelf.shiftAt(run.timetable, instant(at)) !== expected) return false;
        }
      }
      const again = runs.slice(-tiers.length);
      return again.every(({ timetable }, i) => timetable === runs[i]!.timetable);
    }),
    { numRuns: 150 },
  );
});

void t.test('entries are found by their ids as by a Map, and the second of a name is told', async () => {
  const id = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.nat(40).map((n) => `dr-${n}`),
  );
  fc.assert(
    fc.property(fc.array(id), fc.array(id), (ids, others) => {
      const entries = ids.map((one) => ({ id: one }));
      const known = new Map<string, { readonly id: string }>();
      const twice = entries.filter((entry) => known.has(entry.id) || !known.set(entry.id, entry));
      const told: (typeof entries)[number][] = [];
      const table = new ById(entries, (entry) => void told.push(entry));
      const asked = [...ids, ...others];
      return (
        told.length === twice.length &&
        told.every((entry, i) => entry === twice[i]) &&
        asked.every((one) => table.get(one) === known.get(one) && table.has(one) === known.has(one)) &&
        [...table.keys()].length === ids.length
      );
    }),
  );
});
