import { unlink } from 'node:fs/promises';
import { type AudioFormat, bytesPerSecond, type Metadata } from './container.ts';
import { PCMA_SAMPLES, PCMU_SAMPLES } from './g711.ts';
import { openMessage } from './message.ts';
import { SealedFile } from './sealed-file.ts';
import type { RefusalReason } from './sealed-parts.ts';
import { SealedWriter } from './sealed-writer.ts';
import type { Identities } from './wrap-key.ts';

export type ResealResult =
  | { readonly kind: 'sealed'; readonly durationMs: number }
  | { readonly kind: 'refused'; readonly reason: RefusalReason | 'differentSound' };

/**
 * Seals what is in one or more sealed files, one behind the other, into a new file under a new data key: it can be opened by
 * `recipients`, and shredding one does nothing to the other. The sound is in memory for that long, and wiped. Rejects with what the disk
 * says; then there is no file.
 */
export async function resealFor(parts: {
  readonly from: readonly string[];
  /** Must not exist yet. */
  readonly to: string;
  readonly identities: Identities;
  readonly recipients: readonly string[];
  readonly metadata: Metadata;
}): Promise<ResealResult> {
  const { from, to, identities, recipients, metadata } = parts;
  const pieces: { readonly format: AudioFormat; readonly audio: Uint8Array }[] = [];
  try {
    for (const path of from) {
      const opened = await openMessage(path, identities);
      if (opened.kind === 'refused') return opened;
      pieces.push(opened);
    }
    const { format } = pieces.at(-1)!;
    if (!pieces.every((piece) => isAlike(piece.format, format))) return { kind: 'refused', reason: 'differentSound' };
    for (const piece of pieces) toLaw(piece.audio, piece.format, format);
    const sink = await SealedFile.create(to);
    try {
      const writer = await SealedWriter.open({ sink, recipients, format, metadata });
      for (const { audio } of pieces) {
        // A second at a time: the writer takes no more than its disk can follow.
        for (let at = 0; at < audio.length; at += bytesPerSecond(format)) {
          writer.push(audio.subarray(at, at + bytesPerSecond(format)));
          await writer.drained();
        }
      }
      await writer.close();
    } catch (error) {
      await sink.close().catch(() => {});
      await unlink(to);
      throw error;
    }
    const bytes = pieces.reduce((sum, { audio }) => sum + audio.length, 0);
    return { kind: 'sealed', durationMs: Math.round((bytes * 1000) / bytesPerSecond(format)) };
  } finally {
    for (const { audio } of pieces) audio.fill(0);
  }
}

function isAlike(a: AudioFormat, b: AudioFormat): boolean {
  const isLaw = ({ encoding }: AudioFormat) => encoding !== 'L16';
  return a.rate === b.rate && a.channels === b.channels && (a.encoding === b.encoding || (isLaw(a) && isLaw(b)));
}

/** In place. µ-law to A-law and back, code word by code word: the nearest sample that the other law has. */
function toLaw(audio: Uint8Array, from: AudioFormat, to: AudioFormat): void {
  if (from.encoding === to.encoding) return;
  const [known, wanted] = from.encoding === 'PCMU' ? [PCMU_SAMPLES, PCMA_SAMPLES] : [PCMA_SAMPLES, PCMU_SAMPLES];
  const words = Uint8Array.from(known, (sample) => nearest(wanted, sample));
  for (let i = 0; i < audio.length; i++) audio[i] = words[audio[i]!]!;
}

function nearest(samples: Int16Array, sample: number): number {
  let best = 0;
  for (let word = 1; word < samples.length; word++) {
    if (Math.abs(samples[word]! - sample) < Math.abs(samples[best]! - sample)) best = word;
  }
  return best;
}
