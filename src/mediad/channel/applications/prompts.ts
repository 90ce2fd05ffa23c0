/** Turns what a client names (files, tone_stream://, silence_stream://, local_stream://, tts://, say:) into things to play. Files come from the prompt folders only. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import type { PlayItem } from '../../media/messages.ts';
import type { Synthesiser } from '../../speech/synthesiser.ts';
import { readSayWording, readWording, type Wording } from '../../speech/wording.ts';
import type { Channel } from '../channel.ts';
import type { LentKeys } from '../lent-keys.ts';
import { parseToneScript } from '../../media/tone.ts';

export type PromptResult =
  | { readonly kind: 'found'; readonly items: readonly PlayItem[] }
  | { readonly kind: 'refused'; readonly reason: string };

const MAX_ITEMS = 64;
/** Of a folder of music. */
const MAX_PIECES = 1000;
/** When there is no hold music: a soft double beep every five seconds. */
const HOLD_TONE = 'v=-24;%(180,120,440);%(180,4500,440);loops=-1';
/** What FreeSWITCH calls its music on hold. */
export const HOLD_MUSIC = 'local_stream://moh';

/** Set by the app before it has a text spoken that names a patient. */
const NAMES_PATIENT = 'wardline_speech_names_patient';

/** Who hears it. */
export type Listener = Pick<Channel, 'uuid' | 'variables'>;

const NOBODY: Listener = { uuid: '', variables: new Map() };

export class PromptFinder {
  readonly #folders: readonly string[];
  readonly #holdMusic: string;
  readonly #lent: LentKeys;
  readonly #speech: Synthesiser | undefined;

  constructor(folders: readonly string[], holdMusic: string, lent: LentKeys, speech?: Synthesiser) {
    this.#speech = speech;
    this.#lent = lent;
    this.#folders = folders.map((folder) => resolve(folder));
    this.#holdMusic = holdMusic;
  }

  /** `delimiter` '' for a single name. `listener`: for whom it is played, where that counts. */
  async find(text: string, delimiter: string, listener: Listener = NOBODY): Promise<PromptResult> {
    const list = text.startsWith('file_string://') ? text.slice('file_string://'.length) : text;
    const separator = list === text ? delimiter : '!';
    const names = separator === '' ? [list] : list.split(separator);
    if (names.length > MAX_ITEMS) return { kind: 'refused', reason: `more than ${MAX_ITEMS} prompts in one list` };
    const items: PlayItem[] = [];
    for (const name of names.map((n) => n.trim()).filter((n) => n !== '')) {
      const item = await this.#findOne(name, listener);
      if (typeof item === 'string') return { kind: 'refused', reason: `${loggable(name)}: ${item}` };
      items.push(item);
    }
    return items.length === 0 ? { kind: 'refused', reason: 'nothing to play' } : { kind: 'found', items };
  }

  /** false: whoever waits hears a tone. */
  async hasHoldMusic(): Promise<boolean> {
    return (await this.#find(this.#holdMusic)) !== undefined;
  }

  async #findOne(name: string, listener: Listener): Promise<PlayItem | string> {
    if (name.startsWith('say:'))
      return this.speak(readSayWording(name.slice('say:'.length), listener.variables), listener);
    const [, scheme, rest = ''] = /^([a-z_]+):\/\/(.*)$/s.exec(name) ?? [];
    switch (scheme) {
      case 'tone_stream':
        return toneItem(name, rest);
      case 'tts':
        return this.speak(readWording(rest, listener.variables), listener);
      case 'local_stream':
        return this.#music(name, rest);
      case 'sealed': {
        const lent = this.#lent.take(listener.uuid, rest);
        return lent === undefined ? 'it is not lent to this channel' : { kind: 'sealed', name, ...lent };
      }
      case 'silence_stream':
        return silenceItem(name, rest);
      case undefined:
        return this.#file(name);
      default:
        return `${scheme} is not supported; use a file (WAV, MP3, Opus), tone_stream, silence_stream, local_stream, tts or say:`;
    }
  }

  /** A string is why it cannot be spoken. The text is in nothing that is logged or published. */
  async speak({ engine, voice, text }: Wording, listener: Listener): Promise<PlayItem | string> {
    if (this.#speech === undefined) return 'there is no text to speech';
    if (engine !== undefined && engine !== this.#speech.engine)
      return `there is no engine ${engine}; options speech.engine is ${this.#speech.engine}`;
    const namesPatient = listener.variables.get(NAMES_PATIENT) === 'true';
    const spoken = await this.#speech.speak({ voice, text, namesPatient });
    if (spoken.kind === 'refused') return spoken.reason;
    return { kind: 'speech', name: `tts://${this.#speech.engine}`, wav: spoken.wav };
  }

  /** The folder of that name below `music`, else the hold music of the options: a file or a folder. */
  async #music(name: string, stream: string): Promise<PlayItem | string> {
    const isName = /^[\w-]{1,64}$/.test(stream);
    const place = (isName && (await this.#find(`music/${stream}`))) || (await this.#find(this.#holdMusic));
    if (place === undefined) return toneItem(name, HOLD_TONE);
    const isFolder = (await stat(place)).isDirectory();
    if (!isFolder) return { kind: 'file', name, path: place, offsetSamples: 0, isEndless: true };
    const files = (await readdir(place, { withFileTypes: true })).filter((entry) => entry.isFile());
    if (files.length === 0 || files.length > MAX_PIECES)
      return `${files.length} files in the folder; 1 to ${MAX_PIECES} are played`;
    return { kind: 'music', name, paths: files.map((file) => join(place, file.name)).sort() };
  }

  async #file(name: string): Promise<PlayItem | string> {
    const [, file = name, offset = '0'] = /^(.*)@@(\d{1,9})$/.exec(name) ?? [];
    const path = await this.#find(file);
    if (path === undefined) return 'not found in the prompt folders';
    return { kind: 'file', name, path, offsetSamples: Number(offset), isEndless: false };
  }

  /** Where it really lies: a link does not lead out of the prompt folders. */
  async #find(path: string): Promise<string | undefined> {
    const candidates = isAbsolute(path) ? [path] : this.#folders.map((folder) => resolve(folder, path));
    for (const candidate of candidates) {
      const real = await realpath(candidate).catch(() => undefined);
      if (real === undefined) continue;
      for (const folder of this.#folders) {
        const root = await realpath(folder).catch(() => folder);
        if (real.startsWith(root + sep)) return real;
      }
    }
    return undefined;
  }
}

/** What is spoken may name somebody. */
function loggable(name: string): string {
  return /^(tts|say):/.exec(name)?.[1] ?? name;
}

function toneItem(name: string, text: string): PlayItem | string {
  const script = parseToneScript(text);
  return script === undefined
    ? 'not a tone script; %(on,off,hz,…), v= and loops= are supported'
    : { kind: 'tone', name, script };
}

/** `milliseconds[,noise]`; -1 is endless. The noise is left out. */
function silenceItem(name: string, text: string): PlayItem | string {
  const [, ms] = /^(-1|\d{1,8})(?:,\d+)?$/.exec(text) ?? [];
  if (ms === undefined) return 'not a length in milliseconds';
  return { kind: 'silence', name, durationMs: ms === '-1' ? Infinity : Number(ms) };
}
