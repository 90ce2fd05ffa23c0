/**
 * The sealed container: how recorded audio lies on a disk. docs/reference/sealed-container.md is its specification;
 * this file is its only implementation.
 *
 *   header    "wardline-sealed 1\n"  u32 length  age file holding the 32-byte data key  SHA-256 of all that
 *   segments  "WSEG"  u32 number  u32 length  AES-256-GCM ciphertext and tag        at most one second of audio each
 *
 * The nonce of a segment is its number and whether it is the last one (the STREAM construction), the additional data is
 * the header's hash. So segments cannot be reordered, swapped between files or cut off unnoticed, a cut file opens up to its last whole
 * segment, and a damaged segment costs only itself: the next one is found by its mark.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { Decrypter, Encrypter } from 'age-encryption';

export type AudioEncoding = 'PCMU' | 'PCMA' | 'L16';

/** L16 is signed, 16 bits, little-endian (as in a WAV file); several channels are interleaved sample by sample. */
export interface AudioFormat {
  readonly encoding: AudioEncoding;
  readonly rate: number;
  readonly channels: number;
}

export type Metadata = Readonly<Record<string, string | number | boolean | null>>;

/** Where sealed bytes go, in order. Never given plaintext. */
export interface SealedSink {
  append(bytes: Uint8Array): Promise<void>;
  /** Makes what was appended durable and releases it. */
  close(): Promise<void>;
}

export type OpenResult =
  | {
      readonly kind: 'opened';
      readonly format: AudioFormat;
      readonly metadata: Metadata;
      /** All audio that could be opened, in order; lost segments are left out. */
      readonly audio: Uint8Array;
      /** `truncated`: the writer never finished, or the end was cut off. */
      readonly ending: 'complete' | 'truncated';
      /** Numbers of segments that are missing or do not authenticate; [] for an unharmed file. */
      readonly damaged: readonly number[];
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

/**
 * notSealed: not such a file; unsupportedVersion: made by a newer version; wrongKey: none of the identities is a recipient;
 * damaged: the header or both copies of the description are; truncated: the cut is before the first audio.
 */
export type RefusalReason = 'notSealed' | 'unsupportedVersion' | 'wrongKey' | 'damaged' | 'truncated';

export type SealErrorCode =
  | 'noRecipients'
  | 'badRecipient'
  | 'badFormat'
  | 'badMetadata'
  | 'tooLong'
  | 'sinkFailed'
  | 'sinkTooSlow';

export class SealError extends Error {
  readonly code: SealErrorCode;
  constructor(code: SealErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SealError';
    this.code = code;
  }
}

const MAGIC = Buffer.from('wardline-sealed ');
const VERSION_LINE = Buffer.from('wardline-sealed 1\n');
const MARK = Buffer.from('WSEG');
const FRAME_BYTES = 12;
const TAG_BYTES = 16;
const HASH_BYTES = 32;
/** An age header of 16 recipients takes about 2 kB. */
const MAX_WRAPPED_BYTES = 65_536;
/** One second of 48 kHz stereo L16 is 192 000 bytes. */
const MAX_SEGMENT_BYTES = 262_144;
const MAX_METADATA_BYTES = 16_384;
/** Sealed bytes waiting for a slow disk: about two minutes of telephone audio. */
const MAX_WAITING_BYTES = 1_048_576;
/** A day of audio. The numbers between two segments are listed as lost ones, so they must have an end. */
const MAX_SEGMENTS = 86_400 + 2;
/** The description is written twice, so that one damaged place costs nothing. */
const DESCRIPTION_COPIES = 2;

export interface SealOptions {
  readonly sink: SealedSink;
  /** age X25519 recipients (age1…), at least one; each of them alone can open the file. */
  readonly recipients: readonly string[];
  readonly format: AudioFormat;
  readonly metadata: Metadata;
  /** Told once when the sink fails or falls behind; nothing is written after that. */
  readonly onFailure?: (error: SealError) => void;
}

/** Seals audio while it arrives. Plaintext waits in memory for at most one second and is overwritten after sealing. */
export class SealedWriter {
  readonly #key: Buffer;
  readonly #headerHash: Buffer;
  readonly #options: SealOptions;
  readonly #pending: Buffer;
  #pendingBytes = 0;
  #number = 0;
  #waitingBytes = 0;
  #tail: Promise<void> = Promise.resolve();
  #failure: SealError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: SealOptions, key: Buffer, header: Buffer) {
    this.#options = options;
    this.#key = key;
    this.#headerHash = header.subarray(-HASH_BYTES);
    this.#pending = Buffer.alloc(bytesPerSecond(options.format));
    this.#append(header);
    const description = Buffer.from(JSON.stringify({ format: options.format, metadata: options.metadata }));
    for (let copy = 0; copy < DESCRIPTION_COPIES; copy++) this.#seal(description, false);
  }

  /** Throws SealError noRecipients, badRecipient, badFormat or badMetadata before anything is written. */
  static async open(options: SealOptions): Promise<SealedWriter> {
    if (!isFormat(options.format)) throw new SealError('badFormat', `${JSON.stringify(options.format)} is no format`);
    if (Buffer.byteLength(JSON.stringify(options.metadata)) > MAX_METADATA_BYTES) {
      throw new SealError('badMetadata', `metadata is larger than ${MAX_METADATA_BYTES} bytes`);
    }
    const key = randomBytes(32);
    return new SealedWriter(options, key, await makeHeader(key, options.recipients));
  }

  /** Takes audio in the declared format, any length. Ignored after close or failure. */
  push(audio: Uint8Array): void {
    if (this.#closed !== undefined || this.#failure !== undefined) return;
    for (let at = 0; at < audio.length; ) {
      const taken = Math.min(audio.length - at, this.#pending.length - this.#pendingBytes);
      this.#pending.set(audio.subarray(at, at + taken), this.#pendingBytes);
      this.#pendingBytes += taken;
      at += taken;
      if (this.#pendingBytes === this.#pending.length) this.#flush(false);
    }
  }

  /** Resolves when everything pushed so far, up to the last whole second, is with the sink, or the sink has failed. */
  drained(): Promise<void> {
    return this.#tail;
  }

  get failure(): SealError | undefined {
    return this.#failure;
  }

  /** Seals the rest as the last segment. May be called twice. Rejects with the failure, if there was one. */
  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  async #finish(): Promise<void> {
    if (this.#failure === undefined) this.#flush(true);
    this.#key.fill(0);
    await this.#tail;
    try {
      await this.#options.sink.close();
    } catch (cause) {
      this.#fail(new SealError('sinkFailed', 'the sealed file could not be completed', cause));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #flush(isLast: boolean): void {
    this.#seal(this.#pending.subarray(0, this.#pendingBytes), isLast);
    this.#pending.fill(0, 0, this.#pendingBytes);
    this.#pendingBytes = 0;
  }

  #seal(plain: Uint8Array, isLast: boolean): void {
    if (this.#number >= MAX_SEGMENTS) {
      this.#fail(new SealError('tooLong', `a recording has at most ${MAX_SEGMENTS} segments of a second`));
      return;
    }
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce(this.#number, isLast));
    cipher.setAAD(this.#headerHash);
    const body = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    const frame = Buffer.alloc(FRAME_BYTES);
    MARK.copy(frame);
    frame.writeUInt32BE(this.#number, 4);
    frame.writeUInt32BE(body.length, 8);
    this.#number += 1;
    this.#append(Buffer.concat([frame, body]));
  }

  #append(bytes: Buffer): void {
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#fail(new SealError('sinkTooSlow', `more than ${MAX_WAITING_BYTES} sealed bytes wait for the disk`));
      return;
    }
    this.#tail = this.#tail.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        await this.#options.sink.append(bytes);
        this.#waitingBytes -= bytes.length;
      } catch (cause) {
        this.#fail(new SealError('sinkFailed', 'sealed audio could not be written', cause));
      }
    });
  }

  #fail(error: SealError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#pending.fill(0);
    this.#options.onFailure?.(error);
  }
}

