/** Prompts in memory, shared by all legs of a worker. The least recently played leave first. */
import { readFile, stat } from 'node:fs/promises';
import { thinOut } from './codec/resample.ts';
import { readWav, type WavAudio } from './wav.ts';

/** Ten minutes at 16 kHz. */
const MAX_FILE_BYTES = 20_000_000;

export class PromptCache {
  readonly #maxBytes: number;
  readonly #held = new Map<string, { modifiedMs: number; audio: WavAudio }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A string is the reason why it cannot be played. */
  async load(path: string): Promise<WavAudio | string> {
    try {
      const { mtimeMs, size } = await stat(path);
      const held = this.#held.get(path);
      if (held?.modifiedMs === mtimeMs) {
        this.#held.delete(path);
        this.#held.set(path, held);
        return held.audio;
      }
      if (size > MAX_FILE_BYTES) return `larger than ${MAX_FILE_BYTES} bytes`;
      const result = readWav(await readFile(path));
      if (result.kind === 'refused') return result.reason;
      const audio: WavAudio =
        result.kind === 'read' ? result.audio : { rate: 16_000, samples: await thinOut(result.samples) };
      this.#keep(path, { modifiedMs: mtimeMs, audio });
      return audio;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'unreadable';
    }
  }

  #keep(path: string, entry: { modifiedMs: number; audio: WavAudio }): void {
    this.#drop(path);
    this.#held.set(path, entry);
    this.#bytes += entry.audio.samples.byteLength;
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(path: string): void {
    this.#bytes -= this.#held.get(path)?.audio.samples.byteLength ?? 0;
    this.#held.delete(path);
  }
}
