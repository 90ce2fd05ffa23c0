/**
 * A process that records messages one after the other, three at a time, until it is killed: it prints what it has pushed,
 * what of that is with the disk, and which are complete. It speaks ten times as fast as people. Arguments: folder, raw µ-law to record, recipient.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SealedFile, SealedWriter } from '../../src/vault/index.ts';

const [folder = '', sound = '', recipient = ''] = process.argv.slice(2);
const audio = readFileSync(sound);
const FRAME_BYTES = 160;
const format = { encoding: 'PCMU', rate: 8000, channels: 1 } as const;

async function record(name: string): Promise<void> {
  const sink = await SealedFile.create(join(folder, `${name}.sealed`));
  const metadata = { callBack: '+12025550177' };
  const writer = await SealedWriter.open({ sink, recipients: [recipient], format, metadata });
  for (let at = 0; at < audio.length; at += FRAME_BYTES) {
    writer.push(audio.subarray(at, at + FRAME_BYTES));
    if (at % 1600 === 0) process.stdout.write(`pushed ${name} ${at} ${writer.audioBytes}\n`);
    if (at % 800 === 0) await sleep(10);
  }
  await writer.close();
  process.stdout.write(`done ${name}\n`);
}

for (let round = 0; ; round++) {
  await Promise.all(['a', 'b', 'c'].map((line, i) => sleep(i * 70).then(() => record(`${line}${round}`))));
}
