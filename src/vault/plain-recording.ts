import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { AudioFormat, Metadata } from './container.ts';
import { SealedWriter } from './sealed-writer.ts';
import { SealedFile } from './sealed-file.ts';

export interface PlainRecordingOptions {
  /** Written by somebody else, in memory (tmpfs): samples without a header. May not be there yet. */
  readonly plain: string;
  readonly sealed: string;
  /** age recipients, at least one. */
  readonly recipients: readonly string[];
  readonly metadata: Metadata;
  /** Runs `look` again and again until it is cancelled. */
  readonly every: (look: () => void) => { cancel(): void };
}

/** What FreeSWITCH writes into a file named `.r8`. */
export const plainFormat: AudioFormat = { encoding: 'L16', rate: 8000, channels: 1 };
const BYTES_PER_MS = 16;
const PIECE_BYTES = 65_536;
/** Eight minutes. A media server that finds no room while it records ends the message, one that cannot begin hangs up. */
const ROOM_BYTES = 8 * 1024 * 1024;

/**
 * A recording that a media server writes in the clear into memory, sealed while it grows: what is on the disk is at most a
 * second and one look behind. The plain file is the truth until the container is complete: only then is it removed, so
 * whoever dies in between begins again at its beginning.
 */
export class PlainRecording {
  readonly #options: PlainRecordingOptions;
  readonly #writer: SealedWriter;
  readonly #timer: { cancel(): void };
  readonly #piece = Buffer.alloc(PIECE_BYTES);
  #file: FileHandle | null = null;
  #readBytes = 0;
  #isNamed = false;
  #failure: unknown;
  #work: Promise<void> = Promise.resolve();
  #finished: Promise<number> | undefined;

  private constructor(options: PlainRecordingOptions, writer: SealedWriter) {
    this.#options = options;
    this.#writer = writer;
    this.#timer = options.every(() => void this.#look());
    void this.#look();
  }

  /** Rejects with Node's error or SealError; then nothing was begun. A container that was cut short is replaced. */
  static async open(options: PlainRecordingOptions): Promise<PlainRecording> {
    const folder = path.dirname(options.plain);
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < ROOM_BYTES) throw new Error(`${folder} is full: make its tmpfs larger, or look what fills it`);
    const draft = draftOf(options.sealed);
    await rm(draft, { force: true });
    const sink = await SealedFile.create(draft);
    try {
      const { recipients, metadata } = options;
      const writer = await SealedWriter.open({ sink, recipients, metadata, format: plainFormat });
      // A full disk shows now, when the caller can still be told, and not after the message.
      await writer.drained();
      if (writer.failure !== undefined) throw writer.failure;
      return new PlainRecording(options, writer);
    } catch (error) {
      await sink.close();
      await rm(draft, { force: true });
      throw error;
    }
  }

  /** Milliseconds of sound that were seen so far. */
  get durationMs(): number {
    return Math.floor(this.#readBytes / BYTES_PER_MS);
  }

  /**
   * To be called when nothing is written any more: seals the rest, removes the plain file, resolves with milliseconds of
   * sound. Rejects when the container could not be completed; then the plain file is left where it is. May be called twice.
   */
  finish(): Promise<number> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<number> {
    this.#timer.cancel();
    await this.#look();
    await this.#file?.close();
    await this.#writer.close();
    if (this.#failure !== undefined) throw this.#failure;
    await rm(this.#options.plain, { force: true });
    this.#piece.fill(0);
    return this.durationMs;
  }

  /** One after the other. Never rejects: what fails shows in the end. */
  #look(): Promise<void> {
    this.#work = this.#work
      .then(() => this.#readAll())
      .catch((error: unknown) => {
        this.#failure ??= error;
      });
    return this.#work;
  }

  async #readAll(): Promise<void> {
    this.#file ??= await openIfThere(this.#options.plain);
    while (this.#file !== null) {
      const { bytesRead } = await this.#file.read(this.#piece, 0, PIECE_BYTES, this.#readBytes);
      const whole = bytesRead - (bytesRead % 2);
      if (whole === 0) break;
      this.#writer.push(this.#piece.subarray(0, whole));
      this.#readBytes += whole;
      await this.#writer.drained();
    }
    await this.#named();
  }

  /** Under its name once it holds all there is: a container of an earlier process is as good until then. */
  async #named(): Promise<void> {
    if (this.#isNamed) return;
    this.#isNamed = true;
    await rename(draftOf(this.#options.sealed), this.#options.sealed);
  }
}

/** The media server makes it when it hears the first sound. */
async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function draftOf(sealed: string): string {
  return `${sealed}.part`;
}
