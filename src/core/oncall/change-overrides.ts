import { type Instant, instant, type Span, zone } from '../time/index.ts';
import type { CompiledRoster } from './model.ts';
import { type OverrideKind, type ShiftOverride, spanInForce } from './override.ts';
import type { DutyTier, PersonId, ServiceId } from './vocabulary.ts';

/** What somebody asks for. Spans of a swap: `from` … `to` is the shift of `out`, `other` that of `in`. */
export interface OverrideRequest {
  readonly kind: OverrideKind;
  readonly service: ServiceId;
  readonly tier: DutyTier;
  readonly span: Span;
  readonly other?: Span;
  readonly out: PersonId | null;
  readonly in: PersonId | null;
  readonly author: string;
  readonly reason: string;
}

/** What becomes of the rows: they are only ever added, accepted and ended. */
export interface OverrideChange {
  readonly add: readonly ShiftOverride[];
  readonly accept: readonly { readonly id: number; readonly at: Instant; readonly by: string }[];
  readonly end: readonly {
    readonly id: number;
    readonly at: Instant;
    readonly by: string;
    readonly for: number | null;
  }[];
}

export type OverrideDecision =
  | { readonly kind: 'change'; readonly change: OverrideChange }
  | { readonly kind: 'refused'; readonly because: string; readonly remedy: string };

export interface OverrideSituation {
  /** With all overrides there are. */
  readonly roster: CompiledRoster;
  readonly now: Instant;
}

const DAY_MS = 86_400_000;
const MAX = { days: 366, text: 200, author: 80 };

/** A new override, or what is in its way. Nothing that has begun is changed before now. */
export function makeOverride(request: OverrideRequest, { roster, now }: OverrideSituation): OverrideDecision {
  const fault = faultIn(request, roster, now);
  if (fault !== null) return fault;
  const id = nextId(roster.overrides);
  const isSwap = request.kind === 'swap';
  const row = (more: Pick<ShiftOverride, 'id' | 'from' | 'to' | 'out' | 'in'>): ShiftOverride => ({
    kind: request.kind,
    service: request.service,
    tier: request.tier,
    author: request.author,
    reason: request.reason,
    madeAt: now,
    swap: isSwap ? id : null,
    // A swap waits for the other's yes.
    acceptedAt: isSwap ? null : now,
    acceptedBy: isSwap ? null : request.author,
    ...NOT_ENDED,
    ...more,
  });
  const { span, other, out, in: person } = request;
  const add = [row({ id, from: later(span.from, now), to: span.to, out, in: person })];
  if (other) add.push(row({ id: id + 1, from: later(other.from, now), to: other.to, out: person, in: out }));
  if (request.kind === 'take') return takeOver(add[0]!, roster.overrides);
  // Whoever is not on duty any more because of another override is told of that one.
  const rival = findRival(add, roster.overrides);
  if (rival !== null) return inTheWay(rival, roster);
  return notOnDuty(request, roster) ?? { kind: 'change', change: { add, accept: [], end: [] } };
}

/** The other side says yes to a swap. */
export function acceptSwap(swap: number, by: string, { roster, now }: OverrideSituation): OverrideDecision {
  const halves = roster.overrides.filter((one) => one.swap === swap);
  const fault = openSwapFault(halves, swap, now);
  if (fault !== null) return fault;
  const rival = findRival(halves, roster.overrides);
  if (rival !== null) return inTheWay(rival, roster);
  return { kind: 'change', change: { add: [], accept: halves.map(({ id }) => ({ id, at: now, by })), end: [] } };
}

