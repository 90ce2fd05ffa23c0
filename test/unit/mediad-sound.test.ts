/** Where mediad's sound comes from: files, folders of music. Proven by the tone that was put in. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { PromptFinder } from '../../src/mediad/channel/applications/prompts.ts';
import { LentKeys } from '../../src/mediad/channel/lent-keys.ts';
import { findMp3Frames } from '../../src/mediad/media/files/mp3.ts';
import { findOpusPackets } from '../../src/mediad/media/files/ogg-opus.ts';
import { readSound } from '../../src/mediad/media/files/sound-file.ts';
import { PromptCache } from '../../src/mediad/media/prompt-cache.ts';
import { loadItems } from '../../src/mediad/media/worker-prompts.ts';
import { until } from '../support/processes.ts';
import { loudness, shareOf, toneSamples, wavBytes } from '../support/sound.ts';

const seeds = join(import.meta.dirname, '../fuzz/seeds');
const seed = (name: string) => readFileSync(join(seeds, name));

async function soundOf(file: Buffer) {
  const result = await readSound(file);
  if (result.kind === 'refused') throw new Error(result.reason);
  return { rateHz: result.sound.rate, samples: result.sound.samples };
}

for (const [name, seconds, amplitude] of [
  ['tone-22k.mp3', 1.5, 4096],
  ['tone-44k-stereo.mp3', 1, 4096 / Math.SQRT2],
  ['tone.opus', 1.5, 4096],
] as const) {
  void t.test(`${name} is heard as what was recorded`, async (t) => {
    const sound = await soundOf(seed(name));
    t.equal(sound.rateHz, 16_000);
    const length = sound.samples.length / 16_000;
    t.ok(Math.abs(length - seconds) < 0.08, `${length} s`);
    t.ok(shareOf(sound, 1000, 0.1, seconds - 0.2) > 0.98, 'the tone');
    // A sine of ffmpeg has an eighth of full scale, and in stereo 3 dB less on each side.
    const middle = loudness(sound.samples.subarray(4000, 12_000));
    t.ok(Math.abs(20 * Math.log10(middle / (amplitude / Math.SQRT2))) < 1, `level ${middle}`);
  });
}

void t.test('sound of every rate comes out at its own pitch', async (t) => {
  for (const rateHz of [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]) {
    const sound = await soundOf(wavBytes({ rateHz, samples: toneSamples(1000, rateHz, 0, 8000, rateHz) }));
    t.equal(sound.rateHz, rateHz === 8000 ? 8000 : 16_000);
    t.ok(Math.abs(sound.samples.length - sound.rateHz) <= 1, `${rateHz}: ${sound.samples.length} samples`);
    t.ok(shareOf(sound, 1000, 0.1, 0.8) > 0.995, `${rateHz} Hz`);
    const middle = loudness(sound.samples.subarray(1000, sound.samples.length - 1000));
    t.ok(Math.abs(20 * Math.log10((middle * Math.SQRT2) / 8000)) < 0.2, `${rateHz}: ${middle}`);
  }
});

void t.test('what is not sound is refused with a reason', async (t) => {
  const opus = seed('tone.opus');
  const mp3 = seed('tone-22k.mp3');
  const changed = (file: Buffer, at: number, ...bytes: number[]) => {
    const copy = Buffer.from(file);
    for (const [i, byte] of bytes.entries()) copy[at + i] = byte;
    return copy;
  };
  const head = opus.indexOf('OpusHead');
  const refusals: readonly (readonly [string, Buffer, RegExp])[] = [
    ['nothing', Buffer.alloc(0), /not an MP3 file/],
    ['a text', Buffer.from('Dear doctor, '.repeat(1000)), /not an MP3 file/],
    ['two frames', mp3.subarray(0, mp3.length / 30), /not an MP3 file/],
    ['Ogg without Opus', changed(opus, head, 0x7f), /not an Opus file/],
    ['of the future', changed(opus, head + 8, 0x20), /version/],
    ['surround', changed(opus, head + 18, 1), /two channels/],
    ['only its head', opus.subarray(0, head + 19), /second header/],
  ];
  for (const [what, file, reason] of refusals) t.match(await readSound(file), { kind: 'refused', reason }, what);
  t.match(findOpusPackets(opus), { kind: 'packets', preSkip: 312 });
  t.match(findMp3Frames(Buffer.concat([Buffer.alloc(700, 0xff), mp3])), { kind: 'frames', rate: 22_050 });
});

void t.test('sound of more than ten minutes is refused before it fills the memory', async (t) => {
  const frames = findMp3Frames(seed('tone-22k.mp3'));
  if (frames.kind !== 'frames') throw new Error(frames.reason);
  const second = frames.frames.at(5)!;
  const long = Buffer.concat(Array.from({ length: 60_000 }, () => second));
  t.match(findMp3Frames(long), { kind: 'refused', reason: /longer than 10 minutes/ });
});

void t.test('music from a folder: one file after the other and round again, what is no sound left out', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-music-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'a-notes.txt'), 'not music');
  writeFileSync(join(folder, 'b.wav'), wavBytes({ rateHz: 8000, samples: toneSamples(400, 4000) }));
  writeFileSync(join(folder, 'c.wav'), wavBytes({ rateHz: 8000, samples: toneSamples(1200, 4000) }));
  writeFileSync(join(folder, 'd.mp3'), 'no MP3');
  const finder = new PromptFinder([join(folder, '..')], folder, new LentKeys());
  const found = await finder.find('local_stream://moh', '');
  if (found.kind !== 'found') throw new Error(found.reason);
  t.match(found.items, [{ kind: 'music', name: 'local_stream://moh' }]);
  const loaded = await loadItems(found.items, new PromptCache(1_000_000));
  if (typeof loaded === 'string') throw new Error(loaded);
  const source = loaded[0]!.open(8000);
  const heard: number[] = [];
  const frame = new Int16Array(160);
  await until('b, c and b again', async () => {
    t.equal(source.next(frame), 160);
    const hz = [400, 1200].find((tone) => shareOf({ rateHz: 8000, samples: frame }, tone) > 0.9);
    if (hz !== undefined && hz !== heard.at(-1)) heard.push(hz);
    // The next file is read between two frames.
    await sleep(0);
    return heard.length >= 3;
  });
  t.same(heard.slice(0, 3), [400, 1200, 400]);
});

void t.test('a folder without music says so, and links do not lead out', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-music-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const inside = join(folder, 'music');
  const finder = new PromptFinder([folder], inside, new LentKeys());
  t.match(await finder.find('local_stream://moh', ''), { items: [{ kind: 'tone' }] }, 'no folder: a tone');
  t.match(await finder.find('local_stream://../x', ''), { items: [{ kind: 'tone' }] });
  const all = await loadItems([{ kind: 'music', name: 'm', paths: [join(folder, 'x')] }], new PromptCache(1000));
  t.equal(all, 'm: ENOENT');
  t.match(await new PromptCache(1000).load(folder), 'not a file');
});
