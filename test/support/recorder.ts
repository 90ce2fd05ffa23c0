/**
 * A process that records messages one after the other, three at a time, until it is killed: it prints how far each is said
 * before it says it, and which are complete. It speaks ten times as fast as people, and waits where the disk is more than a
 * second behind, so that what is missing in the end is to be blamed on nobody else. Arguments: folder, raw µ-law to record, recipient, and "careless" for one
 * whose memory may lie in a core file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keepMemoryOffDisks } from '../../src/processes/index.ts';
import { SealedFile, SealedWriter } from '../../src/vault/index.ts';

const [folder = '', sound = '', recipient = '', how = ''] = process.argv.slice(2);
if (how !== 'careless') keepMemoryOffDisks();
const audio = readFileSync(sound);
const FRAME_BYTES = 160;
const SECOND_BYTES = 8000;
const format = { encoding: 'PCMU', rate: 8000, channels: 1 } as const;

async function record(name: string): Promise<void> {
  const sink = await SealedFile.create(join(folder, `${name}.sealed`));
  const metadata = { callBack: '+12025550177' };
  const writer = await SealedWriter.open({ sink, recipients: [recipient], format, metadata });
  for (let at = 0; at < audio.length; at += FRAME_BYTES) {
    const saidBytes = Math.min(audio.length, at + FRAME_BYTES);
    if (saidBytes - writer.audioBytes > SECOND_BYTES) {
      process.stdout.write(`waits ${name} ${at}\n`);
      await writer.drained();
    }
    process.stdout.write(`says ${name} ${saidBytes}\n`);
    writer.push(audio.subarray(at, saidBytes));
    if (at % 800 === 0) await sleep(10);
  }
  await writer.close();
  process.stdout.write(`done ${name}\n`);
}

for (let round = 0; ; round++) {
  await Promise.all(['a', 'b', 'c'].map((line, i) => sleep(i * 70).then(() => record(`${line}${round}`))));
}
