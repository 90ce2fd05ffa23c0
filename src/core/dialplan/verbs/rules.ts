import type { Problems, RosterIndex, ServiceId } from '../../oncall/index.ts';
import type { Instant } from '../../time/index.ts';
import type { CompiledPlan, Prompt, Verb } from '../model.ts';

export type VerbOf<K extends Verb['verb']> = Extract<Verb, { verb: K }>;

/** A verb and its dotted place in the plan: "flows.main-line.keys.2". */
export interface Placed {
  readonly verb: Verb;
  readonly at: string;
}

/** A way on from a verb. `byKey`: only if the caller presses something; every other way is taken without anybody. */
export interface Way extends Placed {
  readonly byKey: boolean;
}

/** The names a plan may use, for the check. */
export interface KnownNames {
  readonly extensions: ReadonlyMap<string, unknown>;
  readonly mailboxes: ReadonlyMap<string, unknown>;
  readonly flows: ReadonlyMap<string, Verb>;
  readonly hours: ReadonlyMap<string, unknown>;
  readonly prompts: ReadonlySet<string>;
  readonly roster: Pick<RosterIndex, 'people' | 'service' | 'services' | 'units'>;
}

/** What the language says about one verb. Each verb has its own file. */
export interface VerbRules<K extends Verb['verb']> {
  /** Adds what is wrong with this verb alone; the verbs behind it are checked by themselves. */
  check(verb: VerbOf<K>, at: string, names: KnownNames, problems: Problems): void;
  ways(verb: VerbOf<K>, at: string): readonly Way[];
  /** In words for a nurse manager: what this verb does with a call at this instant. */
  says(verb: VerbOf<K>, plan: CompiledPlan, at: Instant): string;
}

export function otherwise(verb: Verb | null, at: string): Way[] {
  return verb === null ? [] : [{ verb, at: `${at}.otherwise`, byKey: false }];
}

export function checkTime(ms: number, at: string, problems: Problems, mostMs = 300_000): void {
  if (ms >= 1_000 && ms <= mostMs) return;
  problems.add(at, `${ms / 1000} s is too ${ms < 1_000 ? 'short' : 'long'}`, `use 1s to ${mostMs / 1000}s`);
}

export function checkService(service: string, at: string, names: KnownNames, problems: Problems): void {
  if (names.roster.service(service as ServiceId)) return;
  const known = names.roster.services().map(({ id }) => id);
  problems.unknown(at, 'service', service, known);
}

export function checkPrompts(prompts: readonly Prompt[], at: string, names: KnownNames, problems: Problems): void {
  for (const [i, prompt] of prompts.entries()) checkPrompt(prompt, `${at}.${i}`, names, problems);
}

function checkPrompt(prompt: Prompt, at: string, names: KnownNames, problems: Problems): void {
  if (prompt.say === 'id') {
    if (!names.prompts.has(prompt.id)) problems.unknown(at, 'prompt', prompt.id, names.prompts);
  } else if (prompt.say === 'digits') {
    if (!/^[0-9*#]{1,40}$/.test(prompt.digits)) {
      problems.add(at, `"${prompt.digits}" cannot be read out as digits`, 'use 1 to 40 of 0-9, * and #');
    }
  } else if (prompt.of === 'service') {
    checkService(prompt.id, at, names, problems);
  }
  // Names of people and units are spelled where nothing is recorded.
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

export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

export function named(number: string, name: string | undefined): string {
  return name === undefined ? number : `${number} (${name})`;
}
