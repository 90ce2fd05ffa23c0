import { layOutShifts, type PersonId, type RosterRule } from '../../src/core/oncall/index.ts';
import { instant, zone } from '../../src/core/time/index.ts';
import { DAY_MS, START } from './routing-house.ts';
import { type Percentiles, percentiles, timesOf } from './times.ts';

/** A year of shifts of one schedule, the shape in which goalert publishes its own benchmark: all of them laid out. */
export interface YearResult {
  readonly comparedWith: 'goalert: a year of shifts';
  readonly rule: string;
  readonly shifts: number;
  readonly layOut: Percentiles;
}

export function benchYear(runs = 200): YearResult[] {
  const year = { from: instant(START), to: instant(START + 365 * DAY_MS) };
  const people = ['a', 'b', 'c', 'd', 'e'] as PersonId[];
  const since = '2026-01-05T08:00';
  const during = [1, 2, 3, 4, 5].map((weekday) => ({ weekday, fromMinute: 17 * 60, toMinute: 32 * 60 }));
  const rules: Readonly<Record<string, readonly RosterRule[]>> = {
    weekly: [{ kind: 'rotation', everyDays: 7, since, people }],
    daily: [{ kind: 'rotation', everyDays: 1, since, people }],
    hourly: [{ kind: 'hourly', everyHours: 8, since, people }],
    'nights over days': [
      { kind: 'rotation', everyDays: 1, since, people, during },
      { kind: 'rotation', everyDays: 7, since, people },
    ],
  };
  return Object.entries(rules).map(([rule, layers]) => {
    let shifts = 0;
    const lay = () => {
      const laidOut = layOutShifts(layers, zone('America/Chicago'), year);
      shifts = laidOut.length;
      return String(laidOut[0]?.person);
    };
    timesOf(() => rule, 0, runs, lay);
    const layOut = percentiles(timesOf(() => rule, 0, runs, lay));
    return { comparedWith: 'goalert: a year of shifts', rule, layOut, shifts };
  });
}

export function tellYear(results: readonly YearResult[]): string {
  const rows = results.map(({ rule, shifts, layOut }) => [
    rule,
    String(shifts),
    layOut.p50Us.toFixed(0),
    layOut.p99Us.toFixed(0),
  ]);
  return [["goalert's year", 'shifts', 'p50 µs', 'p99 µs'], ...rows]
    .map((row) => row.map((cell) => cell.padStart(16)).join(' '))
    .join('\n');
}
