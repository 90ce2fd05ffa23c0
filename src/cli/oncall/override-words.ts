import {
  type CompiledRoster,
  coverage,
  isInForce,
  type PersonId,
  type ShiftOverride,
} from '../../core/oncall/index.ts';
import { type Instant, without } from '../../core/time/index.ts';
import { showTime } from '../site-time.ts';
import { zoneOf } from './override-place.ts';

/** Said at once: whoever takes somebody off duty should know when that leaves nobody. */
export function gapsAfter(row: ShiftOverride, roster: CompiledRoster): readonly string[] {
  const gaps = without([{ from: row.from, to: row.to }], roster.shifts(row.service, row.tier));
  return gaps.slice(0, 5).map(({ from, to }) => `NOBODY is ${row.tier} then: ${when({ ...row, from, to }, roster)}`);
}

/** Said at once: a chain that goes on to somebody who was rung already rings nobody new. */
export function doublesAfter(row: ShiftOverride, roster: CompiledRoster): readonly string[] {
  if (!isInForce(row)) return [];
  const { service, tier } = row;
  const { doubleDuties } = coverage(roster, { from: row.from, to: row.to }, service);
  const own = doubleDuties.filter(({ person, duties }) => {
    return person.id === row.in && duties.some((duty) => duty.service === service && duty.tier === tier);
  });
  return own.slice(0, 5).map(({ person, duties, from, to }) => {
    const both = duties.map((duty) => `${duty.tier} of ${roster.service(duty.service)?.name ?? duty.service}`);
    return `BOTH AT ONCE: ${person.name} is ${both.join(' and ')}, ${when({ ...row, from, to }, roster)}`;
  });
}

/** "12: Dr Chen is on call for Dr Ames, primary of Cardiology, 2026-11-22 07:00 to …; R. Okafor: ill" */
export function told(row: ShiftOverride, roster: CompiledRoster): string {
  return `${row.id}: ${what(row, roster)}, ${row.tier} of ${roster.service(row.service)?.name ?? row.service}, ${when(row, roster)}; ${row.author}: ${row.reason} [${stateOf(row)}]`;
}

export function what({ kind, out, in: into }: ShiftOverride, roster: CompiledRoster): string {
  const name = (id: PersonId | null) => (id === null ? '' : (roster.person(id)?.name ?? id));
  switch (kind) {
    case 'add':
      return `${name(into)} is on call as well`;
    case 'remove':
      return `${name(out)} is not on call`;
    case 'take':
      return `${name(into)} is on call`;
    default:
      return `${name(into)} is on call for ${name(out)}`;
  }
}

export function when({ service, from, to }: ShiftOverride, roster: CompiledRoster): string {
  const zoneName = zoneOf(roster, { service });
  return `${showTime(from, zoneName)} to ${showTime(to, zoneName)}`;
}

export function stateOf(row: ShiftOverride): string {
  if (row.endedAt !== null) return row.acceptedAt === null ? `declined by ${row.endedBy}` : `ended by ${row.endedBy}`;
  return row.acceptedAt === null ? 'proposed' : 'in force';
}

export function asJson(row: ShiftOverride) {
  const iso = (at: Instant | null) => (at === null ? null : new Date(at).toISOString());
  const { id, kind, service, tier, out, in: into, author, reason, swap } = row;
  return {
    id,
    kind,
    service,
    tier,
    from: iso(row.from),
    until: iso(row.to),
    out,
    in: into,
    author,
    reason,
    swap,
    madeAt: iso(row.madeAt),
    acceptedAt: iso(row.acceptedAt),
    acceptedBy: row.acceptedBy,
    endedAt: iso(row.endedAt),
    endedBy: row.endedBy,
  };
}
