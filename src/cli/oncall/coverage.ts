import {
  coverage,
  type Coverage,
  type CompiledRoster,
  type Duty,
  dutyTiers,
  type ServiceId,
  weeklyCover,
  type WeekCover,
} from '../../core/oncall/index.ts';
import {
  cutTo,
  type Instant,
  instant,
  plusDays,
  plusMs,
  showWall,
  type Wall,
  weekdayOf,
  zone,
} from '../../core/time/index.ts';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import { done, no, Refusal, table } from '../report.ts';
import { siteDocuments } from '../site-documents.ts';
import { instantFrom, siteConfig } from '../site.ts';
import { showTime } from '../site-time.ts';

interface CoverageOptions extends CommonOptions {
  readonly service?: string;
  readonly days: string;
  readonly from?: string;
  readonly calendar?: boolean;
}

const DAY_MS = 86_400_000;
const WEEKS = 52;
const MAX_SHOWN = 50;

/** `wardline oncall coverage`: exit code 1 when somebody who should be on call is nobody. */
export function coverageCommand(oncall: Group, answer: Commands['answer']): void {
  oncall('coverage')
    .description('gaps, double duties and who carries how much; exit code 1 when there is a gap')
    .option('--service <service>', 'only this one')
    .option('--days <count>', 'how far to look exactly, 1 to 120', '90')
    .option('--from <time>', 'from when, as in oncall show --at (default: now)')
    .option('--calendar', 'a calendar in text, day by day, in place of the figures')
    .action(
      answer(async (options: CoverageOptions) => {
        const config = siteConfig(options);
        const days = /^[0-9]{1,3}$/.test(options.days) ? Number(options.days) : 0;
        if (days < 1 || days > 120) throw new Refusal(`--days ${options.days}: use 1 to 120`, 2);
        const today = await siteDocuments(config, instant(Date.now()));
        const from = instantFrom(options.from, today.roster.zone, undefined, '--from');
        const window = { from: plusMs(from, -7 * DAY_MS), to: plusMs(from, (WEEKS + 1) * 7 * DAY_MS) };
        const { roster } = await siteDocuments(config, from, window);
        const only = options.service as ServiceId | undefined;
        if (only !== undefined && roster.service(only) === undefined) throw new Refusal(`there is no service ${only}`);
        const exact = coverage(roster, { from, to: plusMs(from, days * DAY_MS) }, only);
        const weeks = weeklyCover(roster, from, WEEKS, only);
        const text = options.calendar === true ? calendar(roster, exact, only) : figures(roster, exact, weeks);
        const json = asJson(exact, weeks);
        return exact.gaps.length === 0 ? done(text, json) : no(text, json);
      }),
    );
}

function figures(roster: CompiledRoster, exact: Coverage, weeks: readonly WeekCover[]): readonly string[] {
  const days = Math.round((exact.to - exact.from) / DAY_MS);
  const lines = [
    exact.gaps.length === 0
      ? `No gap in the next ${days} days.`
      : `${exact.gaps.length} ${exact.gaps.length === 1 ? 'gap' : 'gaps'} in the next ${days} days:`,
    ...some(exact.gaps.map((gap) => `  ${named(roster, gap)}: nobody ${period(roster, gap)}`)),
  ];
  if (exact.doubleDuties.length > 0) lines.push('One person holds two duties at once:');
  lines.push(
    ...some(
      exact.doubleDuties.map((one) => {
        const duties = one.duties.map((duty) => named(roster, duty)).join(' and ');
        return `  ${one.person.name}: ${duties}, ${period(roster, { ...one, ...one.duties[0]! })}`;
      }),
    ),
  );
  if (exact.sharedDuties.length > 0) lines.push('Several people hold one duty together:');
  lines.push(
    ...some(
      exact.sharedDuties.map((one) => {
        return `  ${named(roster, one)}: ${one.people.map(({ name }) => name).join(', ')}, ${period(roster, one)}`;
      }),
    ),
  );
  const open = weeks.filter(({ gapShare }) => gapShare > 0);
  lines.push(
    open.length === 0 ? `Every week of the next ${WEEKS} is covered.` : `Weeks with gaps, of the next ${WEEKS}:`,
  );
  for (const { from, gapShare, worst } of open.slice(0, MAX_SHOWN)) {
    const most = worst === null ? '' : `, most of it ${named(roster, worst)}`;
    lines.push(`  from ${showTime(from, roster.zone).slice(0, 10)}: ${percent(gapShare)} uncovered${most}`);
  }
  const hours = (ms: number) => (ms / 3_600_000).toFixed(0);
  const rows = exact.load.map((load) => [
    roster.service(load.service)?.name ?? load.service,
    load.tier,
    load.person.name,
    String(load.shifts),
    hours(load.dutyMs),
    hours(load.nightMs),
    hours(load.weekendMs),
    `${load.overMean < 0 ? '' : '+'}${percent(load.overMean)}`,
  ]);
  return [...lines, ...table(['SERVICE', 'TIER', 'WHO', 'DUTIES', 'HOURS', 'NIGHT H', 'WEEK-END H', 'TO MEAN'], rows)];
}

