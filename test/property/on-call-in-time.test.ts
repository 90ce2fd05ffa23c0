import { fc } from '../support/fast-check.ts';
import t from 'tap';
import {
  compileRoster,
  type DutyTier,
  layOutShifts,
  type PersonId,
  type RosterRule,
  type RosterSource,
  type ServiceId,
} from '../../src/core/oncall/index.ts';
import { instant, plusDays, showWall, wall, zone } from '../../src/core/time/index.ts';
import { told } from '../support/told.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const ZONES = [
  'America/Chicago',
  'Europe/Berlin',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Europe/Dublin',
  'America/St_Johns',
  'Asia/Kolkata',
  'Pacific/Chatham',
];

/** What the wall shows, by Intl alone: "2026-11-01 01:30". Independent of the library that core/time uses. */
const clocks = new Map<string, Intl.DateTimeFormat>();
function wallByIntl(zoneName: string, ms: number): string {
  let clock = clocks.get(zoneName);
  if (!clock) {
    const options = { timeZone: zoneName, dateStyle: 'short', timeStyle: 'short' } as const;
    clock = new Intl.DateTimeFormat('sv-SE', options);
    clocks.set(zoneName, clock);
  }
  return clock.format(ms);
}

function offsetByIntl(zoneName: string, ms: number): number {
  return Date.parse(`${wallByIntl(zoneName, ms).replace(' ', 'T')}Z`) - Math.floor(ms / MINUTE) * MINUTE;
}

/** Instants at which the offset changes in a year, by looking at every day and then halving. */
const changesByZoneAndYear = new Map<string, readonly number[]>();
function changesOf(zoneName: string, year: number): readonly number[] {
  const key = `${zoneName} ${year}`;
  const known = changesByZoneAndYear.get(key);
  if (known) return known;
  const changes: number[] = [];
  for (let day = Date.UTC(year, 0, 1); day < Date.UTC(year + 1, 0, 1); day += DAY) {
    let [low, high] = [day, day + DAY];
    if (offsetByIntl(zoneName, low) === offsetByIntl(zoneName, high)) continue;
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
      if (offsetByIntl(zoneName, middle) === offsetByIntl(zoneName, low)) low = middle;
      else high = middle;
    }
    changes.push(high);
  }
  changesByZoneAndYear.set(key, changes);
  return changes;
}

/**
 * The slow oracle: walks minute by minute and counts the hand-offs whose wall time the clock has reached at least once.
 * A hand-off in a gap is reached when the clock jumps over it; a repeated one is not reached twice.
 */
function* turnsMinuteByMinute(zoneName: string, since: string, everyDays: number, from: number, to: number) {
  let reached = '';
  let turn = -1;
  let next = since;
  for (let ms = from - 3 * DAY; ms < to; ms += MINUTE) {
    const now = wallByIntl(zoneName, ms);
    if (now > reached) reached = now;
    while (next <= reached) {
      turn++;
      next = showWall(plusDays(wall(since)!, (turn + 1) * everyDays));
    }
    if (ms >= from) yield { ms, turn };
  }
}

const people = ['a', 'b', 'c', 'd', 'e'] as PersonId[];

function aRoster(zoneName: string, rules: readonly RosterRule[]): RosterSource {
  const chain = { id: 'c', steps: [], lastResort: { kind: 'voicemail', urgent: false } } as const;
  return {
    version: 'sha256:test',
    zone: zoneName,
    people: people.map((id) => ({ id, name: id, desk: `1${id.charCodeAt(0)}` })),
    services: [
      {
        id: 's' as ServiceId,
        name: 'S',
        zone: zoneName,
        tiers: { primary: rules },
        mailbox: 'm',
        chains: { stat: chain, urgent: chain, routine: chain },
      },
    ],
  };
}

const zoneAndNight = fc
  .tuple(fc.constantFrom(...ZONES), fc.integer({ min: 2021, max: 2036 }), fc.nat({ max: 9 }))
  .map(([zoneName, year, pick]) => {
    const nights = [...changesOf(zoneName, year), Date.UTC(year, 1, 28), Date.UTC(year, 11, 31)];
    return { zoneName, year, night: nights[pick % nights.length]! };
  });
const quarterHours = fc.integer({ min: 0, max: 95 }).map((q) => {
  const [hour, minute] = [Math.floor(q / 4), (q % 4) * 15];
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
});

