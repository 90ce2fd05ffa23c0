import type { Limits, PersonId, RosterRule, WeeklyStretch } from '../core/oncall/index.ts';
import { plusDays, showWall, wall } from '../core/time/index.ts';
import { weekdaysOf } from './schema/hours-words.ts';
import { listOf } from './schema/plan-file.ts';
import { firstHandOff, stretchOf, turnOf, type WrittenRule } from './schema/roster-rule.ts';

/** Rules as they are written, in the words of the core. The schema has checked which keys go together. */
export function rulesOf(written: readonly WrittenRule[]): readonly RosterRule[] {
  return written.map(ruleOf);
}

function ruleOf(written: WrittenRule): RosterRule {
  const { always, rotation, every, handoff, since, holidays, hours, shifts, feed, as } = written;
  if (always !== undefined) return { kind: 'always', person: always as PersonId, ...limitsOf(written) };
  if (feed !== undefined) return { kind: 'feed', feed, ...(as === undefined ? {} : { as }) };
  if (shifts !== undefined) {
    const listed = shifts.map(({ who, from, until }) => {
      return { person: who as PersonId, from: wallText(from), until: wallText(until, 'end') };
    });
    return { kind: 'listed', shifts: listed };
  }
  const people = rotation as PersonId[];
  if (holidays !== undefined) {
    return { kind: 'holidays', calendar: holidays, since: since!, people, ...stretchOf(hours!)! };
  }
  const turn = turnOf(every!);
  const shared = { since: firstHandOff(handoff!, since!), people, ...limitsOf(written) };
  if (turn.hours !== undefined) return { kind: 'hourly', everyHours: turn.hours, ...shared };
  return { kind: 'rotation', everyDays: turn.days, ...shared };
}

function limitsOf(written: WrittenRule): Limits {
  const { during, 'on-holidays': only, 'not-on-holidays': never } = written;
  const calendar = only ?? never;
  return {
    ...(during === undefined ? {} : { during: stretchesOf(during) }),
    ...(calendar === undefined ? {} : { holidays: { calendar, answers: only === undefined ? 'never' : 'only' } }),
  };
}

/** {mon-fri: 17:00-08:00} as one stretch for each day. */
export function stretchesOf(during: NonNullable<WrittenRule['during']>): readonly WeeklyStretch[] {
  return Object.entries(during).flatMap(([days, spans]) =>
    (weekdaysOf(days) ?? []).flatMap((weekday) =>
      listOf(spans).flatMap((span) => {
        const stretch = stretchOf(span);
        return stretch === null ? [] : [{ weekday, ...stretch }];
      }),
    ),
  );
}

/** "2026-12-20 08:00" in the form of the core. A date alone is its midnight; as an end, the midnight after it. */
export function wallText(written: string, as: 'beginning' | 'end' = 'beginning'): string {
  const at = wall(written);
  // A date that does not exist is the roster's own check.
  if (at === null || as === 'beginning' || written.length > 10) return written.replace(' ', 'T');
  return showWall(plusDays(at, 1)).replace(' ', 'T');
}
