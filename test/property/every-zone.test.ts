import t from 'tap';
import {
  compileRoster,
  type ClinicalService,
  type CompiledRoster,
  type PersonId,
  type RosterSource,
  type ServiceId,
} from '../../src/core/oncall/index.ts';
import { instant, showWall, type Wall } from '../../src/core/time/index.ts';

/**
 * Who is on call on the nights when clocks change, in every zone that Intl knows, from 2020 to 2037: walked in steps of
 * 30 s. What the wall shows is asked from Intl, which shares nothing with core/time; who should be on call is counted
 * from that alone. EVERY_CLOCK_CHANGE=1 takes every change and every quarter of an hour, EVERY_CLOCK_CHANGE=3/8 those of
 * the third eighth of the zones; otherwise each zone has a few.
 */
const [PART, PARTS] = (process.env['EVERY_CLOCK_CHANGE'] ?? '0').split('/').map(Number) as [number, number?];
const FULL = PART > 0;
const CHANGES_PER_ZONE = FULL ? Number.POSITIVE_INFINITY : 1;
const YEARS = { first: 2020, last: 2037 };
const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
const STEP = 30 * SECOND;

interface Clock {
  /** What the wall shows, as milliseconds since it showed 1970. */
  wall(ms: number): number;
}

function clockByIntl(zoneName: string): Clock {
  const format = new Intl.DateTimeFormat('en-US-u-hc-h23', {
    timeZone: zoneName,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return {
    wall(ms) {
      // "11/01/2026, 01:30:00"
      const shown = format.format(ms);
      const part = (from: number, to: number) => Number(shown.slice(from, to));
      return Date.UTC(part(6, 10), part(0, 2) - 1, part(3, 5), part(12, 14), part(15, 17), part(18, 20));
    },
  };
}

/** Instants at which the offset changes: looked at every nine days, then halved. */
function changesOf(clock: Clock): number[] {
  const offset = (ms: number) => clock.wall(ms) - ms;
  const changes: number[] = [];
  for (let low = Date.UTC(YEARS.first, 0, 1); low < Date.UTC(YEARS.last + 1, 0, 1); low += 9 * DAY) {
    let [from, to] = [low, low + 9 * DAY];
    if (offset(from) === offset(to)) continue;
    while (to - from > MINUTE) {
      const middle = from + Math.floor((to - from) / 2 / MINUTE) * MINUTE;
      if (offset(middle) === offset(from)) from = middle;
      else to = middle;
    }
    changes.push(to);
  }
  return changes;
}

const people = ['a', 'b', 'c'] as PersonId[];
const chain = { id: 'c', steps: [], lastResort: { kind: 'voicemail', urgent: false } } as const;
const ALL_WEEK = [1, 2, 3, 4, 5, 6, 7];
const SHIFT_MINUTES = 8 * 60;

/** A service for each hand-off time: turns of a day, turns of five hours, and eight hours of each day. */
function rosterFor(zoneName: string, change: number, sinces: readonly number[]): CompiledRoster {
  const services = sinces.map((since, i): ClinicalService => {
    const first = showWall(since as Wall).replace(' ', 'T');
    const fromMinute = Math.floor((since % DAY) / MINUTE);
    const during = ALL_WEEK.map((weekday) => ({ weekday, fromMinute, toMinute: fromMinute + SHIFT_MINUTES }));
    return {
      id: `s${i}` as ServiceId,
      name: 'S',
      zone: zoneName,
      mailbox: 'm',
      chains: { stat: chain, urgent: chain, routine: chain },
      tiers: {
        primary: [{ kind: 'rotation', everyDays: 1, since: first, people }],
        backup: [{ kind: 'hourly', everyHours: 5, since: first, people }],
        attending: [{ kind: 'always', person: people[0]!, during }],
      },
    };
  });
  const source: RosterSource = {
    version: 'v',
    zone: zoneName,
    people: people.map((id) => ({ id, name: id, mobile: '+12025550111' })),
    services,
  };
  return compileRoster(source, { from: instant(change - 3 * DAY), to: instant(change + 3 * DAY) });
}

/** Hand-off times in the quarters of an hour around the change, as the wall shows them three days before. */
function handOffsAround(clock: Clock, change: number, pick: number): number[] {
  const [before, after] = [clock.wall(change - STEP), clock.wall(change)];
  const [low, high] = [Math.min(before, after), Math.max(before, after)];
  const quarter = (wall: number) => Math.floor(wall / (15 * MINUTE)) * 15 * MINUTE - 3 * DAY;
  const near: number[] = [];
  for (let wall = quarter(low); wall <= quarter(high) + 30 * MINUTE; wall += 15 * MINUTE) near.push(wall);
  if (FULL) return Array.from({ length: 96 }, (_, i) => Math.floor(quarter(low) / DAY) * DAY + i * 15 * MINUTE);
  const others = [7, 31].map((step) => Math.floor(quarter(low) / DAY) * DAY + ((pick * step) % 96) * 15 * MINUTE);
  return [...near.slice(0, 7), ...others];
}

/** Every instant of the walk, and every rule: the first that is answered wrongly, in words. */
function firstFault(zoneName: string, clock: Clock, change: number, pick: number): string | null {
  const sinces = handOffsAround(clock, change, pick);
  const roster = rosterFor(zoneName, change, sinces);
  const mod = (a: number, b: number) => ((a % b) + b) % b;
  // The furthest the wall has ever shown: what is shown twice is not reached twice, what is skipped is reached at once.
  let reached = clock.wall(change - 5 * HOUR);
  for (let ms = change - 5 * HOUR; ms <= change + 5 * HOUR; ms += STEP) {
    reached = Math.max(reached, clock.wall(ms));
    for (const [i, since] of sinces.entries()) {
      const who = (tier: 'primary' | 'backup' | 'attending') => {
        const result = roster.whoIsOnCall(`s${i}` as ServiceId, tier, instant(ms));
        return result.kind === 'onCall' ? result.answer.person.id : null;
      };
      const turn = (lengthMs: number) => people[mod(Math.floor((reached - since) / lengthMs), people.length)];
      const expected = [
        turn(DAY),
        turn(5 * HOUR),
        mod(reached - since, DAY) < SHIFT_MINUTES * MINUTE ? people[0]! : null,
      ];
      const said = [who('primary'), who('backup'), who('attending')];
      if (said.join() === expected.join()) continue;
      return `${zoneName} ${new Date(ms).toISOString()}, hand-off ${showWall(since as Wall)}: ${said.join()}, the wall says ${expected.join()}`;
    }
  }
  return null;
}

void t.test(
  'on nights when clocks change the wall decides, in every zone until 2037',
  { timeout: FULL ? 0 : 120_000 },
  async (t) => {
    const zones = Intl.supportedValuesOf('timeZone');
    t.ok(zones.length > 400, `${zones.length} zones`);
    const faults: string[] = [];
    let walked = 0;
    for (const [i, zoneName] of zones.entries()) {
      if (PARTS !== undefined && i % PARTS !== PART - 1) continue;
      const clock = clockByIntl(zoneName);
      const changes = changesOf(clock);
      // Another change and other hand-offs for each zone, the same in every run.
      const first = changes.length === 0 ? 0 : (i * 7) % changes.length;
      for (const [j, change] of [...changes.slice(first), ...changes.slice(0, first)].entries()) {
        if (j >= CHANGES_PER_ZONE) break;
        const fault = firstFault(zoneName, clock, change, i);
        if (fault !== null) faults.push(fault);
        walked++;
      }
    }
    t.comment(`${walked} changes walked`);
    t.same(faults.slice(0, 5), []);
    t.ok(walked > (PARTS === undefined ? 100 : 0), `${walked} changes walked`);
  },
);
