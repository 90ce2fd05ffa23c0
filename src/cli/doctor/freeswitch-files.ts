import { globSync, lstatSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Where it stands, for people: "autoload_configs/acl.conf.xml:4". */
  readonly at: string;
}

/** A configuration folder as FreeSWITCH itself puts it together: includes followed, `$${…}` filled in, comments gone. */
export interface FreeswitchFiles {
  readonly variables: ReadonlyMap<string, string>;
  /** Start tags by the name of the `<configuration>`, `<profile>` or `<context>` around them, in order; '' outside of all. */
  readonly elements: readonly (Element & { readonly inside: string })[];
  /** Files that are named and cannot be read. */
  readonly missing: readonly string[];
}

export type ReadFiles =
  | { readonly kind: 'read'; readonly files: FreeswitchFiles }
  | { readonly kind: 'refused'; readonly why: string };

const MAX_FILE_BYTES = 1_000_000;
const MAX_FILES = 2000;
const MAX_DEPTH = 20;
const PREPROCESS = /<X-PRE-PROCESS\s+cmd\s*=\s*"([^"]*)"\s+data\s*=\s*"([^"]*)"\s*\/>/gi;
/** `<!--#include …-->`, the other spelling; any other comment is a comment. */
const MARKER = /<!--#(set|env-set|include)\s+"?([^"]*?)"?\s*-->/g;
const TAG = /<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+\s*=\s*"[^"]*")*)\s*(\/?)>/g;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*"([^"]*)"/g;
const SECTIONS = new Set(['configuration', 'profile', 'context']);

/**
 * Reads `folder`/freeswitch.xml and all it includes. `environment` is what FreeSWITCH will be started with. Commands that
 * a configuration wants to have run (`exec`) are not run.
 */
export function readFreeswitchFiles(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): ReadFiles {
  const reader = new Reader(environment);
  try {
    reader.include(path.join(folder, 'freeswitch.xml'), 0);
  } catch (error) {
    return { kind: 'refused', why: error instanceof Error ? error.message : String(error) };
  }
  if (reader.elements.length === 0)
    return { kind: 'refused', why: `there is no configuration in ${folder}/freeswitch.xml` };
  const relative = (at: string): string => path.relative(folder, at);
  return {
    kind: 'read',
    files: {
      variables: reader.variables,
      elements: reader.elements.map((element) => ({ ...element, at: relative(element.at) })),
      missing: reader.missing.map(relative),
    },
  };
}

class Reader {
  readonly variables = new Map<string, string>();
  readonly elements: (Element & { readonly inside: string })[] = [];
  readonly missing: string[] = [];
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #around: string[] = [];
  #files = 0;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  include(file: string, depth: number): void {
    if (depth > MAX_DEPTH) throw new Error(`${file}: more than ${MAX_DEPTH} includes inside each other`);
    this.#files += 1;
    if (this.#files > MAX_FILES) throw new Error(`more than ${MAX_FILES} files`);
    const text = textOf(file);
    if (text === null) return void this.missing.push(file);
    const uncommented = withoutComments(text);
    for (const [index, line] of text.split('\n').entries()) {
      // FreeSWITCH obeys an order also where it stands in a comment.
      const filled = this.#fill(line);
      const commands = [...filled.matchAll(PREPROCESS), ...filled.matchAll(MARKER)];
      for (const [, command = '', data = ''] of commands) this.#preprocess(command.toLowerCase(), data, file, depth);
      if (commands.length === 0) this.#tags(this.#fill(uncommented[index] ?? ''), `${file}:${index + 1}`);
    }
  }

  #preprocess(command: string, data: string, file: string, depth: number): void {
    if (command === 'include') {
      const wanted = path.resolve(path.dirname(file), data);
      const found = globSync(wanted).toSorted();
      if (found.length === 0 && !/[*?[]/.test(data)) this.missing.push(wanted);
      for (const one of found) this.include(one, depth + 1);
      return;
    }
    const equals = data.indexOf('=');
    if (equals < 0) return;
    const [name, value] = [data.slice(0, equals).trim(), data.slice(equals + 1).trim()];
    const given = command === 'env-set' ? this.#environment[value.replace(/^\$/, '')] : value;
    if ((command === 'set' || command === 'env-set') && given !== undefined) this.variables.set(name, given);
  }

  #fill(line: string): string {
    return line.replace(/\$\$\{([^}]*)\}/g, (_, name: string) => this.variables.get(name) ?? '');
  }

  #tags(line: string, at: string): void {
    for (const [, closes, name = '', rest = '', isEmpty] of line.matchAll(TAG)) {
      const isSection = SECTIONS.has(name);
      if (closes === '/') {
        if (isSection) this.#around.pop();
        continue;
      }
      const attributes = new Map([...rest.matchAll(ATTRIBUTE)].map(([, key = '', value = '']) => [key, value]));
      this.elements.push({ name, attributes, at, inside: this.#around.join('/') });
      if (isSection && isEmpty !== '/') this.#around.push(attributes.get('name') ?? '');
    }
  }
}

function textOf(file: string): string | null {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory()) return null;
  if (stat.size > MAX_FILE_BYTES) throw new Error(`${file} is larger than ${MAX_FILE_BYTES} bytes`);
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Line by line, so that places stay true. */
function withoutComments(text: string): readonly string[] {
  return text.replace(/<!--[\s\S]*?(-->|$)/g, (comment) => comment.replace(/[^\n]/g, '')).split('\n');
}
