import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, type Node, parseDocument, type Range } from 'yaml';

export type Path = readonly (string | number)[];

/** One value somebody wrote, and where: "wardline.yaml:3:9", "environment WARDLINE_MEDIA__PORT", "--set media.port". */
export interface Setting {
  readonly path: Path;
  readonly value: unknown;
  readonly place: string;
  /** Set for values that came as text (environment, --set): the text as it was typed. */
  readonly text?: string;
}

export type Layer =
  | { readonly kind: 'read'; readonly settings: readonly Setting[] }
  | { readonly kind: 'broken'; readonly problems: readonly string[] };

const MAX_FILE_BYTES = 1024 * 1024;
const PREFIX = 'WARDLINE_';

/** The file's values with the place of each. Errors name the file, the line and the column. */
export function readFileLayer(path: string): Layer {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === 'ENOENT' ? 'there is no such file: check the path given with --config' : `it cannot be read (${code})`;
    return { kind: 'broken', problems: [`${path}: ${why}`] };
  }
  if (text.length > MAX_FILE_BYTES) {
    return { kind: 'broken', problems: [`${path}: larger than 1 MB: this is not a configuration file`] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const placeOf = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    return { kind: 'broken', problems: document.errors.map((e) => `${placeOf(e.pos[0])}: ${e.message}`) };
  }
  const settings: Setting[] = [];
  const take = (node: Node | null, at: Path, start: number): string | null => {
    try {
      settings.push({ path: at, value: node === null ? null : node.toJS(document), place: placeOf(start) });
      return null;
    } catch (error) {
      // An alias without its anchor, or aliases of aliases without end.
      return `${placeOf(start)}: ${error instanceof Error ? error.message : String(error)}: write the value out`;
    }
  };
  const walk = (node: Node | null, at: Path, start: number): string | null => {
    if (isMap(node)) {
      for (const pair of node.items) {
        if (!isScalar(pair.key)) return `${placeOf(start)}: a key must be a plain word`;
        const key = pair.key as { value: unknown; range?: Range | null };
        const problem = walk(pair.value as Node | null, [...at, String(key.value)], key.range?.[0] ?? start);
        if (problem !== null) return problem;
      }
      if (node.items.length === 0) settings.push({ path: at, value: {}, place: placeOf(start) });
      return null;
    }
    // Lists are taken whole: a later layer replaces a list, it does not patch one.
    return take(node, at, start);
  };
  if (document.contents === null) return { kind: 'read', settings: [] };
  if (!isMap(document.contents)) {
    return { kind: 'broken', problems: [`${path}:1:1: must be a list of "key: value" lines`] };
  }
  const problem = walk(document.contents, [], 0);
  return problem === null ? { kind: 'read', settings } : { kind: 'broken', problems: [problem] };
}

/** WARDLINE_MEDIA__PORT=8021 is media.port; case and single underscores inside a word do not matter to the reader. */
export function readEnvironmentLayer(
  environment: Readonly<Record<string, string | undefined>>,
  nameOf: (words: readonly string[]) => Path,
): Layer {
  const settings: Setting[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || text === undefined) continue;
    const path = nameOf(name.slice(PREFIX.length).split('__'));
    settings.push({ path, value: scalar(text), place: `environment ${name}`, text });
  }
  return { kind: 'read', settings };
}

/** Each entry is "path=value". */
export function readSetLayer(entries: readonly string[]): Layer {
  const settings: Setting[] = [];
  const problems: string[] = [];
  for (const entry of entries) {
    const equals = entry.indexOf('=');
    const path = entry.slice(0, equals).split('.');
    if (equals < 1 || path.includes('')) {
      problems.push(`--set ${entry}: must read path=value, for example --set signalling.port=9022`);
      continue;
    }
    const text = entry.slice(equals + 1);
    settings.push({ path, value: scalar(text), place: `--set ${path.join('.')}`, text });
  }
  return problems.length > 0 ? { kind: 'broken', problems } : { kind: 'read', settings };
}

/** Text from a shell as a YAML value: 5070 is a number, true a truth value, [a, b] a list; else the text itself. */
function scalar(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return text;
  try {
    // "*" begins an alias in YAML; here it is text.
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch {
    return text;
  }
}
