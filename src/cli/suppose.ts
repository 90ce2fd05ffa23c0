import { InvalidArgumentError, Option } from 'commander';
import { type CompiledPlan, trunksOf } from '../core/dialplan/index.ts';
import { type CompiledRoster, urgencies, type Urgency } from '../core/oncall/index.ts';
import type { KeyPress, PhoneOutcome } from '../core/simulate/index.ts';
import { Refusal } from './report.ts';

/** What is supposed about the phones and the caller of a simulated call. */
export interface SupposeOptions {
  readonly outcome: readonly string[];
  readonly press: readonly KeyPress[];
  readonly answer: readonly string[];
  readonly urgency?: Urgency;
  readonly unregistered: readonly string[];
  readonly number?: string;
  readonly trunk?: string;
  readonly trunkDown: readonly string[];
}

const again = (value: string, before: readonly string[]) => [...before, value];

export const supposeOptions: readonly Option[] = [
  new Option(
    '--outcome <phone=what>',
    'suppose what a phone does when it rings: answers, machine, declines, busy, no-answer, unreachable or unregistered, and after how long (3101=answers@8s); may be given several times, for one phone in turn',
  )
    .argParser(again)
    .default([], 'every phone rings and nobody answers'),
  new Option('--number <number>', 'the number that a caller from outside shows (default: none)'),
  new Option('--trunk <trunk>', 'the trunk that a call from outside comes by (default: the one of the home site)'),
  new Option(
    '--press <keys>',
    'what the caller presses in the next menu, and after how long (2@4s), or none; may be given several times',
  )
    .argParser((written: string, before: readonly KeyPress[]) => {
      const [, keys, seconds = '0'] = /^([0-9*#]{1,24}|none)(?:@([0-9]{1,2}(?:\.[0-9]{1,3})?)s)?$/.exec(written) ?? [];
      if (keys === undefined) throw new InvalidArgumentError('write keys of 0-9, * and #, or none');
      return [...before, { key: keys === 'none' ? '' : keys, afterMs: Math.round(Number(seconds) * 1000) }];
    })
    .default([], 'each key is tried'),
  new Option(
    '--answer <hook=answer>',
    'what a program of the house answers the next time that it is asked; may be given several times',
  )
    .argParser(again)
    .default([], 'nothing'),
  new Option('--trunk-down <trunk>', 'suppose that this trunk takes no call; may be given several times')
    .argParser(again)
    .default([], 'none'),
  new Option('--urgency <urgency>', 'what the caller says when asked how urgent it is').choices(urgencies),
  new Option(
    '--unregistered <extension>',
    'suppose that no phone of this extension is registered; may be given several times',
  )
    .argParser(again)
    .default([], 'none'),
];

const kinds: Readonly<Record<string, PhoneOutcome['kind']>> = {
  answers: 'answers',
  machine: 'machine',
  declines: 'declines',
  busy: 'busy',
  'no-answer': 'noAnswer',
  unreachable: 'unreachable',
};

/** Throws Refusal for a phone that nobody has and for words that mean nothing. */
export function suppose(options: SupposeOptions, plan: CompiledPlan, roster: CompiledRoster) {
  const unregistered = new Set(options.unregistered);
  const outcomes = new Map<string, PhoneOutcome[]>();
  for (const extension of unregistered) {
    if (plan.extension(extension) !== undefined) continue;
    throw new Refusal(`--unregistered ${extension}: the plan has no such extension`, 2);
  }
  const trunks = [...plan.sites().flatMap(trunksOf), ...(plan.source.trunks ?? []).map(({ trunk }) => trunk)];
  for (const trunk of options.trunkDown) {
    if (!trunks.includes(trunk)) throw new Refusal(`--trunk-down ${trunk}: the plan has no such trunk`, 2);
  }
  const answers = options.answer.map((written) => answerIn(written, plan));
  for (const written of options.outcome) {
    const [, phone = '', what = '', seconds] =
      /^([^=]+)=([a-z-]+)(?:@([0-9]{1,3}(?:\.[0-9]{1,3})?)s)?$/.exec(written) ?? [];
    if (!isPhone(phone, plan, roster)) {
      throw new Refusal(
        `--outcome ${written}: "${phone}" is no extension of the plan and no number with + and country code`,
        2,
      );
    }
    if (what === 'unregistered') {
      unregistered.add(phone);
      continue;
    }
    if (!Object.hasOwn(kinds, what)) {
      const known = [...Object.keys(kinds), 'unregistered'].join(', ');
      throw new Refusal(`--outcome ${written}: write the phone, =, and one of ${known}; 3101=answers@8s`, 2);
    }
    const afterMs = seconds === undefined ? null : Math.round(Number(seconds) * 1000);
    const inTurn = outcomes.get(phone) ?? [];
    inTurn.push({ kind: kinds[what]!, afterMs });
    outcomes.set(phone, inTurn);
  }
  const rings: PhoneOutcome = { kind: 'noAnswer', afterMs: null };
  return {
    isRegistered: (extension: string) => !unregistered.has(extension),
    outcomeOf: (phone: string) => {
      const inTurn = outcomes.get(phone) ?? [];
      // The last one goes on.
      return (inTurn.length > 1 ? inTurn.shift() : inTurn[0]) ?? rings;
    },
    answerOf: (hook: string) => {
      const next = answers.findIndex(([asked]) => asked === hook);
      return next < 0 ? undefined : answers.splice(next, 1)[0]![1];
    },
    trunkFault: (trunk: string) => (options.trunkDown.includes(trunk) ? 'it is supposed to be down' : null),
    number: options.number ?? null,
    ...(options.trunk === undefined ? {} : { trunk: options.trunk }),
    presses: { keys: options.press, urgency: options.urgency ?? null },
    /** One story is asked for, not everything that may happen. */
    isStory: outcomes.size + options.press.length + options.answer.length > 0 || options.urgency !== undefined,
  };
}

function answerIn(written: string, plan: CompiledPlan): readonly [string, string | null] {
  const [, hook = '', answer = ''] = /^([^=]+)=(.*)$/.exec(written) ?? [];
  if (plan.source.hooks?.some(({ id }) => id === hook) === true) return [hook, answer === '' ? null : answer];
  throw new Refusal(`--answer ${written}: write a hook of the plan, = and what it answers`, 2);
}

function isPhone(phone: string, plan: CompiledPlan, roster: CompiledRoster): boolean {
  // A plan may forward to any number.
  if (plan.extension(phone) !== undefined || /^\+[1-9][0-9]{6,14}$/.test(phone)) return true;
  return roster.people().some(({ numbers = {} }) => Object.values(numbers).includes(phone));
}
