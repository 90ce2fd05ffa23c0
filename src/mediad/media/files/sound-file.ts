/** A prompt or a piece of music, known by how it begins and not by its name: WAV, MP3, Opus. */
import type { AudioRate } from '../codec/codec-types.ts';
import { inWideBand } from '../codec/resample.ts';
import { isOgg, readOggOpus } from './ogg-opus.ts';
import { readMp3 } from './mp3.ts';
import type { Refused, SoundFile } from './sound-format.ts';
import { isWav, readWav } from './wav.ts';

/** Sound as legs can hear it, shared by whoever plays it. */
export interface HeldSound {
  readonly rate: AudioRate;
  readonly samples: Int16Array;
}

export type HeldResult = { readonly kind: 'held'; readonly sound: HeldSound } | Refused;

/** Compressed ones are unpacked one after the other: each is large while it is. */
let turn: Promise<unknown> = Promise.resolve();

/** Never rejects for what is in the file. */
export async function readSound(file: Buffer): Promise<HeldResult> {
  if (isWav(file)) return held(readWav(file));
  const mine = turn.then(async () => held(await (isOgg(file) ? readOggOpus(file) : readMp3(file))));
  turn = mine.catch(() => {});
  return mine;
}

async function held(read: SoundFile): Promise<HeldResult> {
  if (read.kind === 'refused') return read;
  const { rate, samples } = read;
  if (rate === 8000 || rate === 16_000) return { kind: 'held', sound: { rate, samples } };
  return { kind: 'held', sound: { rate: 16_000, samples: await inWideBand(samples, rate) } };
}
