/** The thread behind `faultsIn`: a connection of its own, one question, one answer. */
import { parentPort, workerData } from 'node:worker_threads';
import { PortError, type PortErrorCode } from '../engine/ports.ts';
import { SqliteDatabase } from './database.ts';
import { GUEST_BUSY_MS } from './options.ts';

export type FaultsReply =
  | { readonly kind: 'checked'; readonly faults: readonly string[] }
  | { readonly kind: 'failed'; readonly code: PortErrorCode; readonly says: string };

const { path } = workerData as { path: string };

function check(): FaultsReply {
  try {
    const db = new SqliteDatabase(path, { readonly: true, busyMs: GUEST_BUSY_MS });
    try {
      return { kind: 'checked', faults: db.faults() };
    } finally {
      db.close();
    }
  } catch (error) {
    const code = error instanceof PortError ? error.code : 'storeUnavailable';
    return { kind: 'failed', code, says: (error as Error).message };
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(check());
