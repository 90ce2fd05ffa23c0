import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { promptFolders } from './supervise/daemon-options.ts';

/** Ids of every prompt that can be played: `<folder>/8000/<id>.wav`. Empty when the folders are not there. */
export function promptIds(folders: readonly string[] = promptFolders): ReadonlySet<string> {
  const ids = folders.flatMap((folder) => {
    try {
      const names = readdirSync(join(folder, '8000'), { recursive: true, encoding: 'utf8' });
      return names.filter((name) => name.endsWith('.wav')).map((name) => name.slice(0, -'.wav'.length));
    } catch {
      return [];
    }
  });
  return new Set(ids);
}

/** Prompts whose text lies beside the recordings while the recording itself is gone. */
export function missingPrompts(folders: readonly string[] = promptFolders): readonly string[] {
  const there = promptIds(folders);
  return folders.flatMap((folder) => {
    const texts = join(folder, 'texts.yaml');
    // Music has no texts.
    if (!existsSync(texts)) return [];
    return Object.keys(parse(readFileSync(texts, 'utf8')) as Record<string, string>).filter((id) => !there.has(id));
  });
}
