import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type AudioFormat, segmentBytes } from './container.ts';
import { PCMA_SAMPLES, PCMU_SAMPLES } from './g711.ts';
import type { OpenResult } from './open-sealed.ts';

type OpenedMessage = Extract<OpenResult, { kind: 'opened' }>;

const HEADER_BYTES = 44;
/** Descriptions come first in the container; audio begins with this segment. */
const FIRST_AUDIO_SEGMENT = 2;

/**
 * Writes a WAV file of 16-bit PCM: every sample is exactly what G.711 says it is, so encoding it again gives the recorded
 * sound. A segment that was lost is silence, so that the rest keeps its time. Ends the stream; rejects if it fails.
 */
export async function exportWav(message: OpenedMessage, to: Writable): Promise<void> {
  await pipeline(wavPieces(message), to);
}

function* wavPieces(message: OpenedMessage): Generator<Uint8Array> {
  const { format } = message;
  const segments = audioSegments(message);
  const codeBytes = segments.reduce((sum, segment) => sum + segment.length, 0);
  yield header(format, format.encoding === 'L16' ? codeBytes : codeBytes * 2);
  for (const segment of segments) yield pcm(format, segment);
}

/** The audio in the segments it was sealed in, silence for those that are missing. */
function audioSegments(message: OpenedMessage): readonly Uint8Array[] {
  const wholeBytes = segmentBytes(message.format, message.segmentMs);
  const lost = new Set(message.damaged);
  // One for all of them: a file that says it lost a day must not take the memory of a day.
  const quiet = silence(message.format, wholeBytes);
  const segments: Uint8Array[] = [];
  let at = 0;
  for (let segment = FIRST_AUDIO_SEGMENT; at < message.audio.length || lost.has(segment); segment++) {
    if (lost.has(segment)) {
      segments.push(quiet);
      continue;
    }
    segments.push(message.audio.subarray(at, at + wholeBytes));
    at += wholeBytes;
  }
  return segments;
}

function silence(format: AudioFormat, bytes: number): Uint8Array {
  // The code words next to zero: 0xff in µ-law, 0xd5 in A-law.
  const word = { PCMU: 0xff, PCMA: 0xd5, L16: 0 }[format.encoding];
  return new Uint8Array(bytes).fill(word);
}

function pcm(format: AudioFormat, audio: Uint8Array): Uint8Array {
  if (format.encoding === 'L16') return audio;
  const samples = format.encoding === 'PCMU' ? PCMU_SAMPLES : PCMA_SAMPLES;
  const out = Buffer.alloc(audio.length * 2);
  for (let i = 0; i < audio.length; i++) out.writeInt16LE(samples[audio[i] ?? 0] ?? 0, i * 2);
  return out;
}

/** RIFF/WAVE, format 1 (PCM), little-endian. */
function header(format: AudioFormat, dataBytes: number): Buffer {
  const frameBytes = format.channels * 2;
  const out = Buffer.alloc(HEADER_BYTES);
  out.write('RIFF', 0, 'latin1');
  out.writeUInt32LE(HEADER_BYTES - 8 + dataBytes, 4);
  out.write('WAVEfmt ', 8, 'latin1');
  out.writeUInt32LE(16, 16);
  out.writeUInt16LE(1, 20);
  out.writeUInt16LE(format.channels, 22);
  out.writeUInt32LE(format.rate, 24);
  out.writeUInt32LE(format.rate * frameBytes, 28);
  out.writeUInt16LE(frameBytes, 32);
  out.writeUInt16LE(16, 34);
  out.write('data', 36, 'latin1');
  out.writeUInt32LE(dataBytes, 40);
  return out;
}