/**
 * Opens a whole container held in memory. Never throws on bad input. `identities` are age identities (AGE-SECRET-KEY-1…); one of them
 * must belong to a recipient.
 */
export async function openSealed(file: Uint8Array, identities: readonly string[]): Promise<OpenResult> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const header = readHeader(bytes);
  if (header.kind === 'refused') return header;
  const key = await unwrapKey(header.wrapped, identities);
  if (key === undefined) return refuse('wrongKey');
  try {
    return describe(readSegments(bytes.subarray(header.sizeBytes), key, header.hash));
  } finally {
    key.fill(0);
  }
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

/** Whoever knows a recipient can seal a file for it: that a segment opens does not mean that we wrote it. */
function readDescription(plain: Buffer): { format: AudioFormat; metadata: Metadata } | undefined {
  let said: { format?: unknown; metadata?: unknown } | null;
  try {
    said = JSON.parse(plain.toString('utf8')) as typeof said;
  } catch {
    return undefined;
  }
  const { format, metadata } = said ?? {};
  return isFormat(format) && isMetadata(metadata) ? { format, metadata } : undefined;
}

/** A second of it must fit into a segment. */
function isFormat(given: unknown): given is AudioFormat {
  if (typeof given !== 'object' || given === null) return false;
  const { encoding, rate, channels } = given as Partial<AudioFormat>;
  if (encoding !== 'PCMU' && encoding !== 'PCMA' && encoding !== 'L16') return false;
  if (!Number.isInteger(rate) || !Number.isInteger(channels) || Number(rate) < 1 || Number(channels) < 1) return false;
  return bytesPerSecond(given as AudioFormat) <= MAX_SEGMENT_BYTES;
}

function isMetadata(given: unknown): given is Metadata {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  return Object.values(given).every((value) => value === null || typeof value !== 'object');
}

interface FoundSegments {
  readonly segments: readonly { number: number; plain: Buffer }[];
  readonly damaged: readonly number[];
  readonly isComplete: boolean;
}

