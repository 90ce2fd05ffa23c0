import { allTime, cutTo, type Instant, joined, type Span, without, type Zone } from '../time/index.ts';
import { holderOf, holidayTurnsWithin, type Turn, turnsWithin, wallOf } from './hand-offs.ts';
import { spansOfLimits } from './limits.ts';
import { type ShiftOverride, spanInForce } from './override.ts';
import type { Feed, HolidayCalendar, RosterRule } from './rules.ts';
import type { PersonId } from './vocabulary.ts';

/** From hand-off to hand-off: who holds a tier, and by which of its rules (position in the list). */
export interface Shift extends Span {
  readonly person: PersonId;
  readonly rule: number;
  /** Whose turn it is by the rotation; away. */
  readonly insteadOf?: PersonId;
  /** What put the person there, in place of whom the rule names. */
  readonly override?: ShiftOverride;
}

/** What the rules of a tier speak of. */
export interface Surroundings {
  readonly calendar: (id: string) => HolidayCalendar | undefined;
  readonly feed: (id: string) => Feed | undefined;
  /** When no rule may put somebody on call. */
  readonly absences: (person: PersonId) => readonly Span[];
}

const NOTHING: Surroundings = { calendar: () => undefined, feed: () => undefined, absences: () => [] };

/** A rule and the time it is meant for. */
export interface Layer {
  readonly rule: RosterRule;
  readonly within: Span;
  /** No layer behind this one answers in its time. */
  readonly isLast: boolean;
}

/**
 * Lays the rules of one tier out as shifts that touch the window: sorted, never overlapping, without gap wherever a
 * rule names somebody. The first rule that names somebody answers.
 * Shifts keep their true ends also outside the window; `always`, which has none, ends with the window.
 */
export function layOutShifts(rules: readonly RosterRule[], zone: Zone, window: Span, around = NOTHING): Shift[] {
  const layers = rules.map((rule): Layer => ({ rule, within: allTime, isLast: false }));
  return layOutLayers(layers, zone, window, around);
}

export function layOutLayers(layers: readonly Layer[], zone: Zone, window: Span, around: Surroundings): Shift[] {
  const touchesWindow = ({ from, to }: Span) => to > window.from && from < window.to;
  const shifts: Shift[] = [];
  let open: readonly Span[] = [allTime];
  for (const [position, { rule, within, isLast }] of layers.entries()) {
    const mine = within === allTime ? open : cutTo(open, [within]);
    if (!mine.some(touchesWindow)) continue;
    const claims = cutTo(claimsOf(rule, position, zone, window, around), mine).filter(touchesWindow);
    shifts.push(...claims);
    open = without(open, isLast ? [within] : claims);
  }
  return layers.length > 1 ? shifts.sort((a, b) => a.from - b.from) : shifts;
}

function claimsOf(rule: RosterRule, position: number, zone: Zone, window: Span, around: Surroundings): Shift[] {
  const within = (pieces: readonly Turn[]) => {
    const limits =
      rule.kind === 'rotation' || rule.kind === 'hourly' ? spansOfLimits(rule, around.calendar, zone, window) : null;
    return limits === null ? pieces : cutTo(pieces, limits);
  };
  switch (rule.kind) {
    case 'always': {
      const limits = spansOfLimits(rule, around.calendar, zone, window) ?? [window];
      const pieces = limits.map((span) => ({ ...span, person: rule.person, rule: position }));
      return without(pieces, around.absences(rule.person));
    }
    case 'rotation':
    case 'hourly':
      return within(turnsWithin(rule, zone, window)).flatMap((turn) => holders(turn, rule.people, position, around));
    case 'holidays': {
      const calendar = around.calendar(rule.calendar);
      if (calendar === undefined) throw new RangeError(`no such holiday calendar: ${rule.calendar}`);
      const turns = holidayTurnsWithin(rule, calendar, zone, window);
      return turns.flatMap((turn) => holders(turn, rule.people, position, around));
    }
    case 'listed':
      return inOrder(
        rule.shifts.map(({ person, from, until }) => {
          return { person, from: zone.toInstant(wallOf(from)), to: zone.toInstant(wallOf(until)), rule: position };
        }),
        window,
        around,
      );
    case 'feed': {
      const shifts = around.feed(rule.feed)?.shifts ?? [];
      const mine = shifts.filter(({ as }) => rule.as === undefined || as === rule.as);
      return inOrder(
        mine.map(({ person, from, to }) => ({ person, from, to, rule: position })),
        window,
        around,
      );
    }
  }
}

/** Whose turn it is; for whoever is away, the next in the rotation who is not. Nobody, when all are. */
function holders(turn: Turn, people: readonly PersonId[], rule: number, around: Surroundings): Shift[] {
  const place = holderOf(people, turn.turn);
  const due = people[place]!;
  const { from, to } = turn;
  const shifts: Shift[] = [];
  let open: readonly Span[] = [{ from, to }];
  for (let i = 0; i < people.length && open.length > 0; i++) {
    const person = people[(place + i) % people.length]!;
    const absences = around.absences(person);
    if (i === 0 && absences.length === 0) return [{ from, to, person, rule }];
    const here = without(open, absences);
    for (const span of here) shifts.push({ ...span, person, rule, ...(person === due ? {} : { insteadOf: due }) });
    open = without(open, here);
  }
  return shifts.sort((a, b) => a.from - b.from);
}

/** Shifts that came in any order; where two overlap, the one that began first goes on. */
function inOrder(shifts: readonly Shift[], window: Span, { absences }: Surroundings): Shift[] {
  const sorted: Shift[] = [];
  let free = allTime.from;
  for (const shift of shifts.toSorted((a, b) => a.from - b.from)) {
    const from = shift.from > free ? shift.from : free;
    if (from >= shift.to || shift.to <= window.from || shift.from >= window.to) continue;
    sorted.push(...without([{ ...shift, from }], absences(shift.person)));
    free = shift.to;
  }
  return sorted;
}

/** Puts overrides before the rules. `add` has no place in here: it puts nobody off duty. */
export function overridden(
  shifts: readonly Shift[],
  overrides: readonly ShiftOverride[],
  window: Span,
): readonly Shift[] {
  const instead: Shift[] = [];
  for (const override of overrides) {
    const span = spanInForce(override);
    const { in: person, kind } = override;
    if (span === null || person === null || kind === 'add') continue;
    if (kind === 'take') instead.push({ ...span, person, rule: -1, override });
    else {
      const theirs = cutTo(
        shifts.filter((shift) => shift.person === override.out),
        [span],
      );
      instead.push(
        ...theirs.map((shift): Shift => ({ from: shift.from, to: shift.to, rule: shift.rule, person, override })),
      );
    }
  }
  if (instead.length === 0) return shifts;
  const inWindow = instead.filter(({ from, to }) => to > window.from && from < window.to);
  const rest = without(shifts, joined(inWindow));
  return [...rest, ...inWindow].sort((a, b) => a.from - b.from);
}

/** When a person does not count for a tier, because an override has removed them. */
export function removals(overrides: readonly ShiftOverride[], person: PersonId): readonly Span[] {
  const theirs = overrides.filter(({ kind, out }) => kind === 'remove' && out === person);
  return theirs.flatMap((override) => spanInForce(override) ?? []);
}

export function leaveSpans(leave: readonly { from: string; until: string }[], zone: Zone): readonly Span[] {
  return leave.map(({ from, until }): Span => {
    const [start, end]: Instant[] = [from, until].map((text) => zone.toInstant(wallOf(text)));
    return { from: start!, to: end! };
  });
}
