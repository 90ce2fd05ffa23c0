/**
 * The thread behind writer-thread.ts: one connection, one request after the other. Groups of rows that have come in while
 * the disk was busy are written in one commit, so that the next begins the moment the last one ends.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { AppendResult } from '../core/audit/index.ts';
import { never } from '../core/never.ts';
import { type DocumentVersion, PortError } from '../engine/ports.ts';
import { SqliteDatabase } from './database.ts';
import { OWNER_BUSY_MS } from './options.ts';
import { DirectWriter } from './writer.ts';
import type { WriterReply, WriterRequest } from './writer-thread.ts';

type Append = Extract<WriterRequest, { kind: 'append' }>;

/** A commit is not made longer than a call may wait. */
const MAX_ROWS = 2048;

const { path } = workerData as { path: string };
let open: { db: SqliteDatabase; writer: DirectWriter } | undefined;

const documents: DocumentVersion['files'][number][] = [];
/** Not written yet. */
let appends: Append[] = [];
let rows = 0;

parentPort?.on('message', (first: WriterRequest) => {
  for (let request: WriterRequest | null = first; request !== null; request = next()) take(request);
  write();
});

function next(): WriterRequest | null {
  const received = parentPort === null ? undefined : receiveMessageOnPort(parentPort);
  return received === undefined ? null : (received.message as WriterRequest);
}

function take(request: WriterRequest): void {
  switch (request.kind) {
    case 'append':
      appends.push(request);
      rows += request.rows.at.length;
      if (rows >= MAX_ROWS) write();
      break;
    case 'document':
      documents.push(request.file);
      break;
    case 'change':
      try {
        writer().change(request.change);
      } catch {
        // The store cannot be opened at all; the append that follows says so. The index can be made again from the audit.
      }
      break;
    default:
      write();
      void answer(request);
  }
}

function write(): void {
  if (appends.length === 0) return;
  const groups = appends;
  appends = [];
  rows = 0;
  try {
    const results = writer().appendAll(groups);
    reply(groups.map(({ id }, i) => done(id, results[i])));
  } catch (error) {
    reply(groups.map(({ id }) => failed(id, error)));
  }
}

async function answer(request: Extract<WriterRequest, { kind: 'open' | 'keep' | 'close' }>): Promise<void> {
  const { id } = request;
  try {
    switch (request.kind) {
      case 'open':
        writer();
        break;
      case 'keep': {
        const files = documents.splice(0);
        // Those that went to a thread which has died since.
        if (files.length !== request.count) throw new PortError('storeUnavailable', { says: 'documents were lost' });
        await writer().keep({ ...request.kept, files });
        break;
      }
      case 'close':
        await open?.writer.close();
        open?.db.close();
        break;
      default:
        never(request);
    }
    reply([done(id)]);
  } catch (error) {
    reply([failed(id, error)]);
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

function done(id: number, result: AppendResult | null = null): WriterReply {
  return { id, kind: 'done', result };
}

function failed(id: number, error: unknown): WriterReply {
  if (error instanceof PortError) return { id, kind: 'failed', code: error.code, says: error.message };
  return { id, kind: 'failed', code: 'storeUnavailable', says: `the writer failed: ${String(error)}` };
}

function reply(messages: readonly WriterReply[]): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(messages);
}
