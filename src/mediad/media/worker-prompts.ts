/** What a worker plays: files from its cache, tones, silence, sealed recordings. */
import { SealedReader } from '../../vault/index.ts';
import { SilenceSource, widened } from './audio-source.ts';
import { readSound } from './files/sound-file.ts';
import { HeldSource } from './held-source.ts';
import type { AudioRate } from './codec/codec-types.ts';
import type { PlayItem } from './messages.ts';
import { MusicSource } from './music-source.ts';
import type { PlayerItem } from './player.ts';
import type { PromptCache } from './prompt-cache.ts';
import { SealedSource } from './sealed-source.ts';
import { ToneSource } from './tone.ts';

/** A string is why one of them cannot be played. */
export async function loadItems(items: readonly PlayItem[], prompts: PromptCache): Promise<PlayerItem[] | string> {
  const loaded: PlayerItem[] = [];
  for (const item of items) {
    const one = await loadItem(item, prompts);
    if (typeof one === 'string') return `${item.name}: ${one}`;
    loaded.push(one);
  }
  return loaded;
}

async function loadItem(item: PlayItem, prompts: PromptCache): Promise<PlayerItem | string> {
  switch (item.kind) {
    case 'tone':
      return { name: item.name, open: (rate) => new ToneSource(item.script, rate) };
    case 'sealed':
      return loadSealed(item);
    case 'silence':
      return { name: item.name, open: (rate) => new SilenceSource(item.durationMs, rate) };
    case 'file': {
      const sound = await prompts.load(item.path);
      if (typeof sound === 'string') return sound;
      return { name: item.name, open: (rate) => new HeldSource(sound, item.name, item, rate) };
    }
    case 'speech': {
      const spoken = await readSound(Buffer.from(item.wav));
      if (spoken.kind === 'refused') return spoken.reason;
      return { name: item.name, open: (rate) => new HeldSource(spoken.sound, item.name, {}, rate) };
    }
    case 'music':
      return loadMusic(item, prompts);
  }
}

/** Begins with the first that can be played. */
async function loadMusic({ name, paths }: PlayItem & { kind: 'music' }, prompts: PromptCache) {
  let reason = 'the folder is empty';
  for (const [index, path] of paths.entries()) {
    const sound = await prompts.load(path);
    if (typeof sound === 'string') reason = sound;
    else if (sound.samples.length > 0) {
      const music = { paths, index, sound };
      return { name, open: (rate: AudioRate) => new MusicSource(music, (next) => prompts.load(next), rate) };
    }
  }
  return reason;
}

async function loadSealed({ name, path, key }: PlayItem & { kind: 'sealed' }): Promise<PlayerItem | string> {
  try {
    const reader = await SealedReader.open(path, key);
    if (typeof reader === 'string') return reader;
    const source = new SealedSource(reader);
    return { name, open: (rate) => widened(source, rate) };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}
