import { readFileSync, writeFileSync } from 'node:fs';

/** Mono 16-bit sound as the tests handle it. */
export interface Sound {
  readonly rateHz: number;
  readonly samples: Int16Array;
}

/** `count` samples of one tone at 8 kHz, beginning at sample `from` so that frames join without a click. */
export function toneSamples(hz: number, count: number, from = 0, amplitude = 8000, rateHz = 8000): Int16Array {
  return Int16Array.from({ length: count }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * (from + i)) / rateHz)),
  );
}

/** A sine as a WAV file that a phone can play. */
export function writeTone(path: string, frequencyHz: number, seconds: number, rateHz = 8000): void {
  writeWav(path, { rateHz, samples: toneSamples(frequencyHz, seconds * rateHz, 0, 9000, rateHz) });
}

export function writeWav(path: string, sound: Sound): void {
  writeFileSync(path, wavBytes(sound));
}

/** Mono PCM, as prompts are. */
export function wavBytes(sound: Sound): Buffer {
  const data = Buffer.from(sound.samples.buffer, sound.samples.byteOffset, sound.samples.byteLength);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(sound.rateHz, 24);
  head.writeUInt32LE(sound.rateHz * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

/** Reads a WAV also while it is being written, when its header does not know the length yet. */
export function readWav(path: string): Sound {
  const file = readFileSync(path);
  let rateHz = 8000;
  let at = 12;
  while (at + 8 <= file.length) {
    const id = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    if (id === 'fmt ') rateHz = file.readUInt32LE(at + 12);
    if (id === 'data') {
      const to = size === 0 || at + 8 + size > file.length ? file.length : at + 8 + size;
      const bytes = Uint8Array.from(file.subarray(at + 8, to - ((to - at) % 2)));
      return { rateHz, samples: new Int16Array(bytes.buffer, 0, Math.floor(bytes.length / 2)) };
    }
    at += 8 + size + (size % 2);
  }
  return { rateHz, samples: new Int16Array(0) };
}

/** Share of the sound's energy at one frequency, 0…1, in the last `seconds` (all when left out). Goertzel. */
export function shareOf(sound: Sound, frequencyHz: number, from = 0, seconds = Number.POSITIVE_INFINITY): number {
  const start = Math.max(0, Math.round(from * sound.rateHz));
  const end = Math.min(sound.samples.length, start + Math.round(Math.min(seconds, 3600) * sound.rateHz));
  const n = end - start;
  if (n < sound.rateHz / 50) return 0;
  const w = (2 * Math.PI * frequencyHz) / sound.rateHz;
  const k = 2 * Math.cos(w);
  let s1 = 0;
  let s2 = 0;
  let energy = 0;
  for (let i = start; i < end; i++) {
    const x = sound.samples[i] ?? 0;
    const s = x + k * s1 - s2;
    s2 = s1;
    s1 = s;
    energy += x * x;
  }
  if (energy < n * 25) return 0;
  return (s1 * s1 + s2 * s2 - k * s1 * s2) / (energy * (n / 2));
}

/** Share of the energy of 8 kHz samples at one frequency, 0…1. */
export function toneShare(samples: Int16Array, hz: number): number {
  return shareOf({ rateHz: 8000, samples }, hz);
}

/** Root mean square, to tell sound from silence. */
export function loudness(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / Math.max(1, samples.length));
}

/** Longest stretch in seconds in which the tone is plainly there (100 ms windows, `share` of the energy). */
export function heardFor(sound: Sound | undefined, frequencyHz: number, share = 0.5): number {
  if (sound === undefined) return 0;
  let longest = 0;
  let run = 0;
  for (let at = 0; at + 0.1 <= sound.samples.length / sound.rateHz; at += 0.1) {
    run = shareOf(sound, frequencyHz, at, 0.1) > share ? run + 0.1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

/**
 * How well `piece` is found somewhere in `sound`: best normalised cross-correlation, 1 = it is there sample for sample.
 * Done through an FFT; both must have the same rate.
 */
export function find(piece: Sound, sound: Sound): { readonly score: number; readonly atSeconds: number } {
  const m = piece.samples.length;
  const n = sound.samples.length;
  if (m === 0 || n < m) return { score: 0, atSeconds: 0 };
  let size = 1;
  while (size < n + m) size *= 2;
  const a = new Float64Array(size * 2);
  const b = new Float64Array(size * 2);
  let pieceEnergy = 0;
  for (let i = 0; i < n; i++) a[2 * i] = sound.samples[i] ?? 0;
  for (let i = 0; i < m; i++) {
    const x = piece.samples[i] ?? 0;
    b[2 * i] = x;
    pieceEnergy += x * x;
  }
  fft(a, false);
  fft(b, false);
  for (let i = 0; i < size; i++) {
    const ar = a[2 * i] ?? 0;
    const ai = a[2 * i + 1] ?? 0;
    const br = b[2 * i] ?? 0;
    const bi = -(b[2 * i + 1] ?? 0);
    a[2 * i] = ar * br - ai * bi;
    a[2 * i + 1] = ar * bi + ai * br;
  }
  fft(a, true);
  let windowEnergy = 0;
  for (let i = 0; i < m; i++) windowEnergy += (sound.samples[i] ?? 0) ** 2;
  let best = 0;
  let at = 0;
  for (let i = 0; i + m <= n; i++) {
    if (windowEnergy > pieceEnergy * 0.05) {
      const score = (a[2 * i] ?? 0) / Math.sqrt(pieceEnergy * windowEnergy);
      if (score > best) {
        best = score;
        at = i;
      }
    }
    windowEnergy += (sound.samples[i + m] ?? 0) ** 2 - (sound.samples[i] ?? 0) ** 2;
  }
  return { score: best, atSeconds: at / sound.rateHz };
}

/** In-place radix-2 FFT over interleaved complex numbers; the inverse is scaled. */
function fft(x: Float64Array, inverse: boolean): void {
  const n = x.length / 2;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      for (const part of [0, 1]) {
        const keep = x[2 * i + part] ?? 0;
        x[2 * i + part] = x[2 * j + part] ?? 0;
        x[2 * j + part] = keep;
      }
    }
  }
  for (let len = 2; len <= n; len <<= 1) {
    const angle = ((inverse ? 2 : -2) * Math.PI) / len;
    const wr = Math.cos(angle);
    const wi = Math.sin(angle);
    for (let i = 0; i < n; i += len) {
      let cr = 1;
      let ci = 0;
      for (let k = 0; k < len / 2; k++) {
        const p = 2 * (i + k);
        const q = 2 * (i + k + len / 2);
        const qr = (x[q] ?? 0) * cr - (x[q + 1] ?? 0) * ci;
        const qi = (x[q] ?? 0) * ci + (x[q + 1] ?? 0) * cr;
        x[q] = (x[p] ?? 0) - qr;
        x[q + 1] = (x[p + 1] ?? 0) - qi;
        x[p] = (x[p] ?? 0) + qr;
        x[p + 1] = (x[p + 1] ?? 0) + qi;
        const next = cr * wr - ci * wi;
        ci = cr * wi + ci * wr;
        cr = next;
      }
    }
  }
  if (inverse) for (let i = 0; i < x.length; i++) x[i] = (x[i] ?? 0) / n;
}
