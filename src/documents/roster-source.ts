import {
  type ClinicalService,
  didYouMean,
  type DutyTier,
  dutyTiers,
  type EscalationChain,
  type Person,
  type PersonId,
  type RosterRule,
  type RosterSource,
  type ServiceId,
  type StepTarget,
} from '../core/oncall/index.ts';
import { type Entry, mergeSection, type Written } from './merge.ts';
import type { DocumentProblem } from './problem.ts';
import {
  everyDays,
  firstHandOff,
  type RosterFile,
  type WrittenChain,
  type WrittenService,
} from './schema/roster-file.ts';
import { listOf } from './schema/plan-file.ts';
import { durationMs } from './schema/words.ts';

/** Joins the files of `oncall/` into one roster, in the words of the core. */
export function rosterSource(
  version: string,
  files: readonly Written<RosterFile>[],
  problems: DocumentProblem[],
): RosterSource {
  const section = <K extends 'people' | 'chains' | 'services'>(name: K) =>
    mergeSection<NonNullable<RosterFile[K]>[string]>(
      name,
      files.map(({ file, content }) => ({ file, entries: content[name] as Record<string, never> | undefined })),
      problems,
    );
  const people = [...section('people').values()].map(({ id, written: { staffed, ...written } }): Person => {
    return { id: id as PersonId, ...written, ...(staffed === undefined ? {} : { staffed: true }) };
  });
  const chains = new Map([...section('chains').values()].map((entry) => [entry.id, chainOf(entry)]));
  const zones = new Map(files.map(({ file, content }) => [file, content.zone]));
  const services: ClinicalService[] = [];
  for (const entry of section('services').values()) {
    const service = serviceOf(entry, chains, zones.get(entry.file), problems);
    if (service) services.push(service);
  }
  const zone = [...zones.values()].find((one) => one !== undefined) ?? services[0]?.zone ?? 'UTC';
  return { version, zone, people, services };
}

function chainOf({ id, written }: Entry<WrittenChain>): EscalationChain {
  const steps = written.steps.map((step) => ({
    targets: listOf(step.ring).map(targetOf),
    devices: step.on,
    dwellMs: durationMs(step.for),
  }));
  const within = written.within === undefined ? {} : { withinMs: durationMs(written.within) };
  return {
    id,
    steps,
    ...within,
    lastResort: { kind: 'voicemail', urgent: written['last-resort'] === 'urgent-voicemail' },
  };
}

function targetOf(name: string): StepTarget {
  const tier = dutyTiers.find((one) => one === name);
  return tier === undefined ? { kind: 'person', person: name as PersonId } : { kind: 'tier', tier };
}

function serviceOf(
  { id, file, written }: Entry<WrittenService>,
  chains: ReadonlyMap<string, EscalationChain>,
  zoneOfFile: string | undefined,
  problems: DocumentProblem[],
): ClinicalService | null {
  const refuse = (path: readonly string[], reason: string, remedy: string, suggestion: string | null = null) => {
    const at = file.place(['services', id, ...path], path.length > 0 ? 'value' : 'key');
    problems.push({ file: file.path, ...at, reason, remedy, suggestion });
    return null;
  };
  const chain = (urgency: 'stat' | 'urgent' | 'routine') => {
    const name = written.chains[urgency];
    const remedy = `use one of: ${[...chains.keys()].join(', ')}`;
    return (
      chains.get(name) ??
      refuse(['chains', urgency], `unknown chain "${name}"`, remedy, didYouMean(name, chains.keys()))
    );
  };
  const zone =
    written.zone ?? zoneOfFile ?? refuse([], `${id} has no time zone`, 'add zone: to the file or the service');
  const [stat, urgent, routine] = [chain('stat'), chain('urgent'), chain('routine')];
  if (zone === null || stat === null || urgent === null || routine === null) return null;
  const { name, mailbox } = written;
  return { id: id as ServiceId, name, zone, tiers: tiersOf(written), mailbox, chains: { stat, urgent, routine } };
}

function tiersOf(written: WrittenService): ClinicalService['tiers'] {
  const tiers: Partial<Record<DutyTier, readonly RosterRule[]>> = {};
  for (const tier of dutyTiers) {
    const rules = written[tier];
    if (rules) tiers[tier] = rules.map(ruleOf);
  }
  return tiers;
}

type WrittenRule = NonNullable<WrittenService['primary']>[number];

function ruleOf({ always, rotation, every, handoff, since }: WrittenRule): RosterRule {
  if (always !== undefined) return { kind: 'always', person: always as PersonId };
  // The schema lets nothing else through than a rule with `always` or one with all four of these.
  return {
    kind: 'rotation',
    everyDays: everyDays(every!),
    since: firstHandOff(handoff!, since!),
    people: rotation as PersonId[],
  };
}
