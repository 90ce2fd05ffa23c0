import { z } from 'zod';
import { count, digits, duration, id, minuteOf, text, weekdays, wrong } from './words.ts';

const prompt = z.union([
  id('the id of a recorded prompt'),
  z.strictObject({ digits: digits('digits to be read out: {digits: 911}') }),
  z.strictObject({ service: id('a service to be named: {service: cardiology}') }),
]);
const prompts = z
  .union([prompt, z.array(prompt)])
  .meta({ description: 'a prompt id, {digits: 911}, {service: cardiology}, or a list of these' });

export type WrittenPrompt = z.infer<typeof prompt>;
export type WrittenPrompts = z.infer<typeof prompts>;

/** What a verb looks like in a file: a map with one of these words. */
export interface WrittenVerb {
  ring?: { extension: string; for: string; otherwise?: WrittenVerb };
  operator?: { for: string; otherwise?: WrittenVerb };
  escalate?: { service: string; urgency: 'stat' | 'urgent' | 'routine' };
  'ask-urgency'?: {
    service: string;
    say?: WrittenPrompts;
    keys: Record<string, 'stat' | 'urgent' | 'routine'>;
    wait: string;
    'no-key': 'stat' | 'urgent' | 'routine';
  };
  menu?: {
    greeting?: WrittenPrompts;
    say: WrittenPrompts;
    keys: Record<string, WrittenVerb>;
    wait: string;
    tries: string;
    'wrong-key'?: WrittenPrompts;
    'no-key'?: WrittenPrompts;
    otherwise: WrittenVerb;
  };
  hours?: { during: string; open: WrittenVerb; closed: WrittenVerb };
  voicemail?: { mailbox: string; urgent?: boolean; greeting?: WrittenPrompts };
  run?: string;
  refuse?: { cause: 'number-not-in-service' | 'not-allowed'; say?: WrittenPrompts };
}

const urgency = z.enum(['stat', 'urgent', 'routine']).meta({ description: 'stat, urgent or routine' });
const serviceId = id('a service of the roster');
const verbBelow: z.ZodType<WrittenVerb> = z.lazy(() => verb);

const words = {
  ring: z
    .strictObject({ extension: digits('an extension: 2101'), for: duration, otherwise: verbBelow.optional() })
    .meta({ description: 'ring: {extension: 2101, for: 20s}' })
    .optional(),
  operator: z
    .strictObject({ for: duration, otherwise: verbBelow.optional() })
    .meta({ description: 'operator: {for: 30s}' })
    .optional(),
  escalate: z
    .strictObject({ service: serviceId, urgency })
    .meta({ description: 'escalate: {service: cardiology, urgency: stat}' })
    .optional(),
  'ask-urgency': z
    .strictObject({
      service: serviceId,
      say: prompts.optional(),
      keys: z.record(z.string(), urgency).meta({ description: 'keys: {"1": stat, "2": urgent, "3": routine}' }),
      wait: duration,
      'no-key': urgency,
    })
    .meta({ description: 'ask-urgency: service, keys, wait and no-key' })
    .optional(),
  menu: z
    .strictObject({
      greeting: prompts.optional(),
      say: prompts,
      keys: z.record(z.string(), verbBelow).meta({ description: 'what each key does: "1": {run: appointments}' }),
      wait: duration,
      tries: count('how often the menu is offered in all: 3'),
      'wrong-key': prompts.optional(),
      'no-key': prompts.optional(),
      otherwise: verbBelow,
    })
    .meta({ description: 'menu: say, keys, wait, tries and otherwise' })
    .optional(),
  hours: z
    .strictObject({ during: id('opening hours by name'), open: verbBelow, closed: verbBelow })
    .meta({ description: 'hours: {during: office, open: …, closed: …}' })
    .optional(),
  voicemail: z
    .strictObject({
      mailbox: id('a mailbox by id'),
      urgent: z.boolean().meta({ description: 'true marks the messages urgent' }).optional(),
      greeting: prompts.optional(),
    })
    .meta({ description: 'voicemail: {mailbox: office}' })
    .optional(),
  run: id('a flow by name').optional(),
  refuse: z
    .strictObject({
      cause: z
        .enum(['number-not-in-service', 'not-allowed'])
        .meta({ description: 'number-not-in-service or not-allowed' }),
      say: prompts.optional(),
    })
    .meta({ description: 'refuse: {cause: not-allowed}' })
    .optional(),
};

export const verbWords = Object.keys(words) as (keyof WrittenVerb)[];
const ONE_VERB = `use one of: ${verbWords.join(', ')}`;

