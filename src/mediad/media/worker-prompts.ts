/** What a worker plays: files from its cache, tones, silence, sealed recordings. */
import { SealedReader } from '../../vault/index.ts';
import { SilenceSource, widened } from './audio-source.ts';
import type { PlayItem } from './messages.ts';
import type { PlayerItem } from './player.ts';
import type { PromptCache } from './prompt-cache.ts';
import { SealedSource } from './sealed-source.ts';
import { ToneSource } from './tone.ts';
import { WavSource } from './wav.ts';

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
    case 'wav': {
      const audio = await prompts.load(item.path);
      if (typeof audio === 'string') return audio;
      return { name: item.name, open: (rate) => new WavSource(audio, item.name, item, rate) };
    }
  }
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
