import { createCipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import {
  type AudioFormat,
  DESCRIPTION_COPIES,
  FRAME_BYTES,
  isFormat,
  MARK,
  MAX_SEGMENTS,
  type Metadata,
  NAME_BYTES,
  nonce,
  SEGMENT_MS,
  segmentBytes,
  TAG_BYTES,
  SLOTS,
  VERSION_LINE,
} from './container.ts';
import { SealError } from './seal-error.ts';
import { wrapKey } from './wrap-key.ts';

/** Where sealed bytes go, in order. Never given plaintext. */
export interface SealedSink {
  append(bytes: Uint8Array): Promise<void>;
  /** Makes what was appended durable and releases it. */
  close(): Promise<void>;
}

export interface SealOptions {
  readonly sink: SealedSink;
  /** age X25519 recipients (age1…), at least one; each of them alone can open the file. */
  readonly recipients: readonly string[];
  readonly format: AudioFormat;
  readonly metadata: Metadata;
  /** Told once when the sink fails or falls behind; nothing is written after that. */
  readonly onFailure?: (error: SealError) => void;
}

const MAX_METADATA_BYTES = 16_384;
/** Sealed bytes waiting for a slow disk: about two minutes of telephone audio. */
const MAX_WAITING_BYTES = 1_048_576;

/** Seals audio while it arrives. Plaintext waits in memory for less than a second and is overwritten after sealing. */
export class SealedWriter {
  /** Made once: Node takes twice as long to make one as to seal a segment. null once it is closed; OpenSSL wipes it when it goes. */
  #key: KeyObject | null;
  readonly #name: Buffer;
  readonly #options: SealOptions;
  readonly #pending: Buffer;
  #pendingBytes = 0;
  #number = 0;
  #waitingBytes = 0;
  #audioBytes = 0;
  #tail: Promise<void> = Promise.resolve();
  #failure: SealError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: SealOptions, key: Buffer, name: Buffer, slot: Buffer) {
    this.#options = options;
    this.#key = createSecretKey(key);
    key.fill(0);
    this.#name = name;
    this.#pending = Buffer.alloc(segmentBytes(options.format, SEGMENT_MS));
    this.#append(Buffer.concat([VERSION_LINE, ...Array.from({ length: SLOTS }, () => slot)]));
    const { format, metadata } = options;
    const description = Buffer.from(JSON.stringify({ format, segmentMs: SEGMENT_MS, metadata }));
    for (let copy = 0; copy < DESCRIPTION_COPIES; copy++) this.#seal(description, false);
  }

  /** Throws SealError noRecipients, badRecipient, tooManyRecipients, badFormat or badMetadata before anything is written. */
  static async open(options: SealOptions): Promise<SealedWriter> {
    if (!isFormat(options.format)) throw new SealError('badFormat', `${JSON.stringify(options.format)} is no format`);
    if (Buffer.byteLength(JSON.stringify(options.metadata)) > MAX_METADATA_BYTES) {
      throw new SealError('badMetadata', `metadata is larger than ${MAX_METADATA_BYTES} bytes`);
    }
    const key = randomBytes(32);
    const name = randomBytes(NAME_BYTES);
    return new SealedWriter(options, key, name, await wrapKey(key, name, options.recipients));
  }

  /** Takes audio in the declared format, any length. Ignored after close or failure. */
  push(audio: Uint8Array): void {
    if (this.#closed !== undefined || this.#failure !== undefined) return;
    for (let at = 0; at < audio.length; ) {
      const taken = Math.min(audio.length - at, this.#pending.length - this.#pendingBytes);
      this.#pending.set(taken === audio.length ? audio : audio.subarray(at, at + taken), this.#pendingBytes);
      this.#pendingBytes += taken;
      at += taken;
      if (this.#pendingBytes === this.#pending.length) this.#flush(false);
    }
  }

  /** Resolves when everything pushed so far, up to the last whole segment, is with the sink, or the sink has failed. */
  drained(): Promise<void> {
    return this.#tail;
  }

  /** Of the audio, before it was sealed: what has gone to the sink, and can be opened whatever comes. */
  get audioBytes(): number {
    return this.#audioBytes;
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
    this.#key = null;
    await this.#tail;
    try {
      await this.#options.sink.close();
    } catch (cause) {
      this.#fail(new SealError('sinkFailed', 'the sealed file could not be completed', cause));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #flush(isLast: boolean): void {
    this.#seal(this.#pending.subarray(0, this.#pendingBytes), isLast, this.#pendingBytes);
    this.#pending.fill(0, 0, this.#pendingBytes);
    this.#pendingBytes = 0;
  }

  #seal(plain: Uint8Array, isLast: boolean, audioBytes = 0): void {
    if (this.#number >= MAX_SEGMENTS) {
      this.#fail(new SealError('tooLong', `a recording has at most ${MAX_SEGMENTS} segments`));
      return;
    }
    if (this.#key === null) return;
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce(this.#number, isLast));
    cipher.setAAD(this.#name);
    // Into one piece of memory: sound is copied no more often than it has to be.
    const segment = Buffer.allocUnsafe(FRAME_BYTES + plain.length + TAG_BYTES);
    MARK.copy(segment);
    segment.writeUInt32BE(this.#number, 4);
    segment.writeUInt32BE(plain.length + TAG_BYTES, 8);
    segment.set(cipher.update(plain), FRAME_BYTES);
    cipher.final();
    segment.set(cipher.getAuthTag(), FRAME_BYTES + plain.length);
    this.#number += 1;
    this.#append(segment, audioBytes);
  }

  #append(bytes: Buffer, audioBytes = 0): void {
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
        this.#audioBytes += audioBytes;
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