const verb: z.ZodType<WrittenVerb> = z
  .strictObject(words)
  .superRefine((written, context) => {
    for (const problem of verbProblems(written)) context.addIssue(problem);
  })
  .meta({ id: 'verb', description: ONE_VERB, minProperties: 1, maxProperties: 1 });

function verbProblems(written: WrittenVerb) {
  const [first, second] = verbWords.filter((word) => written[word] !== undefined);
  if (first === undefined) return [wrong([], 'nothing is said about what to do', ONE_VERB)];
  if (second === undefined) return [];
  return [wrong([second], `"${first}" and "${second}" exclude each other`, 'keep one, and put the other behind it')];
}

const route = z
  .strictObject({
    from: z.enum(['inside', 'trunk', 'anywhere']).meta({ description: 'who may dial it: inside, trunk or anywhere' }),
    ...words,
  })
  .superRefine((written, context) => {
    for (const problem of verbProblems(written)) context.addIssue(problem);
  })
  .meta({ description: `from, and what it does: ${ONE_VERB}`, minProperties: 2, maxProperties: 2 });

const site = z.strictObject({
  name: text('the name of the hospital'),
  zone: z.string().meta({ description: 'its IANA time zone: America/Chicago' }),
  country: z.string().meta({ description: 'two letters of ISO 3166: US' }),
  operator: digits('the extension of the last human: 1000'),
  trunk: id('the trunk that mobiles are reached by, as the configuration names it'),
  'main-number': digits('the main number with + and country code: "+12025550100"'),
  'ring-for': duration,
});

const extension = z.strictObject({
  name: text('the name as it is shown: Ward 4B'),
  kind: z.enum(['unit', 'person', 'post']).meta({ description: 'unit, person or post' }),
  'name-prompt': z
    .string()
    .regex(/^name-/)
    .meta({ description: 'the prompt that says the name: name-ward-4b' })
    .optional(),
});

const dayHours = z
  .union([z.string(), z.array(z.string())])
  .meta({ description: 'write 08:00-17:00, or a list: [08:00-12:00, 13:00-17:00]' });

const hours = z
  .record(z.string(), dayHours)
  .superRefine((written, context) => {
    for (const [days, spans] of Object.entries(written)) {
      if (weekdaysOf(days) === null) context.addIssue(wrong([days], `"${days}" is no weekday`, 'write mon or mon-fri'));
      for (const span of listOf(spans)) {
        if (minutesOf(span) !== null) continue;
        context.addIssue(wrong([days], `"${span}" is no time of day`, 'write 08:00-17:00; split hours at midnight'));
      }
    }
  })
  .meta({ description: 'hours by weekday: {mon-fri: 08:00-17:00}' });

/** "mon" or "mon-fri" as ISO weekdays; "fri-mon" goes over the week-end. */
export function weekdaysOf(written: string): readonly number[] | null {
  const [from, to = from, ...rest] = written.split('-').map((day) => weekdays.indexOf(day as 'mon'));
  if (from === undefined || to === undefined || rest.length > 0 || from < 0 || to < 0) return null;
  const length = ((to - from + 7) % 7) + 1;
  return Array.from({ length }, (_, i) => ((from + i) % 7) + 1);
}

/** "08:00-17:00" in minutes after midnight. */
export function minutesOf(span: string): { readonly fromMinute: number; readonly toMinute: number } | null {
  const [from, to, ...rest] = span.split('-').map(minuteOf);
  if (typeof from !== 'number' || typeof to !== 'number' || rest.length > 0 || from >= to) return null;
  return { fromMinute: from, toMinute: to };
}

export function listOf<T>(written: T | T[]): T[] {
  return Array.isArray(written) ? written : [written];
}

/** One file of `dialplans/`. All of them together are the plan; `site` stands in exactly one. */
export const planFile = z
  .strictObject({
    site: site.meta({ description: 'name, zone, country, operator, trunk, main-number and ring-for' }).optional(),
    extensions: z.record(z.string(), extension).meta({ description: 'extensions by number' }).optional(),
    mailboxes: z
      .record(
        z.string(),
        z.strictObject({
          name: text('whose mailbox it is'),
          'claimed-by': digits('the extension of whoever listens to the messages and sees to them: 1000').optional(),
        }),
      )
      .meta({ description: 'mailboxes by id' })
      .optional(),
    hours: z.record(z.string(), hours).meta({ description: 'opening hours by name' }).optional(),
    routes: z.record(z.string(), route).meta({ description: 'what each number does' }).optional(),
    flows: z.record(z.string(), verbBelow).meta({ description: 'parts of a plan by name, for run' }).optional(),
  })
  .meta({ title: 'Wardline dialplan', description: 'site, extensions, mailboxes, hours, routes and flows' });

export type PlanFile = z.infer<typeof planFile>;
export type WrittenRoute = z.infer<typeof route>;
