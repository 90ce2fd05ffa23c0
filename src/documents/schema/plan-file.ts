import { z } from 'zod';
import { choiceBys } from '../../core/dialplan/index.ts';
import { hours } from './hours-words.ts';
import { count, digits, duration, id, text, wrong } from './words.ts';

const prompt = z.union([
  id('the id of a recorded prompt'),
  z.strictObject({ digits: digits('digits to be read out: {digits: 911}') }),
  z.strictObject({ service: id('a service to be named: {service: cardiology}') }),
  z.strictObject({ spell: digits('letters and digits to be spelled: {spell: 4B}') }),
]);
const prompts = z
  .union([prompt, z.array(prompt)])
  .meta({ description: 'a prompt id, {digits: 911}, {spell: 4B}, {service: cardiology}, or a list of these' });

export type WrittenPrompt = z.infer<typeof prompt>;
export type WrittenPrompts = z.infer<typeof prompts>;

/** What a verb looks like in a file: a map with one of these words. */
export interface WrittenVerb {
  ring?: { extension: string; for: string; otherwise?: WrittenVerb };
  'ring-group'?: { group: string; otherwise?: WrittenVerb };
  operator?: { site?: string; for: string; otherwise?: WrittenVerb };
  forward?: { to: string; by?: string | string[]; for: string; otherwise?: WrittenVerb };
  transfer?: string;
  queue?: { queue: string; otherwise: WrittenVerb };
  escalate?: { service: string; urgency: 'stat' | 'urgent' | 'routine' };
  'ask-urgency'?: {
    service: string;
    say?: WrittenPrompts;
    keys: Record<string, 'stat' | 'urgent' | 'routine'>;
    wait: string;
    'no-key': 'stat' | 'urgent' | 'routine';
  };
  'set-urgency'?: { to: 'stat' | 'urgent' | 'routine'; then: WrittenVerb };
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
  gather?: {
    say: WrittenPrompts;
    most: string;
    wait: string;
    tries: string;
    wrong?: WrittenPrompts;
    digits: Record<string, WrittenVerb>;
    otherwise: WrittenVerb;
  };
  play?: { prompt: WrittenPrompts; times?: string; then: WrittenVerb };
  say?: { what: WrittenPrompts; then: WrittenVerb };
  hours?: { during: string; open: WrittenVerb; closed: WrittenVerb };
  choose?: {
    by: (typeof choiceBys)[number];
    cases: Record<string, WrittenVerb>;
    otherwise: WrittenVerb;
  };
  lookup?: { hook: string; answers: Record<string, WrittenVerb>; otherwise: WrittenVerb };
  voicemail?: { mailbox: string; urgent?: boolean; greeting?: WrittenPrompts };
  mailbox?: 'own' | 'ask';
  run?: string;
  'hang-up'?: { cause: keyof typeof endings; say?: WrittenPrompts };
  refuse?: { cause: 'number-not-in-service' | 'not-allowed'; say?: WrittenPrompts };
}

/** Causes of `hang-up`, in the words of the core. */
export const endings = {
  busy: 'planBusy',
  congestion: 'planCongested',
  'number-changed': 'planNumberChanged',
  declined: 'planDeclined',
  goodbye: 'planGoodbye',
} as const;

const urgency = z.enum(['stat', 'urgent', 'routine']).meta({ description: 'stat, urgent or routine' });
const serviceId = id('a service of the roster');
const verbBelow: z.ZodType<WrittenVerb> = z.lazy(() => verb);

const MAX_TRUNKS = 4;
const trunks = (how: string) => z.union([id(how), z.array(id(how)).min(1).max(MAX_TRUNKS)]).meta({ description: how });

const words = {
  ring: z
    .strictObject({ extension: digits('an extension: 2101'), for: duration, otherwise: verbBelow.optional() })
    .meta({ description: 'ring: {extension: 2101, for: 20s}' })
    .optional(),
  'ring-group': z
    .strictObject({ group: id('a group of phones by id'), otherwise: verbBelow.optional() })
    .meta({ description: 'ring-group: {group: ward-4b}' })
    .optional(),
  operator: z
    .strictObject({ site: id('a site by id').optional(), for: duration, otherwise: verbBelow.optional() })
    .meta({ description: 'operator: {for: 30s}' })
    .optional(),
  forward: z
    .strictObject({
      to: digits('an outside number with + and country code: "+12025550123", or the word dialled'),
      by: trunks(
        'the trunk, as the configuration names it, or several in order; without it those of the site',
      ).optional(),
      for: duration,
      otherwise: verbBelow.optional(),
    })
    .meta({ description: 'forward: {to: "+12025550123", for: 30s}' })
    .optional(),
  transfer: digits('another number of the plan: 7011').optional(),
  queue: z
    .strictObject({ queue: id('a queue by id'), otherwise: verbBelow })
    .meta({ description: 'queue: {queue: appointments, otherwise: …}' })
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
  'set-urgency': z
    .strictObject({ to: urgency, then: verbBelow })
    .meta({ description: 'set-urgency: {to: stat, then: …}' })
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
  gather: z
    .strictObject({
      say: prompts,
      most: count('how many digits are asked for at most: 4'),
      wait: duration,
      tries: count('how often they are asked for in all: 3'),
      wrong: prompts.optional(),
      digits: z.record(z.string(), verbBelow).meta({ description: 'what digits do: "2xxx": {ring: …}' }),
      otherwise: verbBelow,
    })
    .meta({ description: 'gather: say, most, wait, tries, digits and otherwise' })
    .optional(),
  play: z
    .strictObject({ prompt: prompts, times: count('how often it is played: 2').optional(), then: verbBelow })
    .meta({ description: 'play: {prompt: main-greeting, then: …}' })
    .optional(),
  say: z
    .strictObject({ what: prompts, then: verbBelow })
    .meta({ description: 'say: {what: {digits: 911}, then: …}' })
    .optional(),
  choose: z
    .strictObject({
      by: z.enum(choiceBys).meta({ description: `one of ${choiceBys.join(', ')}` }),
      cases: z.record(z.string(), verbBelow).meta({ description: 'what to do in each case, by its name' }),
      otherwise: verbBelow,
    })
    .meta({ description: 'choose: {by: unit, cases: {icu: …}, otherwise: …}' })
    .optional(),
  lookup: z
    .strictObject({
      hook: id('a hook by id'),
      answers: z.record(z.string(), verbBelow).meta({ description: 'what each answer does, by its word' }),
      otherwise: verbBelow,
    })
    .meta({ description: 'lookup: {hook: treating-team, answers: {cardiology: …}, otherwise: …}' })
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
  mailbox: z.enum(['own', 'ask']).meta({ description: 'mailbox: own, or ask for its number' }).optional(),
  run: id('a flow by name').optional(),
  'hang-up': z
    .strictObject({
      cause: z
        .enum(Object.keys(endings) as [keyof typeof endings])
        .meta({ description: `one of ${Object.keys(endings).join(', ')}` }),
      say: prompts.optional(),
    })
    .meta({ description: 'hang-up: {cause: busy}' })
    .optional(),
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
            z.strictObject({ hook: id('a hook'), to: text('whom it is to tell, a number of the staff').optional() }),
          )
          .max(20)
          .meta({ description: 'programs that are told of each message: [{hook: sms, to: "+12025550111"}]' })
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
