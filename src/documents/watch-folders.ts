import { type FSWatcher, watch } from 'node:fs';
import { isDocumentName } from './read-folder.ts';

/**
 * Calls back when a document in one of these folders may have changed. A folder that cannot be watched, was moved away, or
 * is one too many for the system is left to whoever looks now and then. What comes back ends it.
 */
export function watchFolders(folders: readonly string[], onNotice: () => void): () => void {
  const watchers: FSWatcher[] = [];
  for (const folder of folders) {
    try {
      // What editors leave beside a document must not put off its check.
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || isDocumentName(name)) onNotice();
      });
      watcher.on('error', () => watcher.close());
      watchers.push(watcher);
    } catch {
      // As above.
    }
  }
  return () => {
    for (const watcher of watchers.splice(0)) watcher.close();
  };
}
