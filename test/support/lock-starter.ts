// A thread that tries to become the supervisor of many data folders, each in the same moment as its siblings.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { takeLock } from '../../src/cli/supervise/run-files.ts';

const { folder, starters, shared, dead } = workerData as {
  folder: string;
  starters: number;
  /** How many have come to each round. */
  shared: Int32Array;
  /** What a supervisor that was killed has left. */
  dead: string;
};
const taken: number[] = [];
for (let round = 0; round < shared.length - 1; round += 1) {
  const run = join(folder, String(round));
  if (Atomics.add(shared, round, 1) === starters - 1) {
    mkdirSync(run);
    // Every other folder was left by one that was killed, or was about to write its name.
    if (round % 2 === 0) writeFileSync(join(run, 'supervisor.json'), round % 4 === 0 ? dead : '');
    Atomics.store(shared, round, -1);
    Atomics.notify(shared, round);
  }
  for (let many = 0; many !== -1; many = Atomics.load(shared, round)) Atomics.wait(shared, round, many, 10);
  if (takeLock(run).kind === 'taken') taken.push(round);
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(taken);
