/** Tones to send, and finding them again by frequency. 8 kHz linear. */

/** `count` samples of one tone, beginning at sample `from` so that frames join without a click. */
export function toneSamples(hz: number, count: number, from = 0, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: count }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * (from + i)) / 8000)),
  );
}

/** Share of the signal's energy at that frequency, 0 to 1 (Goertzel). */
export function toneShare(samples: Int16Array, hz: number): number {
  const turn = (2 * Math.PI * hz) / 8000;
  let real = 0;
  let imaginary = 0;
  let energy = 0;
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i]!;
    real += value * Math.cos(turn * i);
    imaginary += value * Math.sin(turn * i);
    energy += value * value;
  }
  return energy === 0 ? 0 : (2 * (real * real + imaginary * imaginary)) / (samples.length * energy);
}

/** Root mean square, to tell sound from silence. */
export function loudness(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / Math.max(1, samples.length));
}
