/** The thread behind reading-thread.ts. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { ReadJobs } from './read-jobs.ts';
import { serveJobs } from './serve-jobs.ts';

const { prompts } = workerData as { prompts: ReadonlySet<string> };

// On Linux this is about the thread alone: where there is one processor only, calls go before documents.
try {
  setPriority(5);
} catch {
  // Then they share it.
}
// A document may have a fault in every character, and nobody wants to know where in our code each was found.
Error.stackTraceLimit = 0;
const jobs = new ReadJobs(prompts);
serveJobs(parentPort!, { put: (slot, file) => jobs.put(slot, file), do: (job) => jobs.do(job) });
