/** Turns what a client names (files, tone_stream://, silence_stream://) into things to play. Files come from the prompt folders only. */
import { realpath } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import type { PlayItem } from '../../media/messages.ts';
import type { LentKeys } from '../lent-keys.ts';
import { parseToneScript } from '../../media/tone.ts';

export type PromptResult =
  | { readonly kind: 'found'; readonly items: readonly PlayItem[] }
  | { readonly kind: 'refused'; readonly reason: string };

const MAX_ITEMS = 64;
/** When there is no hold music: a soft double beep every five seconds. */
const HOLD_TONE = 'v=-24;%(180,120,440);%(180,4500,440);loops=-1';
/** What FreeSWITCH calls its music on hold. */
export const HOLD_MUSIC = 'local_stream://moh';

export class PromptFinder {
  readonly #folders: readonly string[];
  readonly #holdMusic: string;
  readonly #lent: LentKeys;

  constructor(folders: readonly string[], holdMusic: string, lent: LentKeys) {
    this.#lent = lent;
    this.#folders = folders.map((folder) => resolve(folder));
    this.#holdMusic = holdMusic;
  }

  /** `delimiter` '' for a single name. `channel`: for which it is played, where that counts. */
  async find(text: string, delimiter: string, channel = ''): Promise<PromptResult> {
    const list = text.startsWith('file_string://') ? text.slice('file_string://'.length) : text;
    const separator = list === text ? delimiter : '!';
    const names = separator === '' ? [list] : list.split(separator);
    if (names.length > MAX_ITEMS) return { kind: 'refused', reason: `more than ${MAX_ITEMS} prompts in one list` };
    const items: PlayItem[] = [];
    for (const name of names.map((n) => n.trim()).filter((n) => n !== '')) {
      const item = await this.#findOne(name, channel);
      if (typeof item === 'string') return { kind: 'refused', reason: `${name}: ${item}` };
      items.push(item);
    }
    return items.length === 0 ? { kind: 'refused', reason: 'nothing to play' } : { kind: 'found', items };
  }

  /** false: whoever waits hears a tone. */
  async hasHoldMusic(): Promise<boolean> {
    return typeof (await this.#file(this.#holdMusic)) !== 'string';
  }

  async #findOne(name: string, channel: string): Promise<PlayItem | string> {
    const [, scheme, rest = ''] = /^([a-z_]+):\/\/(.*)$/.exec(name) ?? [];
    switch (scheme) {
      case 'tone_stream':
        return toneItem(name, rest);
      case 'local_stream':
        return this.#music(name);
      case 'sealed': {
        const lent = this.#lent.take(channel, rest);
        return lent === undefined ? 'it is not lent to this channel' : { kind: 'sealed', name, ...lent };
      }
      case 'silence_stream':
        return silenceItem(name, rest);
      case undefined:
        return this.#file(name);
      default:
        return `${scheme} is not supported; use a WAV file, tone_stream or silence_stream`;
    }
  }

  async #music(name: string): Promise<PlayItem | string> {
    const found = await this.#file(this.#holdMusic);
    return typeof found === 'string' ? toneItem(name, HOLD_TONE) : { ...found, name, isEndless: true };
  }

  async #file(name: string): Promise<(PlayItem & { kind: 'wav' }) | string> {
    const [, path = name, offset = '0'] = /^(.*)@@(\d{1,9})$/.exec(name) ?? [];
    const candidates = isAbsolute(path) ? [path] : this.#folders.map((folder) => resolve(folder, path));
    for (const candidate of candidates) {
      const real = await realpath(candidate).catch(() => undefined);
      if (real === undefined) continue;
      for (const folder of this.#folders) {
        const root = await realpath(folder).catch(() => folder);
        if (real.startsWith(root + sep))
          return { kind: 'wav', name, path: real, offsetSamples: Number(offset), isEndless: false };
      }
    }
    return 'not found in the prompt folders';
  }
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
