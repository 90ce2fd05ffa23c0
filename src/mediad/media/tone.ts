/**
 * Tones described as FreeSWITCH's tone_stream does: `%(on,off,hz,hz…);…;v=dB;loops=n`. `%` is one tone, times in ms, loops -1 is endless.
 */
import type { AudioSource } from './audio-source.ts';
import type { AudioRate } from './codec/codec-types.ts';
import { SAMPLE_RATE } from './codec/g711.ts';

export interface ToneScript {
  readonly tones: readonly Tone[];
  /** Infinity for endless. */
  readonly loops: number;
}

interface Tone {
  readonly onMs: number;
  readonly offMs: number;
  readonly frequenciesHz: readonly number[];
  /** Peak of the sum of the frequencies. */
  readonly amplitude: number;
}

const MAX_TONES = 64;
const MAX_TONE_MS = 600_000;
const MAX_FREQUENCIES = 8;
/** FreeSWITCH's default level. */
const DEFAULT_DB = -7;

/** undefined if the script says anything else than what stands above. */
export function parseToneScript(text: string): ToneScript | undefined {
  const tones: Tone[] = [];
  let db = DEFAULT_DB;
  let loops = 1;
  for (const part of text.split(';').map((p) => p.trim())) {
    if (part === '') continue;
    const setting = /^(v|loops|L)=(-?\d{1,6})$/.exec(part);
    if (setting !== null) {
      const value = Number(setting[2]);
      if (setting[1] === 'v') db = Math.min(0, Math.max(-63, value));
      else loops = value < 0 ? Infinity : Math.max(1, value);
      continue;
    }
    const tone = parseTone(part, db);
    if (tone === undefined || tones.length === MAX_TONES) return undefined;
    tones.push(tone);
  }
  const totalMs = tones.reduce((sum, tone) => sum + tone.onMs + tone.offMs, 0);
  return totalMs === 0 ? undefined : { tones, loops };
}

function parseTone(part: string, db: number): Tone | undefined {
  const numbers = /^%\(([\d.,\s]{1,200})\)$/.exec(part)?.[1]?.split(',').map(Number);
  if (numbers === undefined || numbers.length < 3 || numbers.some((n) => !Number.isFinite(n))) return undefined;
  const [onMs, offMs, ...frequenciesHz] = numbers as [number, number, ...number[]];
  if (onMs > MAX_TONE_MS || offMs > MAX_TONE_MS || frequenciesHz.length > MAX_FREQUENCIES) return undefined;
  if (frequenciesHz.some((hz) => hz >= SAMPLE_RATE / 2)) return undefined;
  return { onMs, offMs, frequenciesHz, amplitude: 32_767 * 10 ** (db / 20) };
}

export class ToneSource implements AudioSource {
  readonly #script: ToneScript;
  readonly #rate: AudioRate;
  #loop = 0;
  #index = 0;
  #position = 0;

  constructor(script: ToneScript, rate: AudioRate = 8000) {
    this.#script = script;
    this.#rate = rate;
  }

  next(frame: Int16Array): number {
    for (let i = 0; i < frame.length; i++) {
      const tone = this.#current();
      if (tone === undefined) return i;
      frame[i] = this.#position < tone.onMs * this.#perMs ? sample(tone, this.#position / this.#rate) : 0;
      this.#position += 1;
    }
    return frame.length;
  }

  describe(): string {
    return `tone(${this.#script.tones.flatMap((tone) => tone.frequenciesHz).join('+')})`;
  }

  get #perMs(): number {
    return this.#rate / 1000;
  }

  #current(): Tone | undefined {
    for (;;) {
      const tone = this.#script.tones[this.#index];
      if (this.#loop >= this.#script.loops) return undefined;
      if (tone !== undefined && this.#position < (tone.onMs + tone.offMs) * this.#perMs) return tone;
      this.#position = 0;
      this.#index += 1;
      if (this.#index < this.#script.tones.length) continue;
      this.#index = 0;
      this.#loop += 1;
    }
  }
}

function sample(tone: Tone, seconds: number): number {
  let sum = 0;
  for (const hz of tone.frequenciesHz) sum += Math.sin(2 * Math.PI * hz * seconds);
  return Math.round((tone.amplitude * sum) / Math.max(1, tone.frequenciesHz.length));
}
