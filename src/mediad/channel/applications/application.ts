/** What applications have in common: their response, and how they read their arguments. */
export const NO_RESPONSE = '_none_';

/** Those that take no time. */
export const INSTANT_APPLICATIONS: ReadonlySet<string> = new Set([
  'answer',
  'set',
  'export',
  'unset',
  'multiset',
  'set_mute',
  'send_dtmf',
  'record_session',
  'stop_record_session',
  'start_dtmf',
  'stop_dtmf',
  'spandsp_start_dtmf',
  'spandsp_stop_dtmf',
  'tone_detect',
  'stop_tone_detect',
  'spandsp_start_tone_detect',
  'spandsp_stop_tone_detect',
  'wardline_answer_hint',
  'hangup',
]);

/** Words separated by blanks; single quotes group, a backslash inside them keeps a quote. */
export function splitArguments(text: string): string[] {
  const words: string[] = [];
  const pattern = /'((?:[^'\\]|\\.)*)'|(\S+)/g;
  for (const match of text.matchAll(pattern)) words.push(match[1]?.replaceAll("\\'", "'") ?? match[2] ?? '');
  return words;
}

/** A whole number within bounds, or the fallback for anything else. */
export function wholeNumber(text: string | undefined, fallback: number, bounds: { min: number; max: number }): number {
  if (text === undefined || !/^-?\d{1,9}$/.test(text)) return fallback;
  return Math.min(bounds.max, Math.max(bounds.min, Number(text)));
}

/** Resolves after the time, or at once when the signal is aborted. */
export function waitFor(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, waitMs);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
