/** The thread behind calendars.ts: it lays out rosters of the past, which takes too long where calls are decided. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PersonId, ServiceId } from '../../core/oncall/index.ts';
import { instant } from '../../core/time/index.ts';
import { calendarText, changedLast } from '../../documents/feeds/index.ts';
import { openStore } from '../../storage/index.ts';
import { CalendarDuties } from '../calendar-duties.ts';
import type { CalendarReply, CalendarRequest } from './calendars.ts';

const { store: path } = workerData as { store: string };
const store = await openStore(path, { as: 'reader' });
const calendars = new CalendarDuties(store);

parentPort?.on('message', ({ id, person, service, now }: CalendarRequest) => {
  const of = person === null ? { service: service as ServiceId } : { person: person as PersonId };
  reply(answer(() => calendars.of(of, instant(now)), id));
});

function answer(duties: () => ReturnType<CalendarDuties['of']>, id: number): CalendarReply {
  try {
    const own = duties();
    return { id, text: calendarText(own, 'On call'), changedAt: changedLast(own) };
  } catch (error) {
    return { id, why: error instanceof Error ? error.message : String(error) };
  }
}

function reply(message: CalendarReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message);
}
