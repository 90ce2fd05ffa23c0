import { z } from 'zod';
import { type DutyTier, onCallRoles } from '../../core/oncall/index.ts';
import { holiday } from '../../core/time/index.ts';
import { during, period, personId, rule } from './roster-rule.ts';
import { isTitleForm } from '../feeds/title.ts';
import { count, digits, duration, id, text, wrong } from './words.ts';

const leave = z.strictObject({ ...period, kind: text('why, in a word: vacation').optional() });

const preference = z.strictObject({
  during: during.optional(),
  urgency: z
    .array(z.enum(['stat', 'urgent', 'routine']))
    .meta({ description: 'for which calls: [urgent, routine]' })
    .optional(),
  services: z.array(id('a service by id')).meta({ description: 'on duty for one of these: [cardiology]' }).optional(),
  from: z.array(id('a unit by id')).meta({ description: 'for calls from these units: [4-west]' }).optional(),
  ring: z.array(id('a phone: desk, mobile or a name in numbers')).meta({ description: 'which phones: ring: [mobile]' }),
});

const person = z.strictObject({
  name: text('the name as it is spoken: Dr Ames'),
  role: z
    .enum(onCallRoles)
    .meta({ description: `what somebody is: ${onCallRoles.join(', ')}` })
    .optional(),
  specialty: id('a specialty by id').optional(),
  desk: digits('the extension of the desk phone: 3101').optional(),
  mobile: digits('the number with + and country code: "+12025550111"').optional(),
  staffed: z
    .enum(['always'])
    .meta({ description: 'staffed: always for a post at which somebody always is' })
    .optional(),
  numbers: z
    .record(z.string(), digits('an extension, or a number with + and country code'))
    .meta({ description: 'further phones by name: {home: "+12025550911"}' })
    .optional(),
  prefer: z
    .array(preference)
    .meta({ description: 'which phones a step with on: [preferred] rings; the first that fits counts' })
    .optional(),
  leave: z
    .array(leave)
    .meta({ description: 'times away: [{from: 2026-12-20, until: 2027-01-02, kind: vacation}]' })
    .optional(),
});

const unit = z.strictObject({
  name: text('the name as it is spoken: 4 West'),
  facility: text('the building or campus').optional(),
  phones: z
    .array(digits('an extension: 2101'))
    .meta({ description: 'the phones of the unit: [2101, 2102]' })
    .optional(),
});

const specialty = z.strictObject({ name: text('the name as it is spoken: Cardiology') });

const holidayOfCalendar = z.strictObject({
  date: z
    .string()
    .refine((written) => holiday(written) !== null, 'this is no day of a calendar')
    .meta({
      description: 'write 2026-12-24, 12-25 for every year, 4th thu of nov, last mon of may, easter or easter + 1',
    }),
  name: text('the name of the day: Christmas').optional(),
});

const rules = z.array(rule).meta({ description: 'a list of rules; the first that names somebody answers' });

const tiers = {
  primary: rules.optional(),
  backup: rules.optional(),
  fellow: rules.optional(),
  attending: rules.optional(),
  supervisor: rules.optional(),
} satisfies Record<DutyTier, unknown>;

const temporary = z.strictObject({
  reason: text('why: holiday season'),
  ...period,
  gaps: z
    .enum(['usual', 'nobody'])
    .meta({ description: 'who answers where this roster names nobody: usual (by the usual rules) or nobody' })
    .optional(),
  services: z
    .record(z.string(), z.strictObject(tiers))
    .meta({ description: 'the rules that count instead: {cardiology: {primary: [{always: dr-chen}]}}' }),
});

const service = z.strictObject({
  name: text('the name as it is spoken: Cardiology'),
  zone: z.string().meta({ description: 'an IANA time zone such as America/Chicago' }).optional(),
  mailbox: id('a mailbox of the dialplan'),
  specialty: id('a specialty by id').optional(),
  units: z.array(id('a unit by id')).meta({ description: 'the units it looks after: [4-west]' }).optional(),
  ...tiers,
  chains: z
    .strictObject({ stat: id('a chain by name'), urgent: id('a chain by name'), routine: id('a chain by name') })
    .meta({ description: 'a chain for each of stat, urgent and routine' }),
});

const step = z.strictObject({
  ring: z.union([personId, z.array(personId)]).meta({
    description:
      'a tier (primary, backup, fellow, attending, supervisor), that of another service (house/supervisor), a person, or a list',
  }),
  on: z
    .array(z.enum(['desk', 'mobile', 'preferred']))
    .meta({ description: 'which phones: [desk], [mobile], [desk, mobile] or [preferred]' }),
  for: duration,
});

const chain = z.strictObject({
  steps: z.array(step).meta({ description: 'the steps in their order' }),
  within: duration.meta({ description: 'how long it may take to the last resort: 2m' }).optional(),
  'last-resort': z
    .enum(['voicemail', 'urgent-voicemail'])
    .meta({ description: 'where the caller goes when nobody accepted: voicemail or urgent-voicemail' }),
});

