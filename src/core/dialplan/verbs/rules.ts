import { isE164, type Problems, type RosterIndex, type ServiceId } from '../../oncall/index.ts';
import type { About, CompiledPlan } from '../model.ts';
import { KEYED, type Prompt, type Verb } from '../verb.ts';

export type VerbOf<K extends Verb['verb']> = Extract<Verb, { verb: K }>;

/** A verb and its dotted place in the plan: "flows.main-line.keys.2". */
export interface Placed {
  readonly verb: Verb;
  readonly at: string;
}

/**
 * A way on from a verb. `byKey`: only if the caller presses something; every other way is taken without anybody.
 * `when` says in a word or two when it is taken: "key 2", "closed", "otherwise".
 */
export interface Way extends Placed {
  readonly byKey: boolean;
  readonly when: string;
}

/** The names a plan may use, for the check. */
export interface KnownNames {
  readonly extensions: ReadonlyMap<string, unknown>;
  readonly mailboxes: ReadonlyMap<string, unknown>;
  readonly flows: ReadonlyMap<string, Verb>;
  readonly hours: ReadonlyMap<string, unknown>;
  readonly sites: ReadonlyMap<string, unknown>;
  readonly trunks: ReadonlySet<string>;
  readonly facilities: ReadonlyMap<string, unknown>;
  readonly units: ReadonlyMap<string, unknown>;
  readonly callers: ReadonlyMap<string, unknown>;
  readonly groups: ReadonlyMap<string, unknown>;
  readonly queues: ReadonlyMap<string, unknown>;
  readonly hooks: ReadonlyMap<string, unknown>;
  readonly prompts: ReadonlySet<string>;
  /** Whether an inside phone that dials the number gets somewhere. */
  readonly isRouted: (number: string) => boolean;
  readonly roster: Pick<RosterIndex, 'people' | 'service' | 'services' | 'serviceIds' | 'placeOf' | 'units'>;
}

/** What the language says about one verb. Each verb has its own file. */
export interface VerbRules<K extends Verb['verb']> {
  /** Adds what is wrong with this verb alone; the verbs behind it are checked by themselves. */
  check(verb: VerbOf<K>, at: string, names: KnownNames, problems: Problems): void;
  ways(verb: VerbOf<K>, at: string): readonly Way[];
  /** In words for a nurse manager: what this verb does with a call. */
  says(verb: VerbOf<K>, plan: CompiledPlan, about: About): string;
  /** In as few words as a menu needs: "ring 2101". */
  brief(verb: VerbOf<K>): string;
}

export function otherwise(verb: Verb | null, at: string): Way[] {
  return verb === null ? [] : [next('otherwise', verb, at)];
}

/** A way that is taken without anybody; `when` is also its place below the verb. */
export function next(when: string, verb: Verb, at: string): Way {
  return { verb, at: `${at}.${when}`, byKey: false, when };
}

export function waysOfCases(section: string, cases: Readonly<Record<string, Verb>>, at: string, byKey = false): Way[] {
  return Object.entries(cases).map(([name, verb]) => {
    return { verb, at: `${at}.${section}.${name}`, byKey, when: byKey ? `key ${name}` : name };
  });
}

export function checkTime(ms: number, at: string, problems: Problems, mostMs = 300_000): void {
  if (ms >= 1_000 && ms <= mostMs) return;
  problems.add(at, `${ms / 1000} s is too ${ms < 1_000 ? 'short' : 'long'}`, `use 1s to ${mostMs / 1000}s`);
}

/** One of the things that a section of the plan defines. */
export function checkName(
  kind: string,
  name: string,
  known: ReadonlyMap<string, unknown> | ReadonlySet<string>,
  at: string,
  problems: Problems,
): void {
  if (!known.has(name)) problems.unknown(at, kind, name, known.keys());
}

/** An extension, or what was keyed: whether that is one is seen when it is keyed. */
export function checkExtension(extension: string, at: string, names: KnownNames, problems: Problems): void {
  if (extension === KEYED) checkBehindGather(at, problems);
  else checkName('extension', extension, names.extensions, at, problems);
}

export function checkBehindGather(at: string, problems: Problems): void {
  if (/\.digits\.[^.]+\.[a-z]+$/.test(at)) return;
  problems.add(at, `"${KEYED}" stands for digits that nobody has asked for here`, 'use it right behind a gather');
}

export function checkE164(number: string, at: string, problems: Problems): void {
  if (isE164(number)) return;
  const remedy = 'write it with + and the country code, without spaces: "+12025550100"';
  problems.add(at, `${number} is not an E.164 number`, remedy);
}

export function checkService(service: string, at: string, names: KnownNames, problems: Problems): void {
  if (names.roster.service(service as ServiceId)) return;
  const known = names.roster.services().map(({ id }) => id);
  problems.unknown(at, 'service', service, known);
}

export function checkPrompts(prompts: readonly Prompt[], at: string, names: KnownNames, problems: Problems): void {
  for (const [i, prompt] of prompts.entries()) checkPrompt(prompt, `${at}.${i}`, names, problems);
}

/** What a caller has to hear before anything can be expected of them. */
export function checkSaid(prompts: readonly Prompt[], at: string, what: string, problems: Problems): void {
  if (prompts.length === 0) problems.add(at, `${what} says nothing`, 'name a prompt: main-menu');
}

function checkPrompt(prompt: Prompt, at: string, names: KnownNames, problems: Problems): void {
  switch (prompt.say) {
    case 'id':
      if (!names.prompts.has(prompt.id)) problems.unknown(at, 'prompt', prompt.id, names.prompts);
      return;
    case 'digits':
      if (/^[0-9*#]{1,40}$/.test(prompt.digits)) return;
      problems.add(at, `"${prompt.digits}" cannot be read out as digits`, 'use 1 to 40 of 0-9, * and #');
      return;
    case 'letters':
      if (/^[A-Za-z0-9]{1,20}$/.test(prompt.letters)) return;
      problems.add(at, `"${prompt.letters}" cannot be spelled`, 'use 1 to 20 letters and digits: 4B');
      return;
    default:
      // Names of people and units are spelled where nothing is recorded.
      if (prompt.of === 'service') checkService(prompt.id, at, names, problems);
  }
}

const KEYS = /^[0-9*#]$/;

export function checkKeys(keys: Readonly<Record<string, unknown>>, at: string, problems: Problems): void {
  const names = Object.keys(keys);
  if (names.length === 0) problems.add(at, 'the menu has no keys', 'add at least one: "1": …');
  for (const key of names) {
    if (KEYS.test(key)) continue;
    problems.add(`${at}.${key}`, `"${key}" is not a key of a telephone`, 'use one of 0-9, "*" and "#"', { on: 'key' });
  }
}

export function checkTries(tries: number, at: string, problems: Problems): void {
  if (Number.isInteger(tries) && tries >= 1 && tries <= MAX_TRIES) return;
  problems.add(at, `a question that is asked ${tries} times`, `use 1 to ${MAX_TRIES}`);
}

const MAX_TRIES = 10;

export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

export function named(number: string, name: string | undefined): string {
  return name === undefined ? number : `${number} (${name})`;
}

/** For the words of a trace: the prompts by name. */
export function promptWords(prompts: readonly Prompt[]): string {
  return prompts
    .map((prompt) => {
      switch (prompt.say) {
        case 'id':
          return prompt.id;
        case 'digits':
          return `the digits ${prompt.digits}`;
        case 'letters':
          return `the letters ${prompt.letters}`;
        default:
          return prompt.text;
      }
    })
    .join(', ');
}
