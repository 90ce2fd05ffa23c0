import { open, readFile, stat } from 'node:fs/promises';
import { type AudioFormat, DESCRIPTION_COPIES, HEADER_BYTES, MARK } from './container.ts';
import { openSegmentAt, readDescription, readHeader, type RefusalReason } from './sealed-parts.ts';
import { type Identities, unwrapKey } from './wrap-key.ts';

/** An hour of telephone audio is 29 MB; a message is minutes. */
const MAX_PLAYED_BYTES = 32 * 1024 * 1024;

export type KeyResult =
  | { readonly kind: 'unwrapped'; readonly key: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

/** The data key of a sealed file, for whoever plays it and has no identity. Rejects when the file cannot be read. */
export async function sealedKey(path: string, identities: Identities): Promise<KeyResult> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const header = readHeader(buffer.subarray(0, bytesRead));
    if (header.kind === 'refused') return header;
    const key = await unwrapKey(header.slots, identities);
    return key === undefined ? { kind: 'refused', reason: 'wrongKey' } : { kind: 'unwrapped', key };
  } finally {
    await file.close();
  }
}

/** Opens a container segment by segment while it is heard: no more than one of them is in clear at a time. */
export class SealedReader {
  readonly format: AudioFormat;
  readonly #bytes: Buffer;
  readonly #key: Buffer;
  readonly #name: Buffer;
  #at: number;
  #isOver = false;

  constructor(bytes: Buffer, key: Buffer, name: Buffer, at: number, format: AudioFormat) {
    this.#bytes = bytes;
    this.#key = key;
    this.#name = name;
    this.#at = at;
    this.format = format;
  }

  /** A string is the reason why it cannot be opened. */
  static async open(path: string, key: Uint8Array): Promise<SealedReader | RefusalReason | 'tooLarge'> {
    const { size } = await stat(path);
    if (size > MAX_PLAYED_BYTES) return 'tooLarge';
    const bytes = await readFile(path);
    const header = readHeader(bytes);
    if (header.kind === 'refused') return header.reason;
    const found = findDescription(bytes, HEADER_BYTES, Buffer.from(key), header.name);
    if (found === undefined) return 'wrongKey';
    return new SealedReader(bytes, Buffer.from(key), header.name, HEADER_BYTES, found.format);
  }

  /** The next segment that is whole; damaged ones are passed over. undefined at the end, when the key is wiped. */
  next(): Buffer | undefined {
    while (!this.#isOver) {
      const segment = openSegmentAt(this.#bytes, this.#at, this.#key, this.#name);
      if (segment === undefined) {
        const next = this.#bytes.indexOf(MARK, this.#at + 1);
        if (next === -1) this.close();
        else this.#at = next;
        continue;
      }
      this.#at += segment.sizeBytes;
      if (segment.isLast) this.close();
      if (segment.number >= DESCRIPTION_COPIES) return segment.plain;
    }
    return undefined;
  }

  /** May be called twice. */
  close(): void {
    this.#isOver = true;
    this.#key.fill(0);
  }
}

/** Both copies stand at the beginning; a damaged one is passed over. */
function findDescription(bytes: Buffer, from: number, key: Buffer, name: Buffer) {
  for (let at = from, looks = 0; at !== -1 && looks < DESCRIPTION_COPIES; looks++) {
    const segment = openSegmentAt(bytes, at, key, name);
    if (segment !== undefined && segment.number < DESCRIPTION_COPIES) return readDescription(segment.plain);
    at = bytes.indexOf(MARK, at + 1);
  }
  return undefined;
}
