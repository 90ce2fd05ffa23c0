import {
  type AudioFormat,
  bytesPerSecond,
  DESCRIPTION_COPIES,
  FRAME_BYTES,
  HEADER_BYTES,
  MARK,
  type Metadata,
} from './container.ts';
import { openSegmentAt, readDescription, readFrame, readHeader, type RefusalReason, refuse } from './sealed-parts.ts';
import { type Identities, unwrapKey } from './wrap-key.ts';

export type OpenResult =
  | {
      readonly kind: 'opened';
      readonly format: AudioFormat;
      readonly metadata: Metadata;
      /** Of sound in a segment; the last one may be shorter. */
      readonly segmentMs: number;
      /** All audio that could be opened, in order; lost segments are left out. */
      readonly audio: Uint8Array;
      /** `truncated`: the writer never finished, or the end was cut off. */
      readonly ending: 'complete' | 'truncated';
      /** Numbers of segments that are missing or do not authenticate; [] for an unharmed file. */
      readonly damaged: readonly number[];
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

/**
 * Opens a whole container held in memory. Never throws on bad input. One of `identities` must belong to a
 * recipient.
 */
export async function openSealed(file: Uint8Array, identities: Identities): Promise<OpenResult> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const header = readHeader(bytes);
  if (header.kind === 'refused') return header;
  const key = await unwrapKey(header.slots, identities);
  if (key === undefined) return refuse('wrongKey');
  try {
    return describe(readSegments(bytes.subarray(HEADER_BYTES), key, header.name));
  } finally {
    key.fill(0);
  }
}

/** How long the sound of an opened container lasts. */
export function soundMs({ format, audio }: { readonly format: AudioFormat; readonly audio: Uint8Array }): number {
  return Math.round((audio.length * 1000) / bytesPerSecond(format));
}

/** The first description that opened, then all audio. */
function describe(found: FoundSegments): OpenResult {
  const isDescription = (segment: { number: number }) => segment.number < DESCRIPTION_COPIES;
  const description = found.segments.find(isDescription);
  if (description === undefined) return refuse(found.damaged.length === 0 ? 'truncated' : 'damaged');
  const described = readDescription(description.plain);
  if (described === undefined) return refuse('damaged');
  return {
    kind: 'opened',
    ...described,
    audio: Buffer.concat(found.segments.filter((s) => !isDescription(s)).map((s) => s.plain)),
    ending: found.isComplete ? 'complete' : 'truncated',
    damaged: found.damaged,
  };
}

interface FoundSegments {
  readonly segments: readonly { number: number; plain: Buffer }[];
  readonly damaged: readonly number[];
  readonly isComplete: boolean;
}

function readSegments(bytes: Buffer, key: Buffer, name: Buffer): FoundSegments {
  const segments: { number: number; plain: Buffer }[] = [];
  const damaged: number[] = [];
  let expected = 0;
  let isComplete = false;
  for (let at = 0; at < bytes.length && !isComplete; ) {
    const segment = openSegmentAt(bytes, at, key, name);
    if (segment === undefined || segment.number < expected) {
      // Not a whole segment here: look for the next mark. At the end of a cut file there is none.
      const next = bytes.indexOf(MARK, at + 1);
      if (next === -1) break;
      at = next;
      continue;
    }
    for (; expected < segment.number; expected++) damaged.push(expected);
    segments.push({ number: segment.number, plain: segment.plain });
    isComplete = segment.isLast;
    expected = segment.number + 1;
    at += segment.sizeBytes;
  }
  // A whole segment at the end that does not open was harmed, not cut.
  if (!isComplete && endsWithWholeSegment(bytes, expected)) damaged.push(expected);
  return { segments, damaged, isComplete };
}

function endsWithWholeSegment(bytes: Buffer, number: number): boolean {
  for (let at = bytes.lastIndexOf(MARK); at !== -1; at = at === 0 ? -1 : bytes.lastIndexOf(MARK, at - 1)) {
    const frame = readFrame(bytes, at);
    if (frame?.number === number) return at + FRAME_BYTES + frame.bodyBytes <= bytes.length;
  }
  return false;
}