const column = (what: string) =>
  z
    .string()
    .min(1)
    .max(80)
    .meta({ description: `the column ${what}` });

const feed = z
  .strictObject({
    calendar: z.string().min(1).max(2_000).meta({ description: 'an iCalendar address or file: https://…' }).optional(),
    table: z
      .string()
      .min(1)
      .max(2_000)
      .meta({ description: 'an address or file of comma-separated values' })
      .optional(),
    zone: z.string().meta({ description: 'the IANA zone of times without one' }).optional(),
    names: z
      .record(z.string(), personId)
      .meta({ description: 'the names in the feed and whom they mean: {"Ames, J": dr-ames}' }),
    title: z
      .string()
      .refine(isTitleForm, 'this is no form of a title')
      .meta({ description: 'how the title of an event reads: "{who}", "{as}: {who}" or "{who} - {as}"' })
      .optional(),
    columns: z
      .strictObject({
        who: column('of the name'),
        as: column('of the duty').optional(),
        from: column('of the beginning').optional(),
        until: column('of the end').optional(),
        date: column('of the date').optional(),
        start: column('of the time it begins').optional(),
        stop: column('of the time it ends').optional(),
      })
      .meta({ description: 'columns by name, or by place from 0: {who: Name, date: Date, start: Start, stop: Stop}' })
      .optional(),
    delimiter: z
      .enum([',', ';', 'tab', '|'])
      .meta({ description: 'what stands between two columns: "," ";" "|" or tab' })
      .optional(),
    dates: z
      .enum(['month-first', 'day-first'])
      .meta({ description: 'how 11/12/2026 is read: month-first or day-first' })
      .optional(),
    shrink: count('percent of the next four weeks that may go at once: 30').optional(),
    'stale-after': z
      .string()
      .regex(/^[0-9]{1,4}[hd]$/)
      .meta({ description: 'how old it may be: 36h or 14d' })
      .optional(),
  })
  .superRefine((written, context) => {
    const { calendar, table, columns: { from, until, date, start, stop } = {} } = written;
    if ((calendar === undefined) === (table === undefined)) {
      context.addIssue(wrong([], 'a feed is either a calendar or a table', 'write calendar: or table:'));
    }
    const isTimed =
      (from !== undefined && until !== undefined) || [date, start, stop].every((one) => one !== undefined);
    if (table !== undefined && !isTimed) {
      const remedy = 'write columns: with from and until, or with date, start and stop';
      context.addIssue(wrong([], 'nothing says when a shift of the table is', remedy));
    }
  });

const MOMENT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/;
const moment = z.string().regex(MOMENT).meta({ description: 'write it as 2026-11-22T13:00:00.000Z' });
const feedShift = z.strictObject({ who: personId, from: moment, until: moment, as: z.string().max(200) });

/** One file of `oncall/`. All of them together are the roster. */
export const rosterFile = z
  .strictObject({
    zone: z
      .string()
      .meta({ description: 'the IANA time zone of the services in this file: America/Chicago' })
      .optional(),
    units: z.record(z.string(), unit).meta({ description: 'wards and departments by id' }).optional(),
    specialties: z.record(z.string(), specialty).meta({ description: 'specialties by id' }).optional(),
    holidays: z
      .record(
        z.string(),
        z.array(holidayOfCalendar).meta({ description: 'a list of days: [{date: 12-25, name: Christmas}]' }),
      )
      .meta({ description: 'holiday calendars by name' })
      .optional(),
    temporary: z
      .record(z.string(), temporary)
      .meta({ description: 'rosters that count for a while, by name' })
      .optional(),
    feeds: z.record(z.string(), feed).meta({ description: 'rosters that other systems publish, by name' }).optional(),
    'feed-shifts': z
      .record(z.string(), z.array(feedShift))
      .meta({ description: 'what was published last; oncall import writes it' })
      .optional(),
    people: z.record(z.string(), person).meta({ description: 'people and posts by id' }).optional(),
    chains: z.record(z.string(), chain).meta({ description: 'escalation chains by name' }).optional(),
    services: z.record(z.string(), service).meta({ description: 'clinical services by id' }).optional(),
  })
  .meta({ title: 'Wardline roster', description: 'zone, people, chains, services and what they need' });

export type RosterFile = z.infer<typeof rosterFile>;
export type WrittenChain = z.infer<typeof chain>;
export type WrittenService = z.infer<typeof service>;
export type WrittenPerson = z.infer<typeof person>;
export type WrittenTemporary = z.infer<typeof temporary>;
export type WrittenTiers = z.infer<z.ZodObject<typeof tiers>>;
export type WrittenFeed = z.infer<typeof feed>;
