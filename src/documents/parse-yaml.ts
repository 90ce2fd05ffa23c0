import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import type { DocumentFile } from './document-file.ts';
import { type DocumentProblem, readable } from './problem.ts';
import { MAX_PARTS, TooManyParts, yamlTree, type YamlTree } from './yaml-tree.ts';

/** A file whose YAML is well-formed: its plain value, and where each part of it stands. */
export interface ParsedFile extends DocumentFile {
  /** Numbers are given as they are written ("+12025550111" keeps its plus); keys are text. */
  readonly value: unknown;
  /** As in `Placeable`. */
  readonly madeFor?: string;
  /** Position of the deepest node that `path` reaches. */
  place(path: readonly string[], on: 'key' | 'value'): { readonly line: number; readonly column: number };
}

export type ParseResult =
  | { readonly kind: 'parsed'; readonly file: ParsedFile }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };

const MAX_DEPTH = 40;
const MAX_ALIASES = 100;
const MAX_PROBLEMS = 20;

/** Parses one file in bounded time and memory; never throws. */
export function parseYaml(file: DocumentFile, trees = new Trees()): ParseResult {
  const tooDeep = findDeepNesting(file.text);
  if (tooDeep !== null) return refused(file, [{ ...tooDeep, ...DEEP }]);
  if (file.text.trim() === '') {
    return refused(file, [
      { line: 1, column: 1, reason: 'the file is empty', remedy: 'write a document, or delete it' },
    ]);
  }
  const read = readTree(file.text);
  if (read instanceof TooManyParts) {
    const at = { ...lineAndColumn(file.text, read.offset), reason: 'the file holds too much', remedy: TOO_MUCH };
    return refused(file, [at]);
  }
  const { tree, lines } = read;
  trees.keep(file, read);
  // One slip makes the parser stumble on; the first few places are enough.
  const found: Found[] = [...tree.errors, ...tree.warnings].slice(0, 3).map((error) => {
    return {
      offset: error.pos[0],
      reason: `not valid YAML: ${error.message}`,
      remedy: 'mind spaces, colons and quotes',
    };
  });
  if (found.length === 0) found.push(...normalise(tree));
  if (found.length > 0)
    return refused(
      file,
      found.map((problem) => ({ ...position(lines, problem.offset), ...problem })),
    );
  let value: unknown;
  try {
    value = tree.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    const remedy = `write the parts out; aliases may unfold to ${MAX_ALIASES} nodes`;
    return refused(file, [{ line: 1, column: 1, reason: 'the aliases in the file unfold without end', remedy }]);
  }
  return { kind: 'parsed', file: { ...file, value, place: (path, on) => placeOf(trees.of(file), path, on) } };
}

const TOO_MUCH = `split it into several files: ${MAX_PARTS} words, brackets, commas and lines are read of each`;

function readTree(text: string): YamlTree | TooManyParts {
  try {
    return yamlTree(text);
  } catch (error) {
    if (error instanceof TooManyParts) return error;
    throw error;
  }
}

function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/**
 * Trees of the files that a fault was placed in last. A tree takes a hundred times the room of its text, and few files
 * have faults: so it is made again for them, and those of all files are never there at once.
 */
export class Trees {
  readonly #latest = new Map<DocumentFile, YamlTree>();

  of(file: DocumentFile): YamlTree {
    const tree = this.#latest.get(file) ?? yamlTree(file.text);
    this.keep(file, tree);
    return tree;
  }

