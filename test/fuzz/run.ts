import { mkdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { feed } from './feed.ts';
import { targets } from './targets.ts';

// npm run fuzz -- [seconds] [target]: feeds every target in turn until the time is over. What breaks one is kept in
// corpus/<target>/, where the tests find it from then on.

const seconds = Number(process.argv[2] ?? 60);
const wanted = targets.filter(({ name }) => process.argv[3] === undefined || name === process.argv[3]);
const roundOf = 10_000;
const untilMs = Date.now() + seconds * 1_000;
const startSeed = Date.now() >>> 0;
let failures = 0;

for (let round = 0; Date.now() < untilMs; round++) {
  for (const target of wanted) {
    const seed = startSeed + round;
    const fed = feed(target, roundOf, seed);
    const heapMb = Math.round(process.memoryUsage().heapUsed / 1024 ** 2);
    if (fed.kind === 'fed') {
      console.log(
        `${target.name} seed ${seed}: ${roundOf} inputs, slowest ${fed.slowestMs.toFixed(2)} ms, heap ${heapMb} MB`,
      );
      continue;
    }
    failures++;
    const folder = join(import.meta.dirname, 'corpus', target.name);
    const name = createHash('sha256').update(fed.bytes).digest('hex').slice(0, 16);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), fed.bytes);
    console.log(`${target.name} seed ${seed}: ${fed.why}\n  kept as corpus/${target.name}/${name}`);
  }
}
process.exitCode = failures === 0 ? 0 : 1;
