import { readFileSync } from 'node:fs';
import {
  acceptSwap,
  applyChange,
  type CompiledRoster,
  dutyTiers,
  endOverride,
  type FeedShift,
  makeOverride,
  type OverrideDecision,
  type OverrideKind,
  type PersonId,
  type ServiceId,
} from '../../src/core/oncall/index.ts';
import { type Instant, isZone, plusMs, type Span, wall, zone } from '../../src/core/time/index.ts';
import { compileDocuments, type DocumentFile, showProblem } from '../../src/documents/index.ts';
import { feedDocument } from '../../src/documents/feeds/index.ts';
import { recordedPrompts } from './plan-example.ts';

/**
 * An example of a roster, as whoever makes the duty plan can read it: the roster, what people changed by hand, and who
 * is on call when, in the words that `wardline oncall who` uses; or a roster with a fault, and what is said about it.
 */
export interface RosterExample {
  readonly says: string;
  /** As it could stand in a file of oncall/, beside the people and chains of `house/people.yaml`. */
  readonly roster: string;
  /** By feed, what another system published: "2026-11-23 08:00 to 2026-11-24 08:00 dr-ames as Reading Room". */
  readonly published?: Readonly<Record<string, readonly string[]>>;
  /** In their order: "2026-11-22 06:10 R. Okafor: take cardiology primary dr-bell, 2026-11-22 08:00 to 2026-11-22 20:00". */
  readonly overrides?: readonly string[];
  /** "2026-11-23 07:59 cardiology primary Dr Bell: weekly rotation …", by the clock of the service. */
  readonly answers?: readonly string[];
  readonly refused?: readonly string[];
}

export interface Answered {
  readonly refused: readonly string[];
  /** The lines of `answers`, as they should be. */
  readonly answers: readonly string[];
}

const FOLDER = 'test/conformance/plans/house';
const DAY_MS = 86_400_000;

export function ask({ roster: text, published = {}, overrides = [], answers = [] }: RosterExample): Answered {
  const named = /^zone: (\S+)/m.exec(text)?.[1] ?? '';
  const home = zone(isZone(named) ? named : 'America/Chicago');
  const at = (written: string): Instant => home.toInstant(wall(written)!);
  const first = at(/\d{4}-\d{2}-\d{2}/.exec(answers[0] ?? overrides[0] ?? '')?.[0] ?? '2026-11-23');
  const feeds = Object.entries(published).map(([feed, lines]) =>
    feedDocument(
      feed,
      lines.map((line) => shiftOf(line, at)),
      first,
    ),
  );
  const documents: readonly DocumentFile[] = [
    { kind: 'plan', path: 'plan.yaml', text: readFileSync(`${FOLDER}/plan.yaml`, 'utf8') },
    { kind: 'roster', path: 'people.yaml', text: readFileSync(`${FOLDER}/people.yaml`, 'utf8') },
    { kind: 'roster', path: 'roster.yaml', text },
    ...feeds,
  ];
  const window = { from: plusMs(first, -100 * DAY_MS), to: plusMs(first, 400 * DAY_MS) };
  const compiled = compileDocuments(documents, { prompts: recordedPrompts, window });
  if (compiled.kind === 'refused') return { refused: compiled.problems.map(showProblem), answers: [] };
  let { roster } = compiled;
  const refused: string[] = [];
  for (const line of overrides) {
    const decision = decide(line, roster, at);
    if (decision.kind === 'refused') refused.push(`${line}: ${decision.because} (${decision.remedy})`);
    else roster = roster.withOverrides(applyChange(roster.overrides, decision.change));
  }
  return { refused, answers: answers.map((line) => answer(line, roster)) };
}

function answer(line: string, roster: CompiledRoster): string {
  const [, when = '', service = '', tier] = /^(\S+ \S+) +(\S+) (\S+)/.exec(line) ?? [];
  const found = dutyTiers.find((one) => one === tier);
  const known = roster.service(service as ServiceId);
  if (found === undefined || known === undefined) throw new Error(`what is this? ${line}`);
  const result = roster.whoIsOnCall(known.id, found, zone(known.zone).toInstant(wall(when)!));
  const head = `${when} ${service} ${tier}`;
  if (result.kind !== 'onCall') return `${head} nobody: ${result.kind === 'nobodyOnCall' ? result.because : 'outside'}`;
  const people = [result.answer, ...(result.also ?? [])].map(({ person, because }) => `${person.name}: ${because}`);
  return `${head} ${people.join(' + ')}`;
}

function shiftOf(line: string, at: (written: string) => Instant): FeedShift {
  const [, from = '', to = '', who = '', as = ''] = /^(\S+ \S+) to (\S+ \S+) (\S+)(?: as (.*))?$/.exec(line) ?? [];
  return { from: at(from), to: at(to), person: who as PersonId, as };
}

/** "… take cardiology primary dr-bell, FROM to UNTIL", "… swap cardiology primary dr-ames dr-bell, FROM to UNTIL for FROM to UNTIL", "… undo 1". */
function decide(line: string, roster: CompiledRoster, at: (written: string) => Instant): OverrideDecision {
  const [, made = '', author = '', what = ''] = /^(\S+ \S+) ([^:]+): (.*)$/.exec(line) ?? [];
  const situation = { roster, now: at(made) };
  const [, act, number] = /^(undo|accept) (\d+)$/.exec(what) ?? [];
  if (act === 'undo') return endOverride(Number(number), author, situation);
  if (act === 'accept') return acceptSwap(Number(number), author, situation);
  const [, kind = '', service = '', tier = '', names = '', span = '', other] =
    /^(\w+) (\S+) (\S+) ([^,]+), (.*? to \S+ \S+)(?: for (.*))?$/.exec(what) ?? [];
  const [one, two] = names.split(' ') as PersonId[];
  const spanOf = (written: string): Span => {
    const [from = '', to = ''] = written.split(' to ');
    return { from: at(from), to: at(to) };
  };
  const people = {
    add: { out: null, in: one! },
    take: { out: null, in: one! },
    remove: { out: one!, in: null },
    replace: { out: one!, in: two! },
    swap: { out: one!, in: two! },
  }[kind];
  if (people === undefined) throw new Error(`what is this? ${line}`);
  return makeOverride(
    {
      kind: kind as OverrideKind,
      service: service as ServiceId,
      tier: dutyTiers.find((name) => name === tier)!,
      span: spanOf(span),
      ...(other === undefined ? {} : { other: spanOf(other) }),
      ...people,
      author,
      reason: 'as the example says',
    },
    situation,
  );
}
