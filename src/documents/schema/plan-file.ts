import { z } from 'zod';
import { hours } from './hours-words.ts';
import { ONE_VERB, prompts, verbBelow, verbProblems, words } from './verb-words.ts';
import { count, digits, duration, id, text, trunks } from './words.ts';

const route = z
  .strictObject({
    from: z.enum(['inside', 'trunk', 'anywhere']).meta({ description: 'who may dial it: inside, trunk or anywhere' }),
    ...words,
  })
  .superRefine((written, context) => {
    for (const problem of verbProblems(written)) context.addIssue(problem);
  })
  .meta({ description: `from, and what it does: ${ONE_VERB}`, minProperties: 2, maxProperties: 2 });

/** Patterns of numbers with what is left out and put in front: `"9011!": {strip: 4, add: "+"}`. */
const translations = z
  .record(
    z.string(),
    z.strictObject({
      strip: count('how many digits in front are left out: 1').optional(),
      add: digits('what is put in front: "+1"').optional(),
    }),
  )
  .meta({ description: 'numbers rewritten: {"9011!": {strip: 4, add: "+"}}' });

const siteParts = {
  name: text('the name of the hospital'),
  zone: z.string().meta({ description: 'its IANA time zone: America/Chicago' }),
  country: z.string().meta({ description: 'two letters of ISO 3166: US' }),
  operator: digits('the extension of the last human: 1000'),
  trunk: trunks('the trunk that mobiles are reached by, as the configuration names it; or several: [carrier, backup]'),
  'main-number': digits('the main number with + and country code: "+12025550100"'),
  dialling: translations.optional(),
};

const site = z.strictObject({ ...siteParts, 'ring-for': duration });

const extension = z.strictObject({
  name: text('the name as it is shown: Ward 4B'),
  kind: z.enum(['unit', 'person', 'post']).meta({ description: 'unit, person or post' }),
  'name-prompt': z
    .string()
    .regex(/^name-/)
    .meta({ description: 'the prompt that says the name: name-ward-4b' })
    .optional(),
  unit: id('the unit where the phone stands').optional(),
});

const members = z.array(digits('an extension: 2101')).meta({ description: 'extensions: [2101, 2102]' });

const group = z.strictObject({
  name: text('the name of the group'),
  members,
  order: z.enum(['all', 'sequential', 'round-robin']).meta({ description: 'all, sequential or round-robin' }),
  for: duration,
});

const queue = z.strictObject({
  name: text('the name of the queue'),
  members,
  strategy: z.enum(['all', 'longest-idle', 'round-robin']).meta({ description: 'all, longest-idle or round-robin' }),
  'ring-for': duration,
  'most-wait': duration,
  'most-callers': count('how many may wait: 20'),
  greeting: prompts.optional(),
});

const hook = z.strictObject({
  url: z.string().max(500).meta({ description: 'the address of the program: https://routing.example.org/team' }),
  wait: duration,
  send: z
    .array(z.enum(['dialled', 'caller', 'site', 'unit']))
    .meta({ description: 'what it is told: [dialled, caller, site, unit]' })
    .optional(),
});

const callers = z
  .array(digits('a number, a pattern, or the word anonymous'))
  .meta({ description: 'numbers of callers: ["+1900!", 21xx, anonymous]' });

const template = z.strictObject({
  needs: z.array(id('a word of its own: service')).meta({ description: 'what each use gives: [name, service]' }),
  makes: z
    .record(z.string(), z.unknown())
    .meta({ description: 'sections of a plan, with <service> wherever the value of service stands' }),
});

const use = z.strictObject({
  template: id('a template by id'),
  with: z
    // A prefix or an extension: an editor may take it for an integer.
    .record(
      z.string(),
      z
        .string()
        .max(80)
        .meta({ type: ['string', 'integer'] }),
    )
    .meta({ description: 'the values that the template needs: {service: cardiology}' }),
});

/** The sections that a plan is made of. */
const sections = {
  'of-site': id('the site whose phones alone have the extensions, hours and routes of this file').optional(),
  site: site
    .meta({ description: 'name, zone, country, operator, trunk, main-number and ring-for of the home site' })
    .optional(),
  sites: z.record(z.string(), z.strictObject(siteParts)).meta({ description: 'further sites by id' }).optional(),
  facilities: z
    .record(z.string(), z.strictObject({ name: text('the name of the building'), site: id('its site').optional() }))
    .meta({ description: 'buildings by id' })
    .optional(),
  units: z
    .record(z.string(), z.strictObject({ name: text('the name of the unit'), facility: id('its building').optional() }))
    .meta({ description: 'units by id' })
    .optional(),
  trunks: z
    .record(z.string(), z.strictObject({ incoming: translations.optional(), outgoing: translations.optional() }))
    .meta({ description: 'how each trunk writes numbers, by its name in the configuration' })
    .optional(),
  callers: z.record(z.string(), callers).meta({ description: 'lists of calling numbers by id' }).optional(),
  extensions: z.record(z.string(), extension).meta({ description: 'extensions by number' }).optional(),
  groups: z.record(z.string(), group).meta({ description: 'groups of phones by id' }).optional(),
  queues: z.record(z.string(), queue).meta({ description: 'queues by id' }).optional(),
  hooks: z.record(z.string(), hook).meta({ description: 'programs that are asked, by id' }).optional(),
  mailboxes: z
    .record(
      z.string(),
      z.strictObject({
        name: text('whose mailbox it is'),
        'claimed-by': digits('the extension of whoever listens to the messages and sees to them: 1000').optional(),
        number: digits('what is keyed to open it: 3101').optional(),
        phones: z
          .array(digits('an extension: 2101'))
          .meta({ description: 'extensions whose phones show its lamp and open it: [2101, 2102]' })
          .optional(),
        'open-to': z
          .array(id('a mailbox of a person'))
          .meta({ description: 'mailboxes of people who open it with the PIN of their own: [dr-ames]' })
          .optional(),
        'most-messages': count('how many messages it holds: 100').optional(),
        longest: duration.optional(),
        'keep-days': count('after how many days messages are shredded: 90').optional(),
        notify: z
          .array(
            z.union([
              z.strictObject({ hook: id('a hook'), to: text('whom it is to tell, a number of the staff').optional() }),
              z.strictObject({ email: z.email().meta({ description: 'an address of the staff' }) }),
            ]),
          )
          .max(20)
          .meta({
            description:
              'who is told of each message: [{hook: sms, to: "+12025550111"}, {email: team@hospital.example}]',
          })
          .optional(),
        hours: id('opening hours, outside of which another greeting is played').optional(),
      }),
    )
    .meta({ description: 'mailboxes by id' })
    .optional(),
  hours: z.record(z.string(), hours).meta({ description: 'opening hours by name' }).optional(),
  routes: z.record(z.string(), route).meta({ description: 'what each number does' }).optional(),
  flows: z.record(z.string(), verbBelow).meta({ description: 'parts of a plan by name, for run' }).optional(),
  templates: z.record(z.string(), template).meta({ description: 'sections that are made several times' }).optional(),
  uses: z.record(z.string(), use).meta({ description: 'what templates make, by name' }).optional(),
};

/** One file of `dialplans/`. All of them together are the plan; `site` stands in exactly one. */
export const planFile = z
  .strictObject(sections)
  .meta({ title: 'Wardline dialplan', description: Object.keys(sections).join(', ') });

export type PlanFile = z.infer<typeof planFile>;
export type WrittenRoute = z.infer<typeof route>;
export type WrittenTranslations = z.infer<typeof translations>;

export function listOf<T>(written: T | T[]): T[] {
  return Array.isArray(written) ? written : [written];
}
