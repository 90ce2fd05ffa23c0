/** How long to wait before something that died is started again. */
export interface BackOff {
  /** Call when it died; `atMs` on a clock that never goes back. */
  died(atMs: number): { readonly waitMs: number; readonly isHopeless: boolean };
}

const WAITS_MS = [0, 250, 500, 1000];
const SLOW_MS = 30_000;
const QUICK_DEATHS = 5;
const WINDOW_MS = 60_000;

/** At once the first time, slower each time; after five deaths within a minute it is called hopeless and tried every 30 s. */
export function backOff(): BackOff {
  let deaths: number[] = [];
  return {
    died(atMs) {
      deaths = [...deaths.filter((at) => atMs - at < WINDOW_MS), atMs];
      const isHopeless = deaths.length >= QUICK_DEATHS;
      return { waitMs: isHopeless ? SLOW_MS : (WAITS_MS[deaths.length - 1] ?? SLOW_MS), isHopeless };
    },
  };
}
