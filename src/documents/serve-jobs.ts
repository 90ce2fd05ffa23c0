import type { MessagePort, Transferable } from 'node:worker_threads';
import type { ReadJobs } from './read-jobs.ts';
import type { FromThread, ToThread } from './read-protocol.ts';

/** Answers the app: one part of the job under way for each that is asked for. */
export function serveJobs(port: MessagePort, jobs: Pick<ReadJobs, 'put' | 'do'>): void {
  let parts: AsyncGenerator<FromThread, void> | null = null;
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'put':
        jobs.put(message.slot, message.file);
        break;
      case 'start':
        parts = jobs.do(message.job);
        break;
      case 'next':
        void answer();
    }
  });

  async function answer(): Promise<void> {
    const next = await parts!.next();
    if (!next.done) port.postMessage(next.value, buffersOf(next.value));
  }
}

/** What changes hands without being copied. */
function buffersOf(part: FromThread): Transferable[] {
  if (part.kind === 'people') {
    const { bytes, starts, byId, byDesk } = part.people;
    return [bytes.buffer, starts.buffer, byId.buffer, byDesk.buffer];
  }
  if (part.kind === 'tables') return Object.values(part.tables).map((table) => table.buffer);
  return [];
}
