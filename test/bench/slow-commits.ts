/**
 * Loaded into the thread that writes the store (NODE_OPTIONS --import): each of its commits takes some milliseconds longer, in the
 * thread itself, as with a disk that does.
 */
import { isMainThread } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { slowMsIn, waitMs } from './slow.ts';

const slowMs = slowMsIn(import.meta.url);
const { prototype } = Database;
const real = Reflect.get(prototype, 'transaction') as (
  this: Database.Database,
  work: never,
) => { immediate(...given: never[]): unknown };

if (!isMainThread) {
  prototype.transaction = function slowed(this: Database.Database, work: never) {
    const whole = real.call(this, work);
    // The store begins its commits in no other way.
    return {
      immediate: (...given: never[]) => {
        const result: unknown = whole.immediate(...given);
        waitMs(slowMs);
        return result;
      },
    };
  } as never;
}