  keep(file: DocumentFile, tree: YamlTree): void {
    this.#latest.delete(file);
    this.#latest.set(file, tree);
    for (const oldest of this.#latest.keys()) {
      if (this.#latest.size <= MAX_TREES) break;
      this.#latest.delete(oldest);
    }
  }

  /** Nothing is wrong with the file so far. */
  forget(file: DocumentFile): void {
    this.#latest.delete(file);
  }
}

/** Where two files are at odds, places of both are told. */
const MAX_TREES = 2;

interface Found {
  readonly offset: number;
  readonly reason: string;
  readonly remedy: string;
}

const DEEP = { reason: 'the file is nested too deeply', remedy: `use at most ${MAX_DEPTH} levels` };

/**
 * A cheap look before the parser runs, whose time grows faster than the depth. Brackets inside of quotes are counted
 * too: a document with that many of them unclosed is not one of ours.
 */
function findDeepNesting(text: string): { line: number; column: number } | null {
  let depth = 0;
  for (const [i, line] of text.split('\n').entries()) {
    if (/^\s{160}\s*\S/.test(line) || /^\s*(?:[-?]\s+){40}/.test(line)) return { line: i + 1, column: 1 };
    for (let column = 0; column < line.length; column++) {
      const c = line[column];
      if (c === '[' || c === '{') depth++;
      else if ((c === ']' || c === '}') && depth > 0) depth--;
      if (depth > 4 * MAX_DEPTH) return { line: i + 1, column: column + 1 };
    }
  }
  return null;
}

/** Turns keys and numbers into text as written, and refuses what has no meaning in a document. */
function normalise(tree: Document.Parsed): Found[] {
  const found: Found[] = [];
  visit(tree, {
    Map(_key, map, path) {
      if (path.length > 2 * MAX_DEPTH) {
        found.push({ offset: map.range![0], ...DEEP });
        return visit.BREAK;
      }
      found.push(...checkKeys(map as YAMLMap.Parsed));
      return found.length > MAX_PROBLEMS ? visit.BREAK : undefined;
    },
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'number') scalar.value = scalar.source ?? String(scalar.value);
    },
  });
  return found;
}

function checkKeys(map: YAMLMap.Parsed): Found[] {
  const found: Found[] = [];
  const seen = new Set<string>();
  for (const { key } of map.items) {
    if (found.length >= MAX_PROBLEMS) break;
    const offset = key.range[0];
    if (!isScalar(key)) {
      found.push({ offset, reason: 'a key has to be plain text', remedy: 'write the key as a word or a number' });
      continue;
    }
    const name = textOf(key);
    if (seen.has(name)) found.push({ offset, reason: `"${name}" is defined twice`, remedy: 'remove one of them' });
    if (name === '__proto__')
      found.push({ offset, reason: '"__proto__" cannot be a name', remedy: 'use another name' });
    seen.add(name);
  }
  return found;
}

function textOf(key: Scalar): string {
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

/** Follows a path from the root. A part that is not written out (the word of a verb, a list of one) is stepped over. */
function placeOf({ tree, lines }: YamlTree, path: readonly string[], on: 'key' | 'value') {
  let node: Node | null = tree.contents;
  let key: Node | null = null;
  let isWhole = true;
  for (const part of path) {
    const next = step(tree, node, part);
    if (next === null) {
      isWhole = false;
      break;
    }
    ({ node, key } = next);
  }
  const at = on === 'key' && isWhole && key ? key : (node ?? key);
  return position(lines, at?.range?.[0] ?? 0);
}

interface Step {
  readonly node: Node | null;
  readonly key: Node | null;
}

function step(tree: Document.Parsed, from: Node | null, part: string): Step | null {
  const node = isAlias(from) ? (from.resolve(tree) ?? null) : from;
  if (isSeq(node)) {
    const item = node.items[Number(part)];
    return item === undefined || isPair(item) ? null : { node: item as Node, key: item as Node };
  }
  if (!isMap(node)) return part === '0' ? { node, key: node } : null;
  const pairs = node.items.filter((pair) => isScalar(pair.key));
  const pair = pairs.find((pair) => textOf(pair.key as Scalar) === part);
  if (pair) return { node: (pair.value as Node | null) ?? (pair.key as Node), key: pair.key as Node };
  // "flows.main.keys.2" stands below flows: main: menu: keys: 2.
  for (const { value } of pairs) {
    const below = isMap(value) ? value.items.find(({ key }) => isScalar(key) && textOf(key) === part) : undefined;
    if (below) return { node: (below.value as Node | null) ?? (below.key as Node), key: below.key as Node };
  }
  return null;
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

type Unplaced = Omit<DocumentProblem, 'file' | 'suggestion'>;

function refused(file: DocumentFile, problems: readonly Unplaced[]): ParseResult {
  const placed = problems.slice(0, MAX_PROBLEMS).map(({ line, column, reason, remedy }) => {
    return { file: file.path, line, column, reason: readable(reason), remedy, suggestion: null };
  });
  return { kind: 'refused', problems: placed };
}