/** Day by day, who is on from when: "Mon 2026-11-23  Dr Bell, 08:00 Dr Ames". */
function calendar(roster: CompiledRoster, exact: Coverage, only?: ServiceId): readonly string[] {
  return roster.services().flatMap((service) => {
    if (only !== undefined && service.id !== only) return [];
    const home = zone(service.zone);
    return dutyTiers.flatMap((tier) => {
      if (service.tiers[tier] === undefined) return [];
      const spans = roster.shifts(service.id, tier);
      const lines = [`${service.name}, ${tier} (${service.zone})`];
      for (let day = midnight(home.toWall(exact.from)); home.toInstant(day) < exact.to; day = plusDays(day, 1)) {
        const today = { from: home.toInstant(day), to: home.toInstant(plusDays(day, 1)) };
        const here = cutTo(spans, [today]);
        const parts: string[] = [];
        let until: Instant = today.from;
        let last = '';
        const from = (at: Instant) => (at === today.from ? '' : `${home.show(at).slice(11)} `);
        for (const span of here) {
          const names = span.people.map(({ person }) => person.name).join(' and ');
          if (span.from > until) parts.push(`${from(until)}NOBODY`);
          // By another rule perhaps, but the phone stays in the same pocket.
          if (span.from > until || names !== last) parts.push(`${from(span.from)}${names}`);
          [until, last] = [span.to, names];
        }
        if (until < today.to) parts.push(`${from(until)}NOBODY`);
        lines.push(`  ${WEEKDAYS[weekdayOf(day) - 1]} ${showWall(day).slice(0, 10)}  ${parts.join(', ')}`);
      }
      return lines;
    });
  });
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function midnight(at: Wall): Wall {
  return (Math.floor(at / DAY_MS) * DAY_MS) as Wall;
}

function named(roster: CompiledRoster, { service, tier }: Duty): string {
  return `${tier} of ${roster.service(service)?.name ?? service}`;
}

function period(
  roster: CompiledRoster,
  { service, from, to }: { service: ServiceId; from: Instant; to: Instant },
): string {
  const zoneName = roster.service(service)?.zone ?? roster.zone;
  return `${showTime(from, zoneName)} to ${showTime(to, zoneName)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(Math.abs(share) < 0.01 && share !== 0 ? 2 : 0)} %`;
}

function some(lines: readonly string[]): readonly string[] {
  return lines.length <= MAX_SHOWN
    ? lines
    : [...lines.slice(0, MAX_SHOWN), `  … and ${lines.length - MAX_SHOWN} more (--json has all)`];
}

function asJson(exact: Coverage, weeks: readonly WeekCover[]) {
  const iso = (at: Instant) => new Date(at).toISOString();
  const span = ({ from, to }: { from: Instant; to: Instant }) => ({ from: iso(from), until: iso(to) });
  return {
    ...span(exact),
    gaps: exact.gaps.map((gap) => ({ service: gap.service, tier: gap.tier, ...span(gap) })),
    doubleDuties: exact.doubleDuties.map((one) => ({ person: one.person.id, duties: one.duties, ...span(one) })),
    sharedDuties: exact.sharedDuties.map((one) => {
      return { service: one.service, tier: one.tier, people: one.people.map(({ id }) => id), ...span(one) };
    }),
    load: exact.load.map(({ person, ...load }) => ({ person: person.id, ...load })),
    weeks: weeks.map((week) => ({ ...span(week), gapShare: week.gapShare })),
  };
}
