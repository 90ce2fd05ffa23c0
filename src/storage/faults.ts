import { stat } from 'node:fs/promises';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PortError } from '../engine/ports.ts';
import type { SqliteDatabase } from './database.ts';
import type { FaultsReply } from './faults-worker.ts';

/** Smaller stores are looked through before a thread would have started. */
const WORTH_A_THREAD_BYTES = 32 * 1024 * 1024;

/** What SQLite finds wrong with the file; a large one is looked through in a thread, beside whatever else is done. */
export async function faultsIn(db: SqliteDatabase): Promise<readonly string[]> {
  const size = await stat(db.path).then(
    (found) => found.size,
    () => 0,
  );
  if (size < WORTH_A_THREAD_BYTES) return db.faults();
  const worker = new Worker(new URL('./faults-worker.ts', import.meta.url), {
    workerData: { path: db.path },
    execArgv: [],
  });
  const [reply] = (await once(worker, 'message')) as [FaultsReply];
  if (reply.kind === 'failed') throw new PortError(reply.code, { says: reply.says });
  return reply.faults;
}
