/** What the readers of sound files have in common. */

/** Rates in Hz that a file may have; what no leg speaks is brought to 16 kHz. */
const FILE_RATES = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] as const;

export type FileRate = (typeof FILE_RATES)[number];

export type Refused = { readonly kind: 'refused'; readonly reason: string };

/** Mono, as the file has it. */
export type SoundFile = { readonly kind: 'read'; readonly rate: FileRate; readonly samples: Int16Array } | Refused;

/** Ten minutes: longer sound is music for a folder of pieces. */
export const MAX_FILE_SECONDS = 600;

export const TOO_LONG = refuse(`longer than ${MAX_FILE_SECONDS / 60} minutes; cut it into pieces`);

export function isFileRate(rate: number): rate is FileRate {
  return (FILE_RATES as readonly number[]).includes(rate);
}

export function refuse(reason: string): Refused {
  return { kind: 'refused', reason };
}

/** What was decoded piece by piece, in one. */
export function joined(pieces: readonly Int16Array[], count: number): Int16Array {
  const samples = new Int16Array(count);
  let at = 0;
  for (const piece of pieces) {
    const part = piece.subarray(0, count - at);
    samples.set(part, at);
    at += part.length;
  }
  return samples;
}
