/** Prompts in memory, shared by all legs of a worker. The least recently played leave first. */
import { readFile, stat } from 'node:fs/promises';
import { readSound, type HeldSound } from './files/sound-file.ts';

/** Ten minutes of WAV at 16 kHz. */
const MAX_FILE_BYTES = 20_000_000;

export class PromptCache {
  readonly #maxBytes: number;
  readonly #held = new Map<string, { modifiedMs: number; sound: HeldSound }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A string is the reason why it cannot be played. */
  async load(path: string): Promise<HeldSound | string> {
    try {
      const found = await stat(path);
      const { mtimeMs, size } = found;
      // A pipe would never end.
      if (!found.isFile()) return 'not a file';
      const held = this.#held.get(path);
      if (held?.modifiedMs === mtimeMs) {
        this.#held.delete(path);
        this.#held.set(path, held);
        return held.sound;
      }
      if (size > MAX_FILE_BYTES) return `larger than ${MAX_FILE_BYTES} bytes`;
      const result = await readSound(await readFile(path));
      if (result.kind === 'refused') return result.reason;
      this.#keep(path, { modifiedMs: mtimeMs, sound: result.sound });
      return result.sound;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'unreadable';
    }
  }

  #keep(path: string, entry: { modifiedMs: number; sound: HeldSound }): void {
    this.#drop(path);
    this.#held.set(path, entry);
    this.#bytes += entry.sound.samples.byteLength;
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(path: string): void {
    this.#bytes -= this.#held.get(path)?.sound.samples.byteLength ?? 0;
    this.#held.delete(path);
  }
}
