// One loudness and one edge of silence for every prompt, so that pieces of two voices can be said in one sentence.

import type { Pcm } from './wav.ts';

/** Active level of every prompt. As shipped, Debian's recordings lie between -19 and -12; -18 leaves room for their peaks. */
export const targetDbfs = -18;

/** No sample may be louder. */
export const peakLimitDbfs = -1;

/** Silence before and after the speech: two pieces in a row are 140 ms apart, about a short pause in speech. */
export const edgeMs = 70;

/** Quieter than this is silence, once the level is right: below the softest "f", above the noise of the recordings. */
export const silenceDbfs = -50;

const frameMs = 10;
const fadeMs = 10;

/** The same speech at 8 and at 16 kHz, not shifted against each other. */
export type RatePair = { readonly narrow: Pcm; readonly wide: Pcm };

/**
 * Sets the level, cuts or pads the silence at both ends, fades the cuts. Where the speech begins and ends is decided at
 * 16 kHz, because an "s" at the edge is hardly there at 8 kHz; or later, where a soft sound is louder among fewer.
 * Throws when the peak would be above the limit.
 */
export function finish({ narrow, wide }: RatePair): RatePair {
  const levelled = level(wide);
  const narrowed = level(narrow);
  const [high, low] = [levelled, narrowed].map(({ samples, rate }) => speechFrames(samples, rate));
  const speech = { first: Math.min(high!.first, low!.first), last: Math.max(high!.last, low!.last) };
  return { narrow: cut(narrowed, speech), wide: cut(levelled, speech) };
}

type Levelled = { readonly rate: number; readonly samples: Float64Array };

function level(pcm: Pcm): Levelled {
  const gain = 10 ** ((targetDbfs - activeDbfs(pcm)) / 20);
  return { rate: pcm.rate, samples: Float64Array.from(pcm.samples, (sample) => sample * gain) };
}

function cut({ rate, samples }: Levelled, { first, last }: { first: number; last: number }): Pcm {
  const perMs = rate / 1000;
  const from = (first * frameMs - edgeMs) * perMs;
  const to = ((last + 1) * frameMs + edgeMs) * perMs;
  const [start, end] = [Math.max(from, 0), Math.min(to, samples.length)];
  const out = new Int16Array(to - from);
  for (let at = start; at < end; at++) {
    const fade = Math.min(1, (at - start) / (fadeMs * perMs), (end - 1 - at) / (fadeMs * perMs));
    out[at - from] = Math.round((samples[at] ?? 0) * fade);
  }
  const pcm = { rate, samples: out };
  if (peakDbfs(pcm) > peakLimitDbfs) throw new Error(`peak above ${peakLimitDbfs} dBFS; lower targetDbfs`);
  return pcm;
}

/** RMS of the 10 ms frames within 30 dB of the loudest one, in dB below full scale: pauses do not count. */
export function activeDbfs({ rate, samples }: Pcm): number {
  const powers = framePowers(samples, rate);
  const gate = Math.max(...powers) / 1000;
  const active = powers.filter((power) => power > gate);
  return toDbfs(active.reduce((sum, power) => sum + power, 0) / active.length);
}

export function peakDbfs({ samples }: Pcm): number {
  return toDbfs(samples.reduce((peak, sample) => Math.max(peak, sample * sample), 0));
}

/** Milliseconds of silence before and after the speech, in steps of 10. */
export function edges({ rate, samples }: Pcm): { leadMs: number; tailMs: number } {
  const { first, last, count } = speechFrames(samples, rate);
  return { leadMs: first * frameMs, tailMs: (count - 1 - last) * frameMs };
}

function speechFrames(samples: ArrayLike<number>, rate: number): { first: number; last: number; count: number } {
  const loud = framePowers(samples, rate).map((power) => toDbfs(power) > silenceDbfs);
  return { first: loud.indexOf(true), last: loud.lastIndexOf(true), count: loud.length };
}

function framePowers(samples: ArrayLike<number>, rate: number): number[] {
  const size = (rate * frameMs) / 1000;
  const powers: number[] = [];
  for (let at = 0; at + size <= samples.length; at += size) {
    let sum = 0;
    for (let i = at; i < at + size; i++) sum += (samples[i] ?? 0) ** 2;
    powers.push(sum / size);
  }
  return powers;
}

function toDbfs(power: number): number {
  return 10 * Math.log10(power / 32768 ** 2);
}
