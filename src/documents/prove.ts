import { type CounterExample, DAYS_AHEAD, type Fault, type House, type Proof, proving } from '../core/prove/index.ts';
import { type Instant, plusMs, type Span, zone } from '../core/time/index.ts';
import { inOneGo } from '../core/steps/index.ts';
import type { LoadResult } from './load.ts';
import type { DocumentProblem } from './problem.ts';

type Good = Extract<LoadResult, { kind: 'ok' }>;

const DAY_MS = 86_400_000;

/** From now on for 90 days; the end of what the roster is laid out for comes first when that is shorter. */
export function provedSpan({ roster }: Pick<Good, 'roster'>, now: Instant): Span {
  const from = now > roster.window.from ? now : roster.window.from;
  const to = plusMs(from, DAYS_AHEAD * DAY_MS);
  return { from, to: to < roster.window.to ? to : roster.window.to };
}

/** The proof of good documents, a little with each `next()`. */
export function provingDocuments(
  { plan, roster }: Pick<Good, 'plan' | 'roster'>,
  now: Instant,
  house: House | null = null,
): Generator<void, Proof> {
  return proving(plan, roster, provedSpan({ roster }, now), house);
}

/** What a version would bring of faults that the one in force does not have; without one, all that it has. */
export function faultsBrought(candidate: Good, inForce: () => Good | null, now: Instant): readonly DocumentProblem[] {
  const proof = inOneGo(provingDocuments(candidate, now));
  const before = proof.faults.length > 0 ? inForce() : null;
  const known = before && inOneGo(provingDocuments(before, now));
  return newFaults(proof, known).map((fault) => problemOf(candidate, fault));
}

/** Faults that a change would bring. What is wrong already is no reason to refuse it: it may be on the way to better. */
function newFaults(proof: Proof, before: Proof | null): readonly Fault[] {
  const known = new Set(before?.faults.map(nameOf));
  return proof.faults.filter((fault) => !known.has(nameOf(fault)));
}

function nameOf({ kind, document, path, reason }: Fault): string {
  return [kind, document, path, reason].join('|');
}

/** A fault as a problem of the documents: its place, what and why, what to do, and a call that shows it. */
export function problemOf({ plan, place }: Pick<Good, 'plan' | 'place'>, fault: Fault): DocumentProblem {
  const { example, times } = fault;
  const home = zone(plan.source.zone);
  const who = example.from === null ? 'a caller from outside' : (plan.extension(example.from)?.name ?? example.from);
  const keys = example.keys.map(({ key }) => (key === '' ? 'nothing' : key)).join(', ');
  const presses = keys === '' ? '' : `, presses ${keys}`;
  const often = times > 1 ? `; so ${times} times in ${DAYS_AHEAD} days` : '';
  const says = `${home.show(example.at)} (${home.name}) ${who} dials ${example.to}${presses}: ${example.path.join(' -> ')}${often}`;
  return { ...place(fault), example: { says, command: commandOf(example) } };
}

/** What tells the call of a counter-example, word for word. */
export function commandOf(example: CounterExample): string {
  const { from, number, trunk, to, at, keys, unregistered, machines, answers } = example;
  const words = [
    'wardline plan simulate',
    ...(from === null ? [] : [`--from ${from}`]),
    ...(number === null ? [] : [`--number ${number}`]),
    ...(trunk === null ? [] : [`--trunk ${trunk}`]),
    `--to ${to}`,
    `--at ${new Date(at).toISOString()}`,
    ...keys.map(
      ({ key, afterMs }) => `--press ${key === '' ? 'none' : `'${key}'`}${afterMs === 0 ? '' : `@${afterMs / 1000}s`}`,
    ),
    ...unregistered.map((phone) => `--outcome ${phone}=unregistered`),
    ...answers.map(({ hook, answer }) => `--answer ${hook}=${answer ?? ''}`),
    ...machines.flatMap(({ phone, afterMs, ringsBefore }) => [
      ...Array.from({ length: ringsBefore }, () => `--outcome ${phone}=no-answer`),
      `--outcome ${phone}=machine@${afterMs / 1000}s`,
    ]),
  ];
  return words.join(' ');
}
