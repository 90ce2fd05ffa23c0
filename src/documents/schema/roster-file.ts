import { z } from 'zod';
import { plusDays, showWall, wall, weekdayOf } from '../../core/time/index.ts';
import { count, digits, duration, id, text, weekdays, wrong } from './words.ts';

const personId = id('name a person by id: dr-ames');

const person = z.strictObject({
  name: text('the name as it is spoken: Dr Ames'),
  desk: digits('the extension of the desk phone: 3101').optional(),
  mobile: digits('the number with + and country code: "+12025550111"').optional(),
  staffed: z
    .enum(['always'])
    .meta({ description: 'staffed: always for a post at which somebody always is' })
    .optional(),
});

const rule = z
  .strictObject({
    always: personId.optional(),
    rotation: z
      .array(personId)
      .meta({ description: 'the people in their order: rotation: [dr-ames, dr-bell]' })
      .optional(),
    every: z
      .union([z.enum(['day', 'week']), z.strictObject({ days: count('a number of days: {days: 3}') })])
      .meta({ description: 'write day, week or {days: 3}' })
      .optional(),
    handoff: z
      .string()
      .regex(/^((mon|tue|wed|thu|fri|sat|sun) )?([01][0-9]|2[0-3]):[0-5][0-9]$/)
      .meta({ description: 'write the wall clock time of the hand-off: "07:00" or "mon 08:00"' })
      .optional(),
    since: z
      .string()
      .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/)
      .meta({ description: 'write the date of the first hand-off: 2026-01-05' })
      .optional(),
  })
  .superRefine((rule, context) => {
    for (const problem of ruleProblems(rule)) context.addIssue(problem);
  })
  .meta({ id: 'rule', description: 'write always: dr-chen, or rotation, every, handoff and since' });

type WrittenRule = {
  always?: string;
  rotation?: string[];
  every?: 'day' | 'week' | { days: string };
  handoff?: string;
  since?: string;
};

function ruleProblems(rule: WrittenRule) {
  const { always, rotation, every, handoff, since } = rule;
  if (always !== undefined) {
    const extra = Object.keys(rule).find((key) => key !== 'always');
    return extra ? [wrong([extra], `"always" and "${extra}" exclude each other`, 'keep one of the two')] : [];
  }
  const missing = (['rotation', 'every', 'handoff', 'since'] as const).find((key) => rule[key] === undefined);
  if (missing) return [wrong([], `"${missing}" is missing`, RULE_FORM)];
  return handOffProblems(everyDays(every!), handoff!, since!, rotation!);
}

const RULE_FORM = 'write always: dr-chen, or all of rotation, every, handoff and since';

function handOffProblems(days: number, handoff: string, since: string, rotation: readonly string[]) {
  const first = wall(since);
  const weekday = weekdays.findIndex((day) => handoff.startsWith(day)) + 1;
  // An unknown date or an empty rotation is the roster's own check.
  if (weekday === 0 || first === null || rotation.length === 0) return [];
  if (days % 7 !== 0) {
    return [wrong(['handoff'], `a hand-off each ${weekdays[weekday - 1]} needs whole weeks`, 'write every: week')];
  }
  if (weekdayOf(first) === weekday) return [];
  const next = showWall(plusDays(first, (weekday - weekdayOf(first) + 7) % 7)).slice(0, 10);
  const is = weekdays[weekdayOf(first) - 1];
  return [wrong(['since'], `${since} is a ${is}, not a ${weekdays[weekday - 1]}`, `use a date such as ${next}`)];
}

export function everyDays(every: 'day' | 'week' | { days: string }): number {
  if (typeof every !== 'string') return Number(every.days);
  return every === 'week' ? 7 : 1;
}

/** "mon 08:00" and "2026-01-05" make "2026-01-05T08:00". */
export function firstHandOff(handoff: string, since: string): string {
  return `${since}T${handoff.slice(-5)}`;
}

const rules = z.array(rule).meta({ description: 'a list of rules; the first that names somebody answers' });

const service = z.strictObject({
  name: text('the name as it is spoken: Cardiology'),
  zone: z.string().meta({ description: 'an IANA time zone such as America/Chicago' }).optional(),
  mailbox: id('a mailbox of the dialplan'),
  primary: rules.optional(),
  backup: rules.optional(),
  attending: rules.optional(),
  chains: z
    .strictObject({ stat: id('a chain by name'), urgent: id('a chain by name'), routine: id('a chain by name') })
    .meta({ description: 'a chain for each of stat, urgent and routine' }),
});

const step = z.strictObject({
  ring: z
    .union([personId, z.array(personId)])
    .meta({ description: 'primary, backup, attending, a person, or a list: [operator, house-supervisor]' }),
  on: z.array(z.enum(['desk', 'mobile'])).meta({ description: 'which phones: [desk], [mobile] or [desk, mobile]' }),
  for: duration,
});

const chain = z.strictObject({
  steps: z.array(step).meta({ description: 'the steps in their order' }),
  within: duration.meta({ description: 'how long it may take to the last resort: 2m' }).optional(),
  'last-resort': z
    .enum(['voicemail', 'urgent-voicemail'])
    .meta({ description: 'where the caller goes when nobody accepted: voicemail or urgent-voicemail' }),
});

/** One file of `oncall/`. All of them together are the roster. */
export const rosterFile = z
  .strictObject({
    zone: z
      .string()
      .meta({ description: 'the IANA time zone of the services in this file: America/Chicago' })
      .optional(),
    people: z.record(z.string(), person).meta({ description: 'people and posts by id' }).optional(),
    chains: z.record(z.string(), chain).meta({ description: 'escalation chains by name' }).optional(),
    services: z.record(z.string(), service).meta({ description: 'clinical services by id' }).optional(),
  })
  .meta({ title: 'Wardline roster', description: 'zone, people, chains and services' });

export type RosterFile = z.infer<typeof rosterFile>;
export type WrittenChain = z.infer<typeof chain>;
export type WrittenService = z.infer<typeof service>;
