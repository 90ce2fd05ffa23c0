import type { CompiledPlan } from '../dialplan/index.ts';
import type { CompiledRoster, DutyTier, OnCallResult, PersonId, ServiceId } from '../oncall/index.ts';
import { type Instant, instant, plusDays, plusMs, type Span, type Wall, type Zone, zone } from '../time/index.ts';

/** Time cut where an answer changes. Within a piece every question has one answer. */

export interface DutyPiece extends Span {
  /** [] when nobody holds the tier. */
  readonly people: readonly PersonId[];
}

/** Who holds a tier, from one change to the next: asks the roster itself, as a call would. */
export function dutyPieces(
  roster: CompiledRoster,
  { service, tier }: { readonly service: ServiceId; readonly tier: DutyTier },
  within: Span,
): readonly DutyPiece[] {
  const pieces: DutyPiece[] = [];
  for (let from = within.from; from < within.to; ) {
    const result = roster.whoIsOnCall(service, tier, from);
    const until = changeOf(result) ?? within.to;
    const to = until > from && until < within.to ? until : within.to;
    pieces.push({ from, to, people: peopleOf(result) });
    from = to;
  }
  return pieces;
}

function peopleOf(result: OnCallResult): readonly PersonId[] {
  if (result.kind !== 'onCall') return [];
  return [result.answer, ...(result.also ?? [])].map(({ personId }) => personId);
}

function changeOf(result: OnCallResult): Instant | undefined {
  switch (result.kind) {
    case 'onCall':
      return result.changesAt ?? result.answer.until;
    case 'nobodyOnCall':
      return result.until;
    default:
      return undefined;
  }
}

export interface HoursPiece extends Span {
  readonly isOpen: boolean;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** When opening hours open and close: asks the plan itself, at every minute that could matter. */
export function hoursPieces(plan: CompiledPlan, hours: string, within: Span): readonly HoursPiece[] {
  const home = zone(plan.hoursZone(hours));
  const minutes = new Set([0]);
  const { weekly = [], except = [] } = plan.source.hours.find(({ id }) => id === hours) ?? {};
  for (const day of [...weekly, ...except.flatMap(({ spans }) => spans)]) {
    minutes.add(day.fromMinute);
    minutes.add(day.toMinute);
  }
  const pieces: { from: Instant; to: Instant; isOpen: boolean }[] = [];
  for (const from of momentsOf([...minutes], home, within)) {
    const isOpen = plan.isOpen(hours, from);
    const last = pieces.at(-1);
    if (last) last.to = from;
    if (last?.isOpen === isOpen) last.to = within.to;
    else pieces.push({ from, to: within.to, isOpen });
  }
  return pieces;
}

/** The beginning of the span, these minutes of each local day, and on days whose clocks change every minute. */
function momentsOf(minutes: readonly number[], home: Zone, { from, to }: Span): readonly Instant[] {
  const moments = new Set<number>([from]);
  const first = (Math.floor(home.toWall(from) / DAY_MS) * DAY_MS) as Wall;
  for (let day = first; home.toInstant(day) < to; day = plusDays(day, 1)) {
    const [begins, ends] = [home.toInstant(day), home.toInstant(plusDays(day, 1))];
    if (ends - begins === DAY_MS) {
      for (const minute of minutes) moments.add(home.toInstant((day + minute * MINUTE_MS) as Wall));
    } else {
      for (let at = begins; at < ends; at = plusMs(at, MINUTE_MS)) moments.add(at);
    }
  }
  return [...moments]
    .filter((at) => at >= from && at < to)
    .sort((a, b) => a - b)
    .map(instant);
}