/** Undoes an override, or declines a swap; from now on, the past stays. What it took the place of counts again. */
export function endOverride(id: number, by: string, { roster, now }: OverrideSituation): OverrideDecision {
  const asked = roster.overrides.find((one) => one.id === id);
  if (asked === undefined) return refused(`there is no override ${id}`, 'look for its number with override list');
  const rows = asked.swap === null ? [asked] : roster.overrides.filter((one) => one.swap === asked.swap);
  if (asked.endedAt !== null && asked.endedAt <= now)
    return refused(`override ${id} was ended by ${asked.endedBy}`, 'nothing is left to undo');
  if (rows.every(({ to }) => to <= now)) return refused(`override ${id} is over`, 'the past is not changed');
  let next = nextId(roster.overrides);
  const others = roster.overrides.filter((one) => !rows.includes(one));
  const again = roster.overrides
    .filter((one) => one.endedFor === id && one.to > now)
    .map((one): ShiftOverride => {
      const from = later(later(one.from, one.endedAt ?? now), now);
      return {
        ...one,
        ...NOT_ENDED,
        id: next++,
        from,
        to: earlier(one.to, asked.to),
        acceptedAt: now,
        swap: null,
        kind: one.kind === 'swap' ? 'replace' : one.kind,
      };
    })
    .filter((one) => one.from < one.to && findRival([one], others) === null);
  const end = rows.map((row) => ({ id: row.id, at: now, by, for: null }));
  return { kind: 'change', change: { add: again, accept: [], end } };
}

/** The rows after a change. */
export function applyChange(rows: readonly ShiftOverride[], { add, accept, end }: OverrideChange): ShiftOverride[] {
  const changed = rows.map((row): ShiftOverride => {
    const yes = accept.find(({ id }) => id === row.id);
    const no = end.find(({ id }) => id === row.id);
    return {
      ...row,
      ...(yes ? { acceptedAt: yes.at, acceptedBy: yes.by } : {}),
      ...(no ? { endedAt: no.at, endedBy: no.by, endedFor: no.for } : {}),
    };
  });
  return [...changed, ...add];
}

const NOT_ENDED = { endedAt: null, endedBy: null, endedFor: null } as const;

/** Whoever takes a shift now does not ask whose it was: overrides in the way end where it begins. */
function takeOver(take: ShiftOverride, rows: readonly ShiftOverride[]): OverrideDecision {
  const rivals = rows.filter((row) => isRival(take, row));
  let next = take.id + 1;
  const end = rivals.map(({ id, from }) => ({ id, at: later(from, take.from), by: take.author, for: take.id }));
  const goOn = rivals
    .filter((row) => spanInForce(row)!.to > take.to)
    .map(
      (row): ShiftOverride => ({
        ...row,
        id: next++,
        from: take.to,
        to: spanInForce(row)!.to,
        swap: null,
        kind: row.kind === 'swap' ? 'replace' : row.kind,
        ...NOT_ENDED,
      }),
    );
  return { kind: 'change', change: { add: [take, ...goOn], accept: [], end } };
}

function findRival(rows: readonly ShiftOverride[], all: readonly ShiftOverride[]): ShiftOverride | null {
  for (const row of rows) {
    const rival = all.find((one) => one.id !== row.id && isRival(row, one));
    if (rival) return rival;
  }
  return null;
}

/** Two that nobody could obey both: at the same time they put off, or put on, the same person of the same tier. */
function isRival(row: ShiftOverride, other: ShiftOverride): boolean {
  if (row.service !== other.service || row.tier !== other.tier) return false;
  const span = spanInForce(other);
  if (span === null || span.from >= row.to || row.from >= span.to) return false;
  const putsOff = ({ kind, out }: ShiftOverride) => kind === 'take' || out !== null;
  const isSame = (a: PersonId | null, b: PersonId | null) => a !== null && a === b;
  if (row.kind === 'take' || other.kind === 'take') {
    return (putsOff(row) && putsOff(other)) || isSame(row.in, other.in);
  }
  return (
    isSame(row.out, other.out) || isSame(row.in, other.in) || isSame(row.in, other.out) || isSame(row.out, other.in)
  );
}

