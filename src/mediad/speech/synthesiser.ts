/** Text to speech by a program of the house (Debian's flite, festival's text2wave): fixed arguments, the text on its standard input, a WAV file out. */
import { mkdtemp, readFile, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { letWork } from '../../processes/index.ts';
import type { MediadOptions } from '../options.ts';
import { SpeechCache } from './speech-cache.ts';

export interface Utterance {
  /** undefined: the first that is configured. */
  readonly voice: string | undefined;
  readonly text: string;
  /** Then it is never in clear on a disk. */
  readonly namesPatient: boolean;
}

/** A string is why it cannot be spoken; it never holds the text. */
export type Spoken =
  | { readonly kind: 'spoken'; readonly wav: Buffer }
  | { readonly kind: 'refused'; readonly reason: string };

const MAX_TEXT = 1000;
const MAX_WAV_BYTES = 10_000_000;
const MAX_AT_ONCE = 2;
const MAX_WAITING = 50;
/** statfs(2): tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

type SpeechOptions = MediadOptions['speech'];

export class Synthesiser {
  readonly #options: SpeechOptions;
  readonly #cache: SpeechCache | undefined;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  private constructor(options: SpeechOptions, cache: SpeechCache | undefined) {
    this.#options = options;
    this.#cache = cache;
  }

  /** `secret`: for the names of the cache. Rejects when its folder cannot be used. */
  static async open(options: SpeechOptions, secret: string): Promise<Synthesiser> {
    const { cacheFolder, cacheBytes } = options;
    return new Synthesiser(
      options,
      (cacheFolder && (await SpeechCache.open(cacheFolder, cacheBytes, secret))) || undefined,
    );
  }

  get engine(): string {
    return this.#options.engine;
  }

  async speak({ voice, text, namesPatient }: Utterance): Promise<Spoken> {
    const name = voice ?? Object.keys(this.#options.voices)[0] ?? '';
    const words = Object.hasOwn(this.#options.voices, name) ? this.#options.voices[name] : undefined;
    if (words === undefined)
      return refused(
        `there is no voice ${name}; options speech.voices has ${Object.keys(this.#options.voices).join(', ')}`,
      );
    const plain = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
    if (plain === '') return refused('nothing to say');
    if (plain.length > MAX_TEXT) return refused(`longer than ${MAX_TEXT} characters`);
    const kept = await this.#cache?.take(name, plain, namesPatient);
    if (kept !== undefined) return { kind: 'spoken', wav: kept };
    if (this.#waiting.length >= MAX_WAITING) return refused('too much is being spoken');
    await this.#turn();
    try {
      const spoken = await this.#spoken(words, plain, namesPatient);
      // A full disk costs the next one time, and this one nothing.
      if (spoken.kind === 'spoken') await this.#cache?.keep(name, plain, namesPatient, spoken.wav).catch(() => {});
      return spoken;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  async #turn(): Promise<void> {
    // Whoever is woken takes the place of the one that ended.
    if (this.#running >= MAX_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
  }

  async #spoken(words: readonly string[], text: string, namesPatient: boolean): Promise<Spoken> {
    const { program, workFolder, withinMs } = this.#options;
    let folder: string | undefined;
    try {
      if (namesPatient && !IN_MEMORY.has((await statfs(workFolder)).type))
        return refused(
          `${workFolder} is on a disk: name a tmpfs in options speech.workFolder to speak what names a patient`,
        );
      folder = await mkdtemp(join(workFolder, 'wardline-speech-'));
      const file = join(folder, 'spoken.wav');
      const fault = await letWork(program, [...words, '-o', file], `${text}\n`, withinMs);
      if (fault === 'ENOENT') return refused(`${program} is not installed; on Debian: apt-get install flite`);
      if (fault !== undefined) return refused(`${program}: ${fault}`);
      if ((await stat(file)).size > MAX_WAV_BYTES) return refused(`more than ${MAX_WAV_BYTES} bytes`);
      return { kind: 'spoken', wav: await readFile(file) };
    } catch (error) {
      return refused(`${workFolder}: ${(error as NodeJS.ErrnoException).code ?? 'it cannot be used'}`);
    } finally {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    }
  }
}

function refused(reason: string): Spoken {
  return { kind: 'refused', reason };
}
