/**
 * What has been spoken, as WAV files named by a keyed hash of voice and text: nobody can look a text up by its hash. What names a patient is sealed with
 * a key that this process alone has and never writes down; it is opened in memory, and deleted when the next one starts.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SEALED = '.sealed';
const PLAIN = '.wav';
const IV_BYTES = 12;
const TAG_BYTES = 16;

export class SpeechCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #nameKey: Buffer;
  readonly #sealKey = randomBytes(32);
  /** The least recently used first. */
  readonly #held = new Map<string, number>();
  #bytes = 0;

  private constructor(folder: string, maxBytes: number, secret: string) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#nameKey = createHmac('sha256', secret).update('names of the speech cache').digest();
  }

  /** Rejects when the folder cannot be used. */
  static async open(folder: string, maxBytes: number, secret: string): Promise<SpeechCache> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const cache = new SpeechCache(folder, maxBytes, secret);
    const found: { name: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(folder)) {
      if (!name.endsWith(PLAIN)) {
        // Sealed by a process that is gone, or half written.
        await rm(join(folder, name), { force: true });
        continue;
      }
      const { size, mtimeMs } = await stat(join(folder, name));
      found.push({ name, bytes: size, usedMs: mtimeMs });
    }
    for (const { name, bytes } of found.sort((a, b) => a.usedMs - b.usedMs)) cache.#hold(name, bytes);
    return cache;
  }

  /** undefined: not spoken yet, or damaged. */
  async take(voice: string, text: string, isSealed: boolean): Promise<Buffer | undefined> {
    const name = this.#name(voice, text, isSealed);
    if (!this.#held.has(name)) return undefined;
    try {
      const file = await readFile(join(this.#folder, name));
      const wav = isSealed ? this.#opened(file, name) : file;
      this.#hold(name, file.length);
      return wav;
    } catch {
      await this.#drop(name);
      return undefined;
    }
  }

  /** Whole or not at all. Rejects when it cannot be written. */
  async keep(voice: string, text: string, isSealed: boolean, wav: Buffer): Promise<void> {
    const name = this.#name(voice, text, isSealed);
    const file = isSealed ? this.#sealed(wav, name) : wav;
    if (file.length > this.#maxBytes) return;
    const path = join(this.#folder, name);
    await writeFile(`${path}.part`, file, { mode: 0o600 });
    await rename(`${path}.part`, path);
    this.#hold(name, file.length);
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      await this.#drop(oldest);
    }
  }

  #name(voice: string, text: string, isSealed: boolean): string {
    const key = isSealed ? this.#sealKey : this.#nameKey;
    const hash = createHmac('sha256', key)
      .update(JSON.stringify([voice, text]))
      .digest('hex');
    return hash + (isSealed ? SEALED : PLAIN);
  }

  #sealed(wav: Buffer, name: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#sealKey, iv).setAAD(Buffer.from(name));
    return Buffer.concat([iv, cipher.update(wav), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws if it is not what was sealed. */
  #opened(file: Buffer, name: string): Buffer {
    if (file.length < IV_BYTES + TAG_BYTES) throw new RangeError('cut off');
    const decipher = createDecipheriv('aes-256-gcm', this.#sealKey, file.subarray(0, IV_BYTES));
    decipher.setAAD(Buffer.from(name)).setAuthTag(file.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(file.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
  }

  #hold(name: string, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(name) ?? 0);
    this.#held.delete(name);
    this.#held.set(name, bytes);
  }

  async #drop(name: string): Promise<void> {
    this.#bytes -= this.#held.get(name) ?? 0;
    this.#held.delete(name);
    await rm(join(this.#folder, name), { force: true });
  }
}
