import type { CompiledPlan } from '../dialplan/index.ts';
import { type Instant, type Wall, zone } from '../time/index.ts';
import { rulesOf } from './mailboxes.ts';

/** `absence` takes the place of the others for as long as there is one, and not behind its end. */
export type GreetingKind = 'usual' | 'closed' | 'absence';

/** Ids of the sealed recordings of a mailbox. */
export type Greetings = { readonly [K in GreetingKind]?: string } & {
  /** From then on callers hear what they heard before; null or left out: until somebody deletes it. */
  readonly absenceEndsAt?: Instant | null;
};

export const GREETING_NAME = 'greeting-';

/** Longer ones are cut: whoever calls wants to leave a message. */
export const longestGreetingMs = 60_000;
/** Shorter ones are a slip of the finger. */
export const shortestGreetingMs = 1_000;

/** The recording that callers hear now; null: what the house says. */
export function greetingNow(plan: CompiledPlan, mailbox: string, recorded: Greetings, at: Instant): string | null {
  const { hours } = rulesOf(plan, mailbox);
  const isOpen = hours === null || plan.isOpen(hours, at);
  const { absenceEndsAt: endsAt = null } = recorded;
  const absence = endsAt === null || at < endsAt ? recorded.absence : undefined;
  return absence ?? (isOpen ? undefined : recorded.closed) ?? recorded.usual ?? null;
}

const dayMs = 86_400_000;

/**
 * When an absence ends, by keys: one or two digits are days, today being the first; four are month and day of the first day
 * back, the next one that comes. Midnight where the house is. null: no such day.
 */
export function absenceEnd(keyed: string, zoneName: string, at: Instant): Instant | null {
  const here = zone(zoneName);
  const today = Math.floor(here.toWall(at) / dayMs) * dayMs;
  if (/^[1-9]\d?$/.test(keyed)) return here.toInstant((today + Number(keyed) * dayMs) as Wall);
  if (!/^\d{4}$/.test(keyed)) return null;
  const [month, day] = [Number(keyed.slice(0, 2)) - 1, Number(keyed.slice(2))];
  const year = new Date(today).getUTCFullYear();
  // The 29th of February may be up to eight years away; whoever keys it means the next.
  for (let next = year; next <= year + 8; next++) {
    const back = new Date(Date.UTC(next, month, day));
    if (back.getUTCMonth() !== month || back.getUTCDate() !== day || back.getTime() <= today) continue;
    return here.toInstant(back.getTime() as Wall);
  }
  return null;
}
