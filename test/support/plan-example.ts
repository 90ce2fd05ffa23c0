import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ladder } from '../../src/core/audit/index.ts';
import type { CompiledPlan } from '../../src/core/dialplan/index.ts';
import type { CompiledRoster, PersonId, ServiceId } from '../../src/core/oncall/index.ts';
import { type Instant, plusMs, wall, zone } from '../../src/core/time/index.ts';
import { compileDocuments, type DocumentFile, showProblem } from '../../src/documents/index.ts';
import { PaperCall } from './paper-phones.ts';

/**
 * An example of the plan language, as an admin can read it: a plan, a call, what happens in the call, and the trace in
 * the words that `wardline call show` uses; or a plan with a fault, and what is said about it.
 */
export interface PlanExample {
  /** What the example shows. */
  readonly says: string;
  /** `none`: the example brings its own site and everything else. */
  readonly house?: 'none';
  readonly plan?: string;
  readonly roster?: string;
  /** Further files of the plan, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly calls?: readonly ExampleCall[];
  readonly refused?: readonly string[];
}

export interface ExampleCall {
  /** Extension that calls, or a trunk: "trunk carrier", "trunk carrier +13125550177". */
  readonly from: string;
  readonly to: string;
  /** On the wall of the home site, "2026-11-23 12:00", which is also the default: a Monday. */
  readonly at?: string;
  readonly unregistered?: readonly string[];
  readonly 'trunk-fault'?: string;
  /** By name of the trunk. */
  readonly 'trunk-faults'?: Readonly<Record<string, string>>;
  readonly 'group-turns'?: number;
  readonly happens?: readonly string[];
  readonly trace: readonly string[];
}

const FOLDER = 'test/conformance/plans';
const house = (name: string): string => readFileSync(join(FOLDER, 'house', name), 'utf8');

/** The recorded prompts, by the file that says their words. */
export const recordedPrompts: ReadonlySet<string> = new Set(
  ['wardline', 'asterisk-core-sounds'].flatMap((set) =>
    Object.keys(parse(readFileSync(`src/mediad/prompts/en/${set}/texts.yaml`, 'utf8')) as Record<string, string>),
  ),
);

export interface Told {
  readonly refused: readonly string[];
  readonly traces: readonly (readonly string[])[];
}

/** Compiles the example and makes its calls, with phones made of paper. */
export function tell(example: PlanExample): Told {
  const { calls = [], files = {} } = example;
  const isAlone = example.house === 'none';
  const documents: DocumentFile[] = [
    { kind: 'roster', path: 'roster.yaml', text: example.roster ?? house('roster.yaml') },
    ...(isAlone ? [] : [{ kind: 'plan' as const, path: 'house.yaml', text: house('plan.yaml') }]),
    ...(example.plan === undefined ? [] : [{ kind: 'plan' as const, path: 'plan.yaml', text: example.plan }]),
    ...Object.entries(files).map(([path, text]) => ({ kind: 'plan' as const, path, text })),
  ];
  const noon = zone('America/Chicago').toInstant(wall('2026-11-23 12:00')!);
  const first = calls[0]?.at === undefined ? noon : zone('America/Chicago').toInstant(wall(calls[0].at)!);
  const window = { from: plusMs(first, -30 * 86_400_000), to: plusMs(first, 30 * 86_400_000) };
  const compiled = compileDocuments(documents, { prompts: recordedPrompts, window });
  if (compiled.kind === 'refused') return { refused: compiled.problems.map(showProblem), traces: [] };
  const { plan, roster } = compiled;
  return { refused: [], traces: calls.map((call) => traceOf(call, plan, roster)) };
}

function traceOf(call: ExampleCall, plan: CompiledPlan, roster: CompiledRoster): readonly string[] {
  const at: Instant = zone(plan.source.zone).toInstant(wall(call.at ?? '2026-11-23 12:00')!);
  const [, trunk, number] = /^trunk (\S+)(?: (\S+))?$/.exec(call.from) ?? [];
  const paper = new PaperCall(call.to, {
    at,
    plan,
    roster,
    unregistered: call.unregistered ?? [],
    groupTurns: call['group-turns'] ?? 0,
    cancelMs: 0,
    isTimed: true,
    doesRing: ringers(call.happens ?? []),
    ...(call['trunk-fault'] === undefined ? {} : { trunkFault: call['trunk-fault'] }),
    ...(call['trunk-faults'] === undefined ? {} : { trunkFaults: call['trunk-faults'] }),
    ...(trunk === undefined ? { from: call.from } : { trunk }),
    ...(number === undefined ? {} : { number }),
  });
  for (const happening of call.happens ?? []) happen(paper, happening);
  const names = {
    person: (id: string) => roster.person(id as PersonId)?.name ?? plan.extension(id)?.name ?? id,
    service: (id: string) => roster.service(id as ServiceId)?.name ?? id,
    mailbox: (id: string) => plan.mailbox(id)?.name ?? id,
    extension: (id: string) => plan.extension(id)?.name ?? null,
  };
  return ladder(paper.facts, names)
    .filter(({ stands }, i) => stands !== 'aside' && i > 0)
    .flatMap(({ afterMs, says }) => says.split('; ').map((line) => `${afterMs / 1_000} s: ${line}`));
}

/** A phone that cannot be reached does not ring before; the first time that a phone is rung its first fate counts. */
function ringers(happens: readonly string[]): (number: string) => boolean {
  const fates = happens.flatMap((happening) => {
    const [, who, what] = /^(\S+) (answers|is busy|declines|gets no line|cannot be reached)$/.exec(happening) ?? [];
    return who === undefined ? [] : [{ who, what }];
  });
  return (number) => {
    const next = fates.findIndex(({ who }) => who === number);
    const fate = next < 0 ? undefined : fates.splice(next, 1)[0];
    return fate?.what !== 'gets no line' && fate?.what !== 'cannot be reached';
  };
}

/** "2102 answers", "+12025550111 presses 4", "the caller keys 2101", "20 s pass", "team answers cardiology". */
function happen(call: PaperCall, happening: string): void {
  const [, who = '', what = ''] = /^(the caller|\d+ s|\S+) (.*)$/.exec(happening) ?? [];
  const [word, detail = ''] = what.split(/ (.*)/);
  if (what === 'pass') return void call.after(Number(who.split(' ')[0]));
  if (who === 'the caller') {
    if (what === 'hangs up') return void call.hangsUp();
    if (word === 'presses' || word === 'keys') return void call.presses(detail);
  }
  if (call.asked?.hook === who) {
    const { token } = call.asked;
    const answer = word === 'answers' ? detail : null;
    return void call.happens({ type: 'lookedUp', token, answer, why: answer === null ? detail : '' });
  }
  const phone = call.phone(who);
  if (what === 'answers') return void phone.answers();
  if (what === 'is busy') return phone.isBusy();
  if (what === 'declines') return phone.declines();
  if (what === 'hangs up') return phone.hangsUp();
  if (what === 'cannot be reached') return phone.fails({ kind: 'unreachable', sipStatus: 408 });
  const { target } = phone.leg;
  if (what === 'gets no line' && target.kind === 'number') {
    return phone.fails({ kind: 'trunkUnavailable', why: `trunk ${target.trunk} answered 503` });
  }
  if (word === 'presses') return void phone.presses(detail);
  throw new Error(`an example says "${happening}", which nobody understands`);
}
