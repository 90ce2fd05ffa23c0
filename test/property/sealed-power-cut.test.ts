import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { newIdentity, openMessage, openSealed, rewrapSealed, SealedWriter } from '../../src/vault/index.ts';
import { CUTS, cuts, randomFrom, someSectors } from '../support/power-cut.ts';

/**
 * Power cuts while a message is recorded and while its key is wrapped to others. WARDLINE_POWER_CUTS says how many are tried; the
 * seed of one that fails is in its name.
 */
const HEADER_BYTES = 18 + 2 * 4096;
const format = { encoding: 'PCMU', rate: 8000, channels: 1 } as const;
const [old, next] = [newIdentity(), newIdentity()];
const audio = Buffer.from(Array.from({ length: 8000 * 2 + 300 }, (_, i) => (i * 13 + (i >> 9)) & 0xff));

async function sealed(): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const sink = { append: async (bytes: Uint8Array) => void parts.push(bytes), close: async () => {} };
  const writer = await SealedWriter.open({ sink, recipients: [old.recipient], format, metadata: {} });
  writer.push(audio);
  await writer.close();
  return Buffer.concat(parts);
}

void t.test(
  `${CUTS} power cuts: a message that was not synced opens as far as it is whole, and never wrongly`,
  async (t) => {
    const whole = await sealed();
    const segments = [0, 1, 2].map((i) => audio.subarray(i * 6000, (i + 1) * 6000));
    let whatOpened = 0;
    for (const seed of cuts()) {
      const random = randomFrom(seed);
      const lived = whole.subarray(0, Math.floor(random() * (whole.length + 1)));
      // A header that reached the disk torn tells nothing: most cuts come later.
      const from = random() < 0.9 ? Math.min(HEADER_BYTES, lived.length) : 0;
      const result = await openSealed(someSectors(lived, from, random), [old.identity]);
      if (result.kind === 'refused') continue;
      whatOpened += 1;
      const lost = new Set(result.damaged.map((number) => number - 2));
      const kept = segments.filter((_, i) => !lost.has(i));
      const said = Buffer.concat(kept).subarray(0, result.audio.length);
      if (!said.equals(result.audio)) t.fail(`seed ${seed}: it opens to something that was not said`);
    }
    t.ok(whatOpened > CUTS / 4, `${whatOpened} of ${CUTS} had something to hear`);
  },
);

void t.test(`${CUTS} power cuts: while the key is wrapped to others one of the two slots is whole`, async (t) => {
  const path = join(t.testdir({}), 'message.sealed');
  const before = await sealed();
  writeFileSync(path, before);
  t.match(await rewrapSealed(path, [old.identity], [next.recipient]), { kind: 'rewrapped', keyWasUsed: true });
  const after = readFileSync(path);
  t.ok(before.subarray(HEADER_BYTES).equals(after.subarray(HEADER_BYTES)), 'the sound is what it was');
  const slot = (bytes: Buffer, i: number) => bytes.subarray(18 + i * 4096, 18 + (i + 1) * 4096);
  for (const seed of cuts()) {
    const random = randomFrom(seed);
    // The first slot is synced before the second is begun.
    const at = random() < 0.5 ? 0 : 1;
    const torn = Buffer.from(before);
    if (at === 1) slot(after, 0).copy(torn, 18);
    for (let sector = 18 + at * 4096; sector < 18 + (at + 1) * 4096; sector += 512) {
      if (random() < 0.5) after.copy(torn, sector, sector, sector + 512);
    }
    writeFileSync(path, torn);
    const both = [old.identity, next.identity];
    const opened = await openMessage(path, both);
    if (opened.kind !== 'opened' || !audio.equals(opened.audio)) t.fail(`seed ${seed}: it does not open`);
    await rewrapSealed(path, both, [next.recipient]);
    const done = await openMessage(path, [next.identity]);
    const gone = await openMessage(path, [old.identity]);
    if (done.kind !== 'opened' || gone.kind !== 'refused') t.fail(`seed ${seed}: the next rotation does not finish it`);
  }
  t.pass(`${CUTS} cuts`);
});
