import { type Instant, instant } from '../time/index.ts';
import type { DutySpan, OnCallAnswer, OnCallResult } from './model.ts';
import { ShiftAnswer } from './shift-answer.ts';
import { holderOf } from './shift-shelf.ts';
import type { AddedDuty, TierShifts } from './tier-shifts.ts';

/** Who is on call at this instant of the window: an index look-up, and no date arithmetic. */
export function whoIsOnCall(tier: TierShifts, at: Instant): OnCallResult {
  const shift = tier.shelf.shiftAt(tier.run.timetable, at);
  if (tier.added !== null) return withAdded(tier, tier.added, shift, at);
  return shift < 0 ? nobody(tier, at) : { kind: 'onCall', answer: answer(tier, shift) };
}

function answer(tier: TierShifts, shift: number): OnCallAnswer {
  return new ShiftAnswer(tier, tier.run.timetable, shift, holderOf(tier.run, shift));
}

/** An override has put people beside the holder; where nobody holds the tier, the first of them does. */
function withAdded(tier: TierShifts, added: readonly AddedDuty[], shift: number, at: Instant): OnCallResult {
  const here = added.filter(({ from, to }) => from <= at && at < to).map((duty) => answerOf(tier, duty));
  const holder = shift < 0 ? [] : [answer(tier, shift)];
  const isHolder = ({ personId }: OnCallAnswer) => holder[0]?.personId === personId;
  const [first, ...also] = [...holder, ...here.filter((one) => !isHolder(one))];
  const changesAt = nextChange(tier, added, at);
  if (first === undefined) return nobody(tier, at, added);
  return {
    kind: 'onCall',
    answer: first,
    ...(also.length > 0 ? { also } : {}),
    ...(changesAt < first.until ? { changesAt } : {}),
  };
}

function answerOf({ tier, zone }: TierShifts, { person, says, from, to }: AddedDuty): OnCallAnswer {
  return { personId: person.id, person, tier, because: says + zone.show(to), since: from, until: to };
}

/** When anybody comes or goes after an instant. */
function nextChange(tier: TierShifts, added: readonly AddedDuty[], at: Instant): Instant {
  const edges = added.flatMap(({ from, to }) => [from, to]).filter((edge) => edge > at);
  return instant(Math.min(...edges, nextBeginning(tier, at) ?? Number.POSITIVE_INFINITY));
}

/** When the next shift after an instant begins; undefined when none does in the window. */
function nextBeginning({ shelf, run }: TierShifts, at: Instant): Instant | undefined {
  for (let shift = 0; shift < shelf.count(run); shift++) {
    const { from } = shelf.shift(run.timetable, shift);
    if (from > at) return from;
  }
  return undefined;
}

function nobody(tier: TierShifts, at: Instant, added: readonly AddedDuty[] = []): OnCallResult {
  const { service, tier: name, hasRules, zone } = tier;
  const begins = [nextBeginning(tier, at), ...added.map(({ from }) => from)].filter(
    (next) => next !== undefined && next > at,
  );
  const next = begins.length === 0 ? undefined : instant(Math.min(...(begins as number[])));
  const because = !hasRules
    ? `${service} has no ${name}`
    : next === undefined
      ? `no rule names a ${name} of ${service} then or later`
      : `the next ${name} of ${service} begins ${zone.show(next)}`;
  return { kind: 'nobodyOnCall', service, tier: name, because, until: next };
}

/** All spans of a tier, cut wherever anybody comes or goes. */
export function dutySpans(tier: TierShifts): readonly DutySpan[] {
  const shifts = Array.from({ length: tier.shelf.count(tier.run) }, (_, shift): DutySpan => {
    const one = answer(tier, shift);
    return { from: one.since, to: one.until, people: [one] };
  });
  if (tier.added === null) return shifts;
  const added = tier.added.map((duty) => answerOf(tier, duty));
  const edges = [
    ...shifts.flatMap(({ from, to }) => [from, to]),
    ...added.flatMap(({ since, until }) => [since, until]),
  ];
  const sorted = [...new Set(edges)].sort((a, b) => a - b);
  return sorted.flatMap((from, i): DutySpan[] => {
    const to = sorted[i + 1];
    if (to === undefined) return [];
    const holder = shifts.find((shift) => shift.from <= from && from < shift.to)?.people ?? [];
    const beside = added.filter((one) => {
      return one.since <= from && from < one.until && one.personId !== holder[0]?.personId;
    });
    const people = [...holder, ...beside];
    return people.length === 0 ? [] : [{ from, to, people }];
  });
}
