/** A thread that reads documents as ours does, but for those that say how it is to fail: "# never", "# dies", "# hoards". */
import { parentPort, workerData } from 'node:worker_threads';
import { ReadJobs } from '../../src/documents/read-jobs.ts';
import type { FromThread, ReadJob } from '../../src/documents/read-protocol.ts';
import { serveJobs } from '../../src/documents/serve-jobs.ts';

const jobs = new ReadJobs((workerData as { prompts: ReadonlySet<string> }).prompts);
let latest = '';

serveJobs(parentPort!, { put: (slot, file) => jobs.put(slot, file), do: work });

async function* work(job: ReadJob): AsyncGenerator<FromThread, void> {
  if (job.kind === 'folders') latest = '';
  if (job.kind === 'check') fail();
  for await (const part of jobs.do(job)) {
    if (part.kind === 'file') latest += part.file.text;
    yield part;
  }
}

function fail(): void {
  if (latest.includes('# dies')) process.exit(3);
  const hoard: unknown[] = [];
  while (latest.includes('# never') || latest.includes('# hoards')) {
    if (latest.includes('# hoards')) hoard.push(Array.from({ length: 1_000 }, () => ({})));
  }
}