void t.test(
  'a rotation says the same as a clock on the wall, minute by minute, on nights when clocks change',
  async () => {
    fc.assert(
      fc.property(
        zoneAndNight,
        fc.tuple(
          quarterHours,
          fc.constantFrom(1, 1, 2, 7),
          fc.integer({ min: 1, max: 5 }),
          fc.integer({ min: 0, max: 20 }),
        ),
        ({ zoneName, night }, [time, everyDays, count, daysBefore]) => {
          const since = `${new Date(night - daysBefore * DAY).toISOString().slice(0, 10)} ${time}`;
          const rotation = people.slice(0, count);
          const rule = { kind: 'rotation', everyDays, since: since.replace(' ', 'T'), people: rotation } as const;
          const window = { from: instant(night - DAY), to: instant(night + DAY) };
          const roster = compileRoster(aRoster(zoneName, [rule]), window);
          // The oracle starts before `since`, or it would not see the first turns.
          const start = Math.min(window.from, night - (daysBefore + 2) * DAY);
          for (const { ms, turn } of turnsMinuteByMinute(zoneName, since, everyDays, start, window.to)) {
            if (ms < window.from) continue;
            const expected = turn < 0 ? null : rotation[turn % count]!;
            const result = roster.whoIsOnCall('s' as ServiceId, 'primary', instant(ms));
            const got = result.kind === 'onCall' ? result.answer.person.id : null;
            if (got !== expected) {
              throw new Error(`${zoneName} ${wallByIntl(zoneName, ms)}: said ${got}, the wall says ${expected}`);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  },
);

const aRule = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...people).map((person): RosterRule => ({ kind: 'always', person })) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        everyDays: fc.integer({ min: 1, max: 40 }),
        day: fc.integer({ min: -30, max: 30 }),
        time: quarterHours,
        people: fc.array(fc.constantFrom(...people), { minLength: 1, maxLength: 5 }),
      })
      .map(({ day, time, ...rule }) => ({ kind: 'rotation' as const, day, time, ...rule })),
  },
);

