import type { AppConnection } from './control/app-connection.ts';

/** What is older says nothing: an app that hangs is looked after by others, and its calls wait for it. */
const freshMs = 1_000;
const longestMs = 3_600_000;

/** The latest of those that have said how late they are. */
export function appLateMs(apps: Iterable<AppConnection>, nowMs: number): number {
  let lateMs = 0;
  for (const { load } of apps)
    if (load !== undefined && nowMs - load.atMs < freshMs) lateMs = Math.max(lateMs, load.lateMs);
  return lateMs;
}

/** `app` says how late it is; false if that is no number of milliseconds. */
export function noteLoad(app: AppConnection, text: string | undefined, atMs: number): boolean {
  const lateMs = Number(text);
  if (text === undefined || !/^\d{1,9}$/.test(text) || lateMs > longestMs) return false;
  app.load = { lateMs, atMs };
  return true;
}
