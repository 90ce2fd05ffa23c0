/** The thread behind writer-thread.ts: one connection, one request after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { never } from '../core/never.ts';
import { type DocumentVersion, PortError } from '../engine/ports.ts';
import { SqliteDatabase } from './database.ts';
import { OWNER_BUSY_MS } from './options.ts';
import { DirectWriter } from './writer.ts';
import { unpack, type WriterReply, type WriterRequest } from './writer-thread.ts';

const { path } = workerData as { path: string };
let open: { db: SqliteDatabase; writer: DirectWriter } | undefined;

const documents: DocumentVersion['files'][number][] = [];

parentPort?.on('message', (request: WriterRequest) => {
  void answer(request);
});

async function answer(request: WriterRequest): Promise<void> {
  if (request.kind === 'document') {
    documents.push(request.file);
    return;
  }
  if (request.kind === 'change') {
    try {
      writer().change(request.change);
    } catch {
      // The store cannot be opened at all; the append that follows says so. The index can be made again from the audit.
    }
    return;
  }
  reply(await resultOf(request));
}

async function resultOf(request: Exclude<WriterRequest, { kind: 'change' | 'document' }>): Promise<WriterReply> {
  const { id } = request;
  try {
    switch (request.kind) {
      case 'open':
        writer();
        return { id, kind: 'done', result: null };
      case 'append':
        return { id, kind: 'done', result: await writer().append(request.after, unpack(request.after, request.rows)) };
      case 'keep': {
        const files = documents.splice(0);
        // Those that went to a thread which has died since.
        if (files.length !== request.count) throw new PortError('storeUnavailable', { says: 'documents were lost' });
        await writer().keep({ ...request.kept, files });
        return { id, kind: 'done', result: null };
      }
      case 'close':
        await open?.writer.close();
        open?.db.close();
        return { id, kind: 'done', result: null };
      default:
        return never(request);
    }
  } catch (error) {
    if (error instanceof PortError) return { id, kind: 'failed', code: error.code, says: error.message };
    return { id, kind: 'failed', code: 'storeUnavailable', says: `the writer failed: ${String(error)}` };
  }
}

/** Opened at the first use and again after a failure to open. */
function writer(): DirectWriter {
  if (open === undefined) {
    const db = new SqliteDatabase(path, { readonly: false, busyMs: OWNER_BUSY_MS });
    open = { db, writer: new DirectWriter(db) };
  }
  return open.writer;
}

function reply(message: WriterReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message);
}
