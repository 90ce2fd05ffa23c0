// Goes into every process that a bench of memory starts (NODE_OPTIONS=--import=…): at SIGWINCH it collects all garbage and
// writes down what is left. sipd has a meaning for SIGUSR2.
import { writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

const folder = process.env['MEMORY_PROBE'];

if (folder !== undefined && isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on('SIGWINCH', () => {
    // What a first collection frees may be what keeps other things.
    for (let i = 0; i < 3; i++) collect();
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(`${folder}/${process.pid}`, String(heapUsed + external));
  });
}