function faultIn(request: OverrideRequest, roster: CompiledRoster, now: Instant): OverrideDecision | null {
  const { service, span, other, author, reason } = request;
  if (roster.service(service) === undefined)
    return refused(`there is no service ${service}`, 'look for it with oncall list');
  for (const id of [request.out, request.in]) {
    if (id !== null && roster.person(id) === undefined)
      return refused(`there is no person ${id}`, 'use an id of oncall/');
  }
  if (request.out !== null && request.out === request.in)
    return refused('that is the same person twice', 'name two people');
  if (!isShortText(reason, MAX.text))
    return refused('an override needs a reason', `say why, in at most ${MAX.text} letters`);
  if (!isShortText(author, MAX.author))
    return refused('an override needs an author', `name one, in at most ${MAX.author} letters`);
  for (const one of other ? [span, other] : [span]) {
    if (one.from >= one.to) return refused('it ends before it begins', 'give a later end');
    if (one.to <= now) return refused('it is over before it begins', 'who was on call in the past is not changed');
    if (one.to - one.from > MAX.days * DAY_MS)
      return refused('it lasts longer than a year', 'change the roster instead');
  }
  // A window reaches far enough ahead to see whose shift it is; beyond it, nobody could check that.
  if (later(span.from, now) >= roster.window.to) {
    return refused('the roster is not laid out so far ahead', `make it nearer to the time, or change the roster`);
  }
  return null;
}

/** Only who is on duty can be put off it. */
function notOnDuty(
  { service, tier, span, other, ...request }: OverrideRequest,
  roster: CompiledRoster,
): OverrideDecision | null {
  const halves: readonly (readonly [PersonId | null, Span])[] = [
    [request.out, span],
    ...(other ? [[request.in, other] as const] : []),
  ];
  for (const [person, when] of halves) {
    if (person === null || isOnDuty(roster, service, tier, person, when)) continue;
    const home = zone(roster.service(service)!.zone);
    const said = `${roster.person(person)!.name} is not ${tier} between ${home.show(when.from)} and ${home.show(when.to)}`;
    return refused(said, 'look who is with oncall show, or use add or take');
  }
  return null;
}

function isOnDuty(roster: CompiledRoster, service: ServiceId, tier: DutyTier, id: PersonId, when: Span): boolean {
  return roster.shifts(service, tier).some(({ from, to, people }) => {
    return from < when.to && to > when.from && people.some(({ personId }) => personId === id);
  });
}

function openSwapFault(halves: readonly ShiftOverride[], swap: number, now: Instant): OverrideDecision | null {
  if (halves.length === 0) return refused(`there is no swap ${swap}`, 'look for its number with override list');
  const { endedAt, endedBy, acceptedBy } = halves[0]!;
  if (endedAt !== null) return refused(`swap ${swap} was declined by ${endedBy}`, 'propose it again');
  if (acceptedBy !== null) return refused(`swap ${swap} was accepted by ${acceptedBy}`, 'nothing is left to accept');
  if (halves.some(({ to }) => to <= now)) return refused(`a shift of swap ${swap} is over`, 'propose another one');
  return null;
}

function inTheWay({ id, author, from, to, service }: ShiftOverride, roster: CompiledRoster): OverrideDecision {
  const home = zone(roster.service(service)?.zone ?? roster.zone);
  const when = `${home.show(from)} to ${home.show(to)}`;
  return refused(`override ${id} of ${author}, ${when}, is in the way`, `undo it first, or use take`);
}

function refused(because: string, remedy: string): OverrideDecision {
  return { kind: 'refused', because, remedy };
}

function isShortText(text: string, most: number): boolean {
  // No control characters: it is shown in lists and written to the audit, line by line.
  return text.trim() !== '' && text.length <= most && !/\p{C}/u.test(text);
}

function nextId(rows: readonly ShiftOverride[]): number {
  return rows.reduce((most, { id }) => Math.max(most, id), 0) + 1;
}

function later(a: Instant, b: Instant): Instant {
  return instant(Math.max(a, b));
}

function earlier(a: Instant, b: Instant): Instant {
  return instant(Math.min(a, b));
}
