import {
  type ClinicalService,
  type ContactPreference,
  didYouMean,
  type DutyTier,
  dutyTiers,
  type EscalationChain,
  type Feed,
  type HolidayCalendar,
  type Person,
  type PersonId,
  type RosterRule,
  type RosterSource,
  type ServiceId,
  type Specialty,
  type SpecialtyId,
  type StepTarget,
  type TemporaryRoster,
  type Unit,
  type UnitId,
} from '../core/oncall/index.ts';
import { instant } from '../core/time/index.ts';
import { type Entry, MAX_PLACED, mergeSection, type Written } from './merge.ts';
import type { DocumentProblem } from './problem.ts';
import { rulesOf, wallText, stretchesOf } from './roster-rules.ts';
import { holidayOf } from './schema/holiday-words.ts';
import { listOf } from './schema/plan-file.ts';
import type {
  RosterFile,
  WrittenChain,
  WrittenFeed,
  WrittenPerson,
  WrittenService,
  WrittenTemporary,
  WrittenTiers,
} from './schema/roster-file.ts';
import { durationMs } from './schema/words.ts';

/** Joins the files of `oncall/` into one roster, in the words of the core. */
export function rosterSource(
  version: string,
  files: readonly Written<RosterFile>[],
  problems: DocumentProblem[],
): RosterSource {
  const section = <K extends Exclude<keyof RosterFile, 'zone'>>(name: K) => {
    const parts = files.map(({ file, content }) => ({
      file,
      entries: content[name] as Record<string, never> | undefined,
    }));
    return [...mergeSection<NonNullable<RosterFile[K]>[string]>(name, parts, problems).values()];
  };
  const chains = new Map(section('chains').map((entry) => [entry.id, chainOf(entry)]));
  const zones = new Map(files.map(({ file, content }) => [file, content.zone]));
  const services: ClinicalService[] = [];
  for (const entry of section('services')) {
    const service = serviceOf(entry, chains, zones.get(entry.file), problems);
    if (service) services.push(service);
  }
  const people = section('people').map(personOf);
  return {
    version,
    zone: [...zones.values()].find((one) => one !== undefined) ?? services[0]?.zone ?? 'UTC',
    people,
    services,
    units: section('units').map(({ id, written }): Unit => ({ phones: [], ...written, id: id as UnitId })),
    specialties: section('specialties').map(({ id, written }): Specialty => ({ ...written, id: id as SpecialtyId })),
    holidays: section('holidays').map(({ id, written }): HolidayCalendar => {
      // The schema lets nothing else through than days that can be read.
      return { id, days: written.map(({ date, name = date }) => ({ name, ...holidayOf(date)! })) };
    }),
    temporary: section('temporary').map(temporaryOf),
    feeds: feedsOf(section('feeds'), section('feed-shifts'), new Set(people.map(({ id }) => id))),
  };
}

/** Whoever has left the house since a feed was taken has no shifts any more; the next import asks who is meant. */
function feedsOf(
  declared: readonly Entry<WrittenFeed>[],
  published: readonly Entry<NonNullable<RosterFile['feed-shifts']>[string]>[],
  people: ReadonlySet<string>,
): readonly Feed[] {
  const shiftsOf = new Map(published.map(({ id, written }) => [id, written]));
  return declared.map(({ id }): Feed => {
    const written = shiftsOf.get(id) ?? [];
    const shifts = written
      .filter(({ who }) => people.has(who))
      .map(({ who, from, until, as }) => {
        return { person: who as PersonId, from: instant(Date.parse(from)), to: instant(Date.parse(until)), as };
      });
    return { id, shifts };
  });
}

function personOf({ id, written }: Entry<WrittenPerson>): Person {
  const { prefer, leave, specialty, staffed, ...same } = written;
  return {
    ...same,
    id: id as PersonId,
    ...(specialty === undefined ? {} : { specialty: specialty as SpecialtyId }),
    ...(staffed === undefined ? {} : { staffed: true }),
    ...(prefer === undefined ? {} : { prefers: prefer.map(preferenceOf) }),
    ...(leave === undefined
      ? {}
      : {
          leave: leave.map(({ from, until, kind = 'leave' }) => {
            return { from: wallText(from), until: wallText(until, 'end'), kind };
          }),
        }),
  };
}

function preferenceOf(written: NonNullable<WrittenPerson['prefer']>[number]): ContactPreference {
  const { during, urgency, services, from, ring } = written;
  return {
    ...(during === undefined ? {} : { during: stretchesOf(during) }),
    ...(urgency === undefined ? {} : { urgencies: urgency }),
    ...(services === undefined ? {} : { services: services as ServiceId[] }),
    ...(from === undefined ? {} : { from: from as UnitId[] }),
    contacts: ring,
  };
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

/** "primary", "house/supervisor" or a person. */
function targetOf(name: string): StepTarget {
  const [service, ofService] = name.includes('/') ? name.split('/', 2) : [undefined, name];
  const tier = dutyTiers.find((one) => one === ofService);
  if (tier === undefined) return { kind: 'person', person: name as PersonId };
  return { kind: 'tier', tier, ...(service === undefined ? {} : { service: service as ServiceId }) };
}

function temporaryOf({ id, written }: Entry<WrittenTemporary>): TemporaryRoster {
  const { reason, from, until, gaps = 'usual', services } = written;
  const tiers = Object.entries(services).flatMap(([service, tiers]) =>
    Object.entries(tiersOf(tiers)).map(([tier, rules]) => {
      return { service: service as ServiceId, tier: tier as DutyTier, rules };
    }),
  );
  return { id, reason, from: wallText(from), until: wallText(until, 'end'), gaps, tiers };
}

function serviceOf(
  { id, file, written }: Entry<WrittenService>,
  chains: ReadonlyMap<string, EscalationChain>,
  zoneOfFile: string | undefined,
  problems: DocumentProblem[],
): ClinicalService | null {
  const refuse = (path: readonly string[], reason: string, remedy: string, suggestion: string | null = null) => {
    if (problems.length >= MAX_PLACED) return null;
    const at = file.place(['services', id, ...path], path.length > 0 ? 'value' : 'key');
    problems.push({ file: file.path, ...at, reason, remedy, suggestion });
    return null;
  };
  const chain = (urgency: 'stat' | 'urgent' | 'routine') => {
    const name = written.chains[urgency];
    const known = chains.get(name);
    if (known !== undefined || problems.length >= MAX_PLACED) return known ?? null;
    const remedy = `use one of: ${[...chains.keys()].join(', ')}`;
    return refuse(['chains', urgency], `unknown chain "${name}"`, remedy, didYouMean(name, chains.keys()));
  };
  const zone =
    written.zone ?? zoneOfFile ?? refuse([], `${id} has no time zone`, 'add zone: to the file or the service');
  const [stat, urgent, routine] = [chain('stat'), chain('urgent'), chain('routine')];
  if (zone === null || stat === null || urgent === null || routine === null) return null;
  const { name, mailbox, specialty, units } = written;
  return {
    id: id as ServiceId,
    name,
    zone,
    ...(specialty === undefined ? {} : { specialty: specialty as SpecialtyId }),
    ...(units === undefined ? {} : { units: units as UnitId[] }),
    tiers: tiersOf(written),
    mailbox,
    chains: { stat, urgent, routine },
  };
}

function tiersOf(written: WrittenTiers): ClinicalService['tiers'] {
  const tiers: Partial<Record<DutyTier, readonly RosterRule[]>> = {};
  for (const tier of dutyTiers) {
    const rules = written[tier];
    if (rules) tiers[tier] = rulesOf(rules);
  }
  return tiers;
}
