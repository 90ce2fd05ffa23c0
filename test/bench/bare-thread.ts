/** A thread that answers whatever has come in together, as soon as a disk would have taken it, and does nothing else. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { waitMs } from './slow.ts';

const { slowMs } = workerData as { slowMs: number };

parentPort?.on('message', (first: number) => {
  const ids = [first];
  for (let more = receiveMessageOnPort(parentPort!); more; more = receiveMessageOnPort(parentPort!))
    ids.push(more.message);
  waitMs(slowMs);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(ids);
});
