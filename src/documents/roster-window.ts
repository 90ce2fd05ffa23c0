import { type Instant, instant, plusMs, type Span } from '../core/time/index.ts';

const DAY_MS = 86_400_000;
const DAYS = { back: 7, ahead: 120 };
/** A clock outside of these was never set: no battery, or a slip of the finger. */
const PLAUSIBLE: Span = { from: instant(Date.UTC(2026, 0, 1)), to: instant(Date.UTC(2100, 0, 1)) };

/**
 * The span a roster is laid out for. With a clock that cannot be right it is empty: every question then answers
 * `outsideWindow`, and the chain goes on to posts and voicemail instead of ringing somebody by a wrong date.
 */
export function rosterWindow(now: Instant): Span {
  if (!isPlausible(now)) return { from: now, to: now };
  return { from: plusMs(now, -DAYS.back * DAY_MS), to: plusMs(now, DAYS.ahead * DAY_MS) };
}

export function isPlausible(now: Instant): boolean {
  return now >= PLAUSIBLE.from && now < PLAUSIBLE.to;
}
