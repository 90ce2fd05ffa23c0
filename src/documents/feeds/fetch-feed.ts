import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Instant, instant } from '../../core/time/index.ts';

export interface FetchedFeed {
  readonly text: string;
  /** When the server or the file system says it was changed last. */
  readonly changedAt: Instant | null;
}

const MAX_BYTES = 10_485_760;
const PATIENCE_MS = 15_000;

/** Gets a feed from an http(s) address or a file. `folder` is what a relative path is of. Rejects with why it cannot. */
export async function fetchFeed(source: string, folder: string): Promise<FetchedFeed> {
  return /^https?:\/\//.test(source) ? fromServer(source) : fromFile(path.resolve(folder, source));
}

async function fromServer(address: string): Promise<FetchedFeed> {
  const response = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS), headers: { accept: 'text/*' } });
  if (!response.ok) throw new Error(`the server answers ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(TOO_BIG);
    chunks.push(chunk);
  }
  const changed = Date.parse(response.headers.get('last-modified') ?? '');
  return { text: decode(Buffer.concat(chunks)), changedAt: Number.isNaN(changed) ? null : instant(changed) };
}

async function fromFile(file: string): Promise<FetchedFeed> {
  const { mtimeMs, size } = await stat(file);
  if (size > MAX_BYTES) throw new Error(TOO_BIG);
  await using handle = await open(file);
  return { text: decode(await handle.readFile()), changedAt: instant(Math.floor(mtimeMs)) };
}

const TOO_BIG = `it is over ${MAX_BYTES / 1_048_576} MB`;

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
