/** What an app says of itself: how late it is all the time, and how late at this moment. */
export interface AppLoad {
  readonly lateMs: number;
  readonly lateNowMs: number;
}

/** Whoever has said so, and when; undefined before. */
interface Sayer {
  load: (AppLoad & { readonly atMs: number }) | undefined;
}

/** What is older says nothing: an app that hangs is looked after by others, and its calls wait for it. */
const freshMs = 1_000;
const longestMs = 3_600_000;

/** The latest of those that have said how late they are. */
export function appLoad(apps: Iterable<Sayer>, nowMs: number): AppLoad {
  let [lateMs, lateNowMs] = [0, 0];
  for (const { load } of apps) {
    if (load === undefined || nowMs - load.atMs >= freshMs) continue;
    lateMs = Math.max(lateMs, load.lateMs);
    lateNowMs = Math.max(lateNowMs, load.lateNowMs);
  }
  return { lateMs, lateNowMs };
}

/** `app` says how late it is, all the time and, if it tells, at this moment; false if those are no numbers of milliseconds. */
export function noteLoad(app: Sayer, [text, now = text]: readonly string[], atMs: number): boolean {
  const [lateMs, lateNowMs] = [msIn(text), msIn(now)];
  if (lateMs === undefined || lateNowMs === undefined) return false;
  app.load = { lateMs, lateNowMs, atMs };
  return true;
}

function msIn(text: string | undefined): number | undefined {
  const ms = Number(text);
  return text === undefined || !/^\d{1,9}$/.test(text) || ms > longestMs ? undefined : ms;
}
