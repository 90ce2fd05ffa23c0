import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { PublishedCalendar } from '../../admin/index.ts';
import type { Instant } from '../../core/time/index.ts';
import { systemClock } from '../../engine/index.ts';
import type { CalendarRow } from '../../storage/index.ts';
import { tokenHash } from '../calendar-token.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';

export interface CalendarRequest {
  readonly id: number;
  readonly person: string | null;
  readonly service: string | null;
  readonly now: number;
}

export type CalendarReply =
  | { readonly id: number; readonly text: string; readonly changedAt: Instant | null }
  | { readonly id: number; readonly why: string };

/** Programs ask every few minutes at most; whoever asks more often gets what was told last. */
const FRESH_MS = 60_000;
const MAX_WAITING = 16;
const MAX_KEPT = 200;
const PATIENCE_MS = 30_000;

type Answer = PublishedCalendar | 'unknown' | 'busy';

/** Calendars of duties by the token in their address, made in a thread that starts with the first question. */
export function calendarsOf(
  { store, folders, log, logins }: Pick<Foundation, 'store' | 'folders' | 'log' | 'logins'>,
  closing: Closing,
): (token: string) => Promise<Answer> {
  const kept = new Map<number, { readonly atMs: number; readonly calendar: Promise<PublishedCalendar> }>();
  const waiting = new Map<number, (reply: CalendarReply) => void>();
  let worker: Worker | null = null;
  let lastId = 0;

  function stop(why: string): void {
    const gone = worker;
    worker = null;
    void gone?.terminate();
    for (const [id, settle] of waiting) settle({ id, why });
    waiting.clear();
  }

  function start(): Worker {
    const started = new Worker(new URL('calendar-worker.ts', import.meta.url), {
      workerData: { store: folders.store },
      resourceLimits: { maxOldGenerationSizeMb: 1_024 },
    });
    started.unref();
    started.on('message', (reply: CalendarReply) => {
      waiting.get(reply.id)?.(reply);
      waiting.delete(reply.id);
    });
    started.on('error', (error) => {
      log.error({ err: error }, 'calendars cannot be made, tried again with the next question');
      if (worker === started) stop('the thread has ended');
    });
    return started;
  }

  async function make({ person, service }: CalendarRow): Promise<PublishedCalendar> {
    const id = ++lastId;
    const answered = new Promise<CalendarReply>((resolve) => waiting.set(id, resolve));
    worker ??= start();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage({ id, person, service, now: systemClock.now() } satisfies CalendarRequest);
    const patience = systemClock.after(PATIENCE_MS, () => stop('it took too long'));
    const reply = await answered.finally(() => patience.cancel());
    if ('why' in reply) throw new Error(`the calendar could not be made: ${reply.why}`);
    const etag = `"${createHash('sha256').update(reply.text).digest('base64url').slice(0, 27)}"`;
    return { text: reply.text, etag, changedAt: reply.changedAt };
  }

  closing.add('calendars', async () => stop('the house stops'));
  async function find(token: string): Promise<Answer> {
    const row = store.calendars.find(tokenHash(token));
    if (row === null) {
      logins.wrong('calendar', '', '');
      return 'unknown';
    }
    logins.right('calendar', String(row.id), '');
    const known = kept.get(row.id);
    const atMs = systemClock.monotonicMs();
    if (known !== undefined && atMs - known.atMs < FRESH_MS) return known.calendar;
    if (waiting.size >= MAX_WAITING) return 'busy';
    const calendar = make(row);
    kept.delete(row.id);
    kept.set(row.id, { atMs, calendar });
    if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value!);
    calendar.catch(() => kept.delete(row.id));
    return calendar;
  }

  return (token) =>
    find(token).catch((error: unknown): Answer => {
      // Whoever asks learns nothing of the house but that it is later.
      log.warn({ err: error }, 'a calendar could not be made');
      return 'busy';
    });
}
