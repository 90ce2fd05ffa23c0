import { z } from 'zod';
import { plusDays, showWall, wall, weekdayOf } from '../../core/time/index.ts';
import { weekdaysOf } from './hours-words.ts';
import { listOf } from './plan-file.ts';
import { count, id, minuteOf, text, weekdays, wrong } from './words.ts';

export const personId = id('name a person by id: dr-ames');

const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const DATE_TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9])?$/;

const date = (how: string) => z.string().regex(DATE).meta({ description: how });

/** A period by the clock on the wall. A date alone at its end includes that day. */
export const period = {
  from: z.string().regex(DATE_TIME).meta({ description: 'write 2026-12-20, or with the time 2026-12-20 08:00' }),
  until: z
    .string()
    .regex(DATE_TIME)
    .meta({ description: 'write the last day, 2027-01-02, or the end with its time, 2027-01-02 08:00' }),
};

const shift = z.strictObject({ who: personId, ...period });

const HOURS_FORM = 'write 08:00-17:00; 17:00-08:00 ends on the next day';
const daySpan = z.union([z.string(), z.array(z.string())]).meta({ description: HOURS_FORM });

/** Hours by weekday. Unlike opening hours they may go over midnight. */
export const during = z
  .record(z.string(), daySpan)
  .superRefine((written, context) => {
    for (const [days, spans] of Object.entries(written)) {
      if (weekdaysOf(days) === null) context.addIssue(wrong([days], `"${days}" is no weekday`, 'write mon or mon-fri'));
      for (const span of listOf(spans)) {
        if (stretchOf(span) === null) context.addIssue(wrong([days], `"${span}" is no time of day`, HOURS_FORM));
      }
    }
  })
  .meta({ description: 'hours by weekday: {mon-fri: 17:00-08:00, sat-sun: 08:00-08:00}' });

/** "17:00-08:00" in minutes after midnight of the day it begins on; the same time twice is a whole day. */
export function stretchOf(span: string): { readonly fromMinute: number; readonly toMinute: number } | null {
  const [from, to, ...rest] = span.split('-').map(minuteOf);
  if (typeof from !== 'number' || typeof to !== 'number' || rest.length > 0 || from === 1_440) return null;
  return { fromMinute: from, toMinute: to > from ? to : to + 1_440 };
}

const form = z.strictObject({
  always: personId.optional(),
  rotation: z
    .array(personId)
    .meta({ description: 'the people in their order: rotation: [dr-ames, dr-bell]' })
    .optional(),
  every: z
    .union([
      z.enum(['day', 'week']),
      z.strictObject({ days: count('a number of days: {days: 3}') }),
      z.strictObject({ hours: count('a number of hours: {hours: 12}') }),
    ])
    .meta({ description: 'write day, week, {days: 3} or {hours: 12}' })
    .optional(),
  handoff: z
    .string()
    .regex(/^((mon|tue|wed|thu|fri|sat|sun) )?([01][0-9]|2[0-3]):[0-5][0-9]$/)
    .meta({ description: 'write the wall clock time of the hand-off: "07:00" or "mon 08:00"' })
    .optional(),
  since: date('write the date of the first hand-off: 2026-01-05').optional(),
  holidays: id('a holiday calendar by name: each of its days is a turn').optional(),
  hours: z.string().meta({ description: 'from when on the holiday until when: "08:00-08:00"' }).optional(),
  shifts: z
    .array(shift)
    .meta({ description: 'shifts by hand: [{who: dr-ames, from: 2026-11-21 08:00, until: 2026-11-22 08:00}]' })
    .optional(),
  feed: id('a feed by name: its shifts').optional(),
  as: text('only what the feed calls by this name: Cards Fellow').optional(),
  during: during.optional(),
  'on-holidays': id('a holiday calendar by name: only on its days').optional(),
  'not-on-holidays': id('a holiday calendar by name: never on its days').optional(),
});

export type WrittenRule = z.infer<typeof form>;
type Key = keyof WrittenRule;

/** The first key of each kind says which kind a rule is; what else it needs, and what it may have. */
const kinds: readonly { readonly needs: readonly Key[]; readonly may: readonly Key[] }[] = [
  { needs: ['always'], may: ['during', 'on-holidays', 'not-on-holidays'] },
  { needs: ['shifts'], may: [] },
  { needs: ['feed'], may: ['as'] },
  { needs: ['holidays', 'rotation', 'hours', 'since'], may: [] },
  { needs: ['rotation', 'every', 'handoff', 'since'], may: ['during', 'on-holidays', 'not-on-holidays'] },
];
const RULE_FORM = 'write always: dr-chen, or all of rotation, every, handoff and since';

export const rule = form
  .superRefine((written, context) => {
    for (const problem of ruleProblems(written)) context.addIssue(problem);
  })
  .meta({ id: 'rule', description: 'write always: dr-chen, or rotation, every, handoff and since' });

function ruleProblems(rule: WrittenRule) {
  const keys = Object.keys(rule) as Key[];
  const kind = kinds.find(({ needs }) => rule[needs[0]!] !== undefined) ?? kinds.at(-1)!;
  const extra = keys.find((key) => !kind.needs.includes(key) && !kind.may.includes(key));
  if (extra !== undefined) {
    return [wrong([extra], `"${kind.needs[0]}" and "${extra}" exclude each other`, 'keep one of the two')];
  }
  if (rule['on-holidays'] !== undefined && rule['not-on-holidays'] !== undefined) {
    return [
      wrong(['not-on-holidays'], '"on-holidays" and "not-on-holidays" exclude each other', 'keep one of the two'),
    ];
  }
  const missing = kind.needs.find((key) => rule[key] === undefined);
  if (missing) return [wrong([], `"${missing}" is missing`, RULE_FORM)];
  if (rule.hours !== undefined && stretchOf(rule.hours) === null) {
    return [wrong(['hours'], `"${rule.hours}" is no time of day`, HOURS_FORM)];
  }
  return rule.every === undefined ? [] : handOffProblems(rule.every, rule.handoff!, rule.since!, rule.rotation!);
}

type Every = NonNullable<WrittenRule['every']>;

function handOffProblems(every: Every, handoff: string, since: string, rotation: readonly string[]) {
  const first = wall(since);
  const weekday = weekdays.findIndex((day) => handoff.startsWith(day)) + 1;
  // An unknown date or an empty rotation is the roster's own check.
  if (weekday === 0 || first === null || rotation.length === 0) return [];
  const turn = turnOf(every);
  if (turn.hours !== undefined || turn.days % 7 !== 0) {
    return [wrong(['handoff'], `a hand-off each ${weekdays[weekday - 1]} needs whole weeks`, 'write every: week')];
  }
  if (weekdayOf(first) === weekday) return [];
  const next = showWall(plusDays(first, (weekday - weekdayOf(first) + 7) % 7)).slice(0, 10);
  const is = weekdays[weekdayOf(first) - 1];
  return [wrong(['since'], `${since} is a ${is}, not a ${weekdays[weekday - 1]}`, `use a date such as ${next}`)];
}

export function turnOf(every: Every): { days: number; hours?: undefined } | { hours: number } {
  if (every === 'day' || every === 'week') return { days: every === 'week' ? 7 : 1 };
  return 'hours' in every ? { hours: Number(every.hours) } : { days: Number(every.days) };
}

/** "mon 08:00" and "2026-01-05" make "2026-01-05T08:00". */
export function firstHandOff(handoff: string, since: string): string {
  return `${since}T${handoff.slice(-5)}`;
}
