import { z } from 'zod';
import { choiceBys } from '../../core/dialplan/index.ts';
import { count, digits, duration, id, trunks, wrong } from './words.ts';

const prompt = z.union([
  id('the id of a recorded prompt'),
  z.strictObject({ digits: digits('digits to be read out: {digits: 911}') }),
  z.strictObject({ service: id('a service to be named: {service: cardiology}') }),
  z.strictObject({ spell: digits('letters and digits to be spelled: {spell: 4B}') }),
]);
export const prompts = z
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
export const verbBelow: z.ZodType<WrittenVerb> = z.lazy(() => verb);

export const words = {
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
export const ONE_VERB = `use one of: ${verbWords.join(', ')}`;

const verb: z.ZodType<WrittenVerb> = z
  .strictObject(words)
  .superRefine((written, context) => {
    for (const problem of verbProblems(written)) context.addIssue(problem);
  })
  .meta({ id: 'verb', description: ONE_VERB, minProperties: 1, maxProperties: 1 });

export function verbProblems(written: WrittenVerb) {
  const [first, second] = verbWords.filter((word) => written[word] !== undefined);
  if (first === undefined) return [wrong([], 'nothing is said about what to do', ONE_VERB)];
  if (second === undefined) return [];
  return [wrong([second], `"${first}" and "${second}" exclude each other`, 'keep one, and put the other behind it')];
}
