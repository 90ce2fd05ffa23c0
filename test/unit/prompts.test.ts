import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { missingPrompts } from '../../src/cli/prompt-ids.ts';
import { activeDbfs, edges } from '../../scripts/prompts/level.ts';
import { rates, readList } from '../../scripts/prompts/tools.ts';
import { readWav } from '../../scripts/prompts/wav.ts';

const prompts = join(import.meta.dirname, '../../src/mediad/prompts');
const voices = ['en/wardline', 'en/asterisk-core-sounds'];

for (const voice of voices) {
  const ids = [...readList(join(prompts, voice, 'texts.yaml')).keys()];

  void t.test(`${voice}: every text has a WAV at both rates, and every WAV a text`, (t) => {
    for (const rate of rates) t.same(wavs(voice, rate), ids.map((id) => `${id}.wav`).sort(), `${rate} Hz`);
    t.end();
  });

  void t.test(
    `${voice}: the files are 16-bit mono PCM at the rate of their folder, whole and without extra chunks`,
    (t) => {
      for (const { name, file, rate } of files(voice)) t.same(header(file), canonical(rate, file.length), name);
      t.end();
    },
  );

  void t.test(`${voice}: nothing clips and everything is equally loud`, (t) => {
    for (const { name, pcm } of speech(voice)) {
      const peak = pcm.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      t.ok(peak < 32768 * 0.9, `${name}: peak ${peak}`);
      const rms = 20 * Math.log10(rootMeanSquare(pcm.samples) / 32768);
      t.ok(rms > -24 && rms < -17, `${name}: rms ${rms.toFixed(1)} dBFS with its pauses`);
      const active = activeDbfs(pcm);
      t.ok(Math.abs(active + 18) < 0.5, `${name}: ${active.toFixed(1)} dBFS over its speech`);
    }
    t.end();
  });

  void t.test(`${voice}: speech begins and ends with a short silence, so that pieces can follow one another`, (t) => {
    for (const { name, pcm, rate } of speech(voice)) {
      const { leadMs, tailMs } = edges(pcm);
      // The fade and the "s" that 8 kHz loses only ever lengthen the silence.
      const mostMs = rate === 16000 ? 100 : 300;
      t.ok(leadMs >= 60 && leadMs <= mostMs, `${name}: ${leadMs} ms before`);
      t.ok(tailMs >= 60 && tailMs <= mostMs, `${name}: ${tailMs} ms after`);
    }
    for (const id of ids) {
      const [narrow, wide] = rates.map((rate) => durationMs(join(voice, String(rate), `${id}.wav`)));
      t.equal(narrow, wide, `${id}: as long at 8 kHz as at 16 kHz`);
    }
    t.end();
  });
}

void t.test('an id is in one voice only', (t) => {
  const ids = voices.flatMap((voice) => [...readList(join(prompts, voice, 'texts.yaml')).keys()]);
  t.same(ids.sort(), [...new Set(ids)].sort());
  t.end();
});

void t.test('all digits and letters can be said', (t) => {
  const ids = readList(join(prompts, 'en/asterisk-core-sounds/texts.yaml'));
  for (const digit of '0123456789') t.ok(ids.has(`digit-${digit}`), digit);
  for (const letter of 'abcdefghijklmnopqrstuvwxyz') t.ok(ids.has(`letter-${letter}`), letter);
  t.end();
});

void t.test('every borrowed piece names where it comes from, and carries its licence', (t) => {
  const folder = join(prompts, 'en/asterisk-core-sounds');
  t.same([...readList(join(folder, 'sources.yaml')).keys()], [...readList(join(folder, 'texts.yaml')).keys()]);
  for (const borrowed of [folder, join(prompts, 'music')]) {
    t.match(readFileSync(join(borrowed, 'LICENSE'), 'utf8'), /^Creative Commons Attribution-ShareAlike 3\.0/);
    t.match(readFileSync(join(borrowed, 'ATTRIBUTION.md'), 'utf8'), /Changes made/);
  }
  t.end();
});

void t.test('the hold music repeats without a click', (t) => {
  const path = join(prompts, 'music/8000/hold.wav');
  const { samples } = readWav(path);
  t.same(header(readFileSync(path)), canonical(8000, statSync(path).size));
  // A click is a bend in the wave that its surroundings do not have. Of loops cut anywhere in this music, nine in ten bend by
  // more than 1.5 times the root mean square of the 50 ms on both sides.
  const around = [...samples.slice(-400), ...samples.slice(0, 400)];
  const bends = around.slice(2).map((sample, i) => sample - 2 * (around[i + 1] ?? 0) + (around[i] ?? 0));
  const atSeam = Math.max(...bends.slice(398, 400).map(Math.abs)) / rootMeanSquare(bends);
  t.ok(atSeam < 1, `the bend at the seam is ${atSeam.toFixed(2)} of the usual`);
  t.ok(samples.length >= 20 * 8000 && statSync(path).size < 500_000);
  t.end();
});

void t.test('all prompts together are below 13 MiB', (t) => {
  const bytes = readdirSync(prompts, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(prompts, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
  t.ok(bytes > 1_000_000 && bytes < 13 * 1024 * 1024, `${bytes} bytes`);
  t.end();
});

function wavs(voice: string, rate: number): string[] {
  const folder = join(prompts, voice, String(rate));
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function files(voice: string) {
  return rates.flatMap((rate) =>
    wavs(voice, rate).map((file) => {
      const name = join(voice, String(rate), file);
      return { name, rate, file: readFileSync(join(prompts, name)) };
    }),
  );
}

function speech(voice: string) {
  return files(voice).map(({ name, rate }) => ({ name, rate, pcm: readWav(join(prompts, name)) }));
}

function durationMs(name: string): number {
  const { rate, samples } = readWav(join(prompts, name));
  return (samples.length / rate) * 1000;
}

function rootMeanSquare(samples: Int16Array | readonly number[]): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / samples.length);
}

/** The 44 bytes before the samples, read without the code that wrote them. */
function header(file: Buffer) {
  return {
    riff: file.toString('latin1', 0, 4),
    riffBytes: file.readUInt32LE(4),
    wave: file.toString('latin1', 8, 16),
    formatBytes: file.readUInt32LE(16),
    codec: file.readUInt16LE(20),
    channels: file.readUInt16LE(22),
    rate: file.readUInt32LE(24),
    bytesPerSecond: file.readUInt32LE(28),
    bytesPerFrame: file.readUInt16LE(32),
    bits: file.readUInt16LE(34),
    data: file.toString('latin1', 36, 40),
    dataBytes: file.readUInt32LE(40),
  };
}

function canonical(rate: number, fileBytes: number): ReturnType<typeof header> {
  return {
    riff: 'RIFF',
    riffBytes: fileBytes - 8,
    wave: 'WAVEfmt ',
    formatBytes: 16,
    codec: 1,
    channels: 1,
    rate,
    bytesPerSecond: 2 * rate,
    bytesPerFrame: 2,
    bits: 16,
    data: 'data',
    dataBytes: fileBytes - 44,
  };
}

void t.test('a recording that is gone is found by its text', async (t) => {
  const folder = t.testdir({ 'texts.yaml': 'beep: beep\ngoodbye: Goodbye.\n', 8000: { 'beep.wav': '' } });
  t.same(missingPrompts([folder]), ['goodbye']);
  t.same(missingPrompts(), [], 'none of ours');
});
