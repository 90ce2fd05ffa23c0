import { type Dirent, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Prompt } from '../core/dialplan/index.ts';
import { never } from '../core/never.ts';

export interface PromptFiles {
  readonly files: readonly string[];
  /** Ids without a file; the call goes on without them. */
  readonly missing: readonly string[];
}

/**
 * Turns prompts by meaning into files of the media server. The index is read once, and only its own paths are ever
 * given out: no text of a document or a caller becomes part of a path.
 */
export class PromptLibrary {
  readonly #files = new Map<string, string>();

  /** Files are `<dir>/8000/<id>.wav`; an earlier directory wins. A directory that cannot be read throws. */
  constructor(dirs: readonly string[]) {
    for (const dir of dirs) {
      const root = path.join(dir, '8000');
      for (const entry of list(root)) this.#index(root, entry);
    }
  }

  get size(): number {
    return this.#files.size;
  }

  filesFor(prompts: readonly Prompt[]): PromptFiles {
    const files: string[] = [];
    const missing: string[] = [];
    for (const id of prompts.flatMap((prompt) => this.#ids(prompt))) {
      const file = this.#files.get(id);
      if (file === undefined) missing.push(id);
      else files.push(file);
    }
    return { files, missing };
  }

  #index(root: string, entry: Dirent): void {
    if (!entry.isFile() || !entry.name.endsWith('.wav')) return;
    const file = path.join(entry.parentPath, entry.name);
    const id = path.relative(root, file).replaceAll(path.sep, '/').slice(0, -'.wav'.length);
    // A name the media server would read as an argument or a list is left out.
    if (/^[a-z0-9][a-z0-9/_-]*$/.test(id) && !this.#files.has(id)) this.#files.set(id, file);
  }

  #ids(prompt: Prompt): readonly string[] {
    switch (prompt.say) {
      case 'id':
        return [prompt.id];
      case 'digits':
        return prompt.digits.split('').map(digitId);
      case 'letters':
        return spell(prompt.letters);
      case 'name': {
        const names = [`${prompt.of}-${prompt.id}`, `name-${prompt.id}`];
        // A document may name the recording itself.
        if (/^(name|service)-/.test(prompt.id)) names.push(prompt.id);
        const own = names.find((id) => this.#files.has(id));
        return own === undefined ? spell(prompt.text) : [own];
      }
      default:
        return never(prompt);
    }
  }
}

function list(root: string): readonly Dirent[] {
  try {
    return readdirSync(root, { recursive: true, withFileTypes: true });
  } catch (cause) {
    throw new Error(`telephony.media.promptsDirs: ${root} cannot be read; name folders that hold 8000/<id>.wav`, {
      cause,
    });
  }
}

/** Letters and digits one by one; whatever has no sound of its own is skipped. At most 32. */
function spell(text: string): readonly string[] {
  return (text.toLowerCase().match(/[a-z0-9]/g) ?? [])
    .slice(0, 32)
    .map((c) => (c >= '0' && c <= '9' ? digitId(c) : `letter-${c}`));
}

function digitId(digit: string): string {
  if (digit === '*') return 'key-star';
  if (digit === '#') return 'key-pound';
  return `digit-${digit}`;
}