void t.test('shifts tile what the rules cover, and earlier rules stand before later ones', async () => {
  fc.assert(
    fc.property(
      zoneAndNight,
      fc.array(aRule, { maxLength: 4 }),
      fc.array(fc.nat({ max: 40 * 24 * 60 - 1 }), { minLength: 20, maxLength: 20 }),
      ({ zoneName, night }, drawn, minutes) => {
        const rules = drawn.map((rule): RosterRule => {
          if (rule.kind === 'always' || !('day' in rule)) return rule;
          const date = new Date(night + (rule as { day: number }).day * DAY).toISOString().slice(0, 10);
          return { ...rule, since: `${date}T${(rule as unknown as { time: string }).time}` };
        });
        const window = { from: instant(night - 20 * DAY), to: instant(night + 20 * DAY) };
        const home = zone(zoneName);
        const shifts = layOutShifts(rules, home, window);
        for (const [i, shift] of shifts.entries()) {
          if (!(shift.from < shift.to)) throw new Error(`empty shift ${i}`);
          const next = shifts[i + 1];
          if (next && next.from < shift.to) throw new Error(`shifts ${i} and ${i + 1} overlap`);
        }
        const roster = compileRoster(aRoster(zoneName, rules), window);
        for (const minute of minutes) {
          const at = instant(window.from + minute * MINUTE);
          const covering = shifts.filter((shift) => shift.from <= at && at < shift.to);
          const first = rules.findIndex((rule) => {
            return rule.kind === 'always' || (rule.kind === 'rotation' && home.toInstant(wall(rule.since)!) <= at);
          });
          if (covering.length !== (first < 0 ? 0 : 1)) throw new Error(`${covering.length} shifts cover one minute`);
          if (first >= 0 && covering[0]!.rule !== first) throw new Error(`rule ${covering[0]!.rule} before ${first}`);
          const said = roster.whoIsOnCall('s' as ServiceId, 'primary', at);
          if (said.kind === 'outsideWindow') throw new Error('the minute lies in the window');
          if ((said.kind === 'onCall' ? said.answer.person.id : undefined) !== covering[0]?.person) {
            throw new Error('the answer is not the shift that covers the minute');
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});

void t.test('turns keep their order over ten years of changing clocks', async (t) => {
  for (const zoneName of ZONES) {
    for (const time of ['00:00', '01:30', '02:00', '02:30', '03:00']) {
      const rule = { kind: 'rotation', everyDays: 1, since: `2024-01-01T${time}`, people } as const;
      const window = { from: instant(Date.UTC(2025, 0, 1)), to: instant(Date.UTC(2035, 0, 1)) };
      const shifts = layOutShifts([rule], zone(zoneName), window);
      const places = shifts.map((shift) => people.indexOf(shift.person));
      const jumps = places.filter((place, i) => i > 0 && place !== (places[i - 1]! + 1) % people.length);
      const holes = shifts.filter((shift, i) => i > 0 && shift.from !== shifts[i - 1]!.to);
      t.same([jumps, holes], [[], []], `${zoneName} ${time}`);
    }
  }
});

void t.test('wall clocks of core/time are those of Intl', async () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES, 'Pacific/Apia', 'America/Caracas', 'Asia/Tehran'),
      fc.integer({ min: Date.UTC(2000, 0, 1) / MINUTE, max: Date.UTC(2038, 0, 1) / MINUTE }),
      (zoneName, minute) => {
        const ms = minute * MINUTE;
        const shown = zone(zoneName).show(instant(ms));
        if (shown !== wallByIntl(zoneName, ms)) throw new Error(`${zoneName}: ${shown}`);
        const back = zone(zoneName).toInstant(wall(shown)!);
        if (back > ms || zone(zoneName).show(back) !== shown)
          throw new Error('the first occurrence shows the same time');
      },
    ),
    { numRuns: 2_000 },
  );
});

void t.test('F14: a hand-off that the clock jumps over happens at the first instant after the gap', async (t) => {
  const chicago = zone('America/Chicago');
  const at = chicago.toInstant(wall('2026-03-08 02:30')!);
  t.equal(new Date(at).toISOString(), '2026-03-08T08:00:00.000Z');
  t.equal(chicago.show(at), '2026-03-08 03:00');
  const lordHowe = zone('Australia/Lord_Howe');
  t.equal(lordHowe.show(lordHowe.toInstant(wall('2026-10-04 02:15')!)), '2026-10-04 02:30');
  const apia = zone('Pacific/Apia');
  t.equal(apia.show(apia.toInstant(wall('2011-12-30 08:00')!)), '2011-12-31 00:00', 'a day that never was');
});

void t.test('F15: a hand-off that the clock shows twice happens the first time', async (t) => {
  const chicago = zone('America/Chicago');
  t.equal(new Date(chicago.toInstant(wall('2026-11-01 01:30')!)).toISOString(), '2026-11-01T06:30:00.000Z');
  const dublin = zone('Europe/Dublin');
  t.equal(new Date(dublin.toInstant(wall('2026-10-25 01:30')!)).toISOString(), '2026-10-25T00:30:00.000Z');
});

void t.test('F17: outside its window a roster names nobody', async (t) => {
  const window = { from: instant(Date.UTC(2026, 0, 1)), to: instant(Date.UTC(2026, 1, 1)) };
  const roster = compileRoster(aRoster('Europe/Berlin', [{ kind: 'always', person: people[0]! }]), window);
  const ask = (ms: number, tier: DutyTier = 'primary') => roster.whoIsOnCall('s' as ServiceId, tier, instant(ms));
  for (const ms of [0, window.from - 1, window.to, Date.UTC(2038, 0, 19, 3, 14, 8), Date.UTC(2100, 0, 1)]) {
    t.same(ask(ms), { kind: 'outsideWindow', ...window });
  }
  t.equal(ask(window.from).kind, 'onCall');
  t.equal(ask(window.to - 1).kind, 'onCall');
  t.match(ask(window.from, 'attending'), { kind: 'nobodyOnCall', because: 's has no attending' });
});

void t.test('tiers that were laid out ahead answer as those that are asked at once', async (t) => {
  const window = { from: instant(Date.UTC(2026, 9, 1)), to: instant(Date.UTC(2027, 0, 1)) };
  const rules: RosterRule[] = [
    { kind: 'rotation', everyDays: 3, since: '2026-11-10T08:00', people },
    { kind: 'always', person: people[1]! },
  ];
  const [asked, ahead] = [aRoster('America/Chicago', rules), aRoster('America/Chicago', rules)].map((source) =>
    compileRoster(source, window),
  );
  let laidOut = 0;
  while (ahead?.layOutNext()) laidOut++;
  t.equal(laidOut, 1, 'the only tier that has rules');
  for (let at = window.from as number; at < window.to; at += 7 * 3_600_000) {
    for (const tier of ['primary', 'attending'] as const) {
      const answers = [asked, ahead].map((roster) => told(roster?.whoIsOnCall('s' as ServiceId, tier, instant(at))));
      t.same(answers[1], answers[0]);
    }
  }
  t.equal(ahead?.layOutNext(), false);
});