function readSegments(bytes: Buffer, key: Buffer, headerHash: Buffer): FoundSegments {
  const segments: { number: number; plain: Buffer }[] = [];
  const damaged: number[] = [];
  let expected = 0;
  let isComplete = false;
  for (let at = 0; at < bytes.length && !isComplete; ) {
    const segment = openSegmentAt(bytes, at, key, headerHash);
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

function openSegmentAt(bytes: Buffer, at: number, key: Buffer, headerHash: Buffer) {
  const frame = readFrame(bytes, at);
  if (frame === undefined) return undefined;
  const body = bytes.subarray(at + FRAME_BYTES, at + FRAME_BYTES + frame.bodyBytes);
  if (body.length < frame.bodyBytes) return undefined;
  for (const isLast of [false, true]) {
    const plain = decrypt(body, key, nonce(frame.number, isLast), headerHash);
    if (plain !== undefined) return { number: frame.number, plain, isLast, sizeBytes: FRAME_BYTES + body.length };
  }
  return undefined;
}

function endsWithWholeSegment(bytes: Buffer, number: number): boolean {
  for (let at = bytes.lastIndexOf(MARK); at !== -1; at = at === 0 ? -1 : bytes.lastIndexOf(MARK, at - 1)) {
    const frame = readFrame(bytes, at);
    if (frame?.number === number) return at + FRAME_BYTES + frame.bodyBytes <= bytes.length;
  }
  return false;
}

function readFrame(bytes: Buffer, at: number): { number: number; bodyBytes: number } | undefined {
  if (bytes.length - at < FRAME_BYTES || bytes.compare(MARK, 0, MARK.length, at, at + MARK.length) !== 0)
    return undefined;
  const bodyBytes = bytes.readUInt32BE(at + 8);
  if (bodyBytes < TAG_BYTES || bodyBytes > MAX_SEGMENT_BYTES + TAG_BYTES) return undefined;
  const number = bytes.readUInt32BE(at + 4);
  return number < MAX_SEGMENTS ? { number, bodyBytes } : undefined;
}

function decrypt(body: Buffer, key: Buffer, iv: Buffer, aad: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  const plain = decipher.update(body.subarray(0, -TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    // Authentication failed: the only way node:crypto has to say it.
    return undefined;
  }
}

/** 7 zero bytes, the number (32 bits), 1 for the last segment: no nonce is ever used twice with one data key. */
function nonce(number: number, isLast: boolean): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(number, 7);
  iv[11] = isLast ? 1 : 0;
  return iv;
}

async function makeHeader(key: Buffer, recipients: readonly string[]): Promise<Buffer> {
  if (recipients.length === 0) throw new SealError('noRecipients', 'a recording needs at least one recipient (age1…)');
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (cause) {
      throw new SealError('badRecipient', `${recipient.slice(0, 80)} is not an age recipient (age1…)`, cause);
    }
  }
  const wrapped = Buffer.from(await encrypter.encrypt(key));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(wrapped.length);
  const unsigned = Buffer.concat([VERSION_LINE, length, wrapped]);
  return Buffer.concat([unsigned, sha256(unsigned)]);
}

type Header =
  | { readonly kind: 'read'; readonly wrapped: Buffer; readonly hash: Buffer; readonly sizeBytes: number }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

/** The hash tells a damaged header from a wrong key; that it is authentic is known only when a segment opens. */
function readHeader(bytes: Buffer): Header {
  const magic = bytes.subarray(0, MAGIC.length);
  if (!magic.equals(MAGIC.subarray(0, magic.length)) || magic.length === 0) return refuse('notSealed');
  const line = bytes.subarray(0, VERSION_LINE.length);
  if (!line.equals(VERSION_LINE.subarray(0, line.length))) return refuse('unsupportedVersion');
  const lengthAt = VERSION_LINE.length;
  if (bytes.length < lengthAt + 4) return refuse('truncated');
  const wrappedBytes = bytes.readUInt32BE(lengthAt);
  if (wrappedBytes > MAX_WRAPPED_BYTES) return refuse('damaged');
  const hashAt = lengthAt + 4 + wrappedBytes;
  if (bytes.length < hashAt + HASH_BYTES) return refuse('truncated');
  const hash = bytes.subarray(hashAt, hashAt + HASH_BYTES);
  if (!sha256(bytes.subarray(0, hashAt)).equals(hash)) return refuse('damaged');
  return { kind: 'read', wrapped: bytes.subarray(lengthAt + 4, hashAt), hash, sizeBytes: hashAt + HASH_BYTES };
}

async function unwrapKey(wrapped: Buffer, identities: readonly string[]): Promise<Buffer | undefined> {
  const decrypter = new Decrypter();
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
    const key = Buffer.from(await decrypter.decrypt(wrapped));
    return key.length === 32 ? key : undefined;
  } catch {
    // The header's hash was right, so what remains is that no identity fits.
    return undefined;
  }
}

function refuse(reason: RefusalReason): { readonly kind: 'refused'; readonly reason: RefusalReason } {
  return { kind: 'refused', reason };
}

function bytesPerSecond(format: AudioFormat): number {
  return format.rate * format.channels * (format.encoding === 'L16' ? 2 : 1);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
