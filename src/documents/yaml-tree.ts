import { Composer, type Document, Lexer, LineCounter, Parser, YAMLParseError } from 'yaml';

/** A file as the YAML library sees it: a node for each thing that is written, with its place. */
export interface YamlTree {
  readonly tree: Document.Parsed;
  readonly lines: LineCounter;
}

/**
 * What the library does grows with what a text holds, not with its length: a megabyte of brackets costs it ten times
 * as much time and memory as a megabyte of people. A full file of a real roster has 270,000.
 */
export const MAX_PARTS = 400_000;

/** Keys of a map are not compared. Throws TooManyParts before anything is built of a text that holds too much. */
export function yamlTree(text: string, maxParts = MAX_PARTS): YamlTree {
  const lines = new LineCounter();
  // Keys are compared by the caller: the library takes a time that grows with the square of their number.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, merge: false, schema: 'core' } as const;
  const composer = new Composer(options);
  const { stackTraceLimit } = Error;
  // A text of nothing but faults makes as many errors, of which only their places matter.
  Error.stackTraceLimit = 0;
  try {
    const [tree, another] = composer.compose(tokens(text, lines, maxParts), true, text.length);
    if (tree === undefined) throw new Error('there is always a document');
    if (another !== undefined)
      tree.errors.push(new YAMLParseError(another.range.slice(0, 2) as [number, number], 'MULTIPLE_DOCS', SECOND));
    return { tree, lines };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const SECOND = 'a second document begins here';

export class TooManyParts extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super('too many parts');
    this.offset = offset;
  }
}

function* tokens(text: string, lines: LineCounter, maxParts: number): Generator<Parameters<Composer['next']>[0]> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let parts = 0;
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (isScalar) isScalar = false;
    else {
      isScalar = lexeme === PLAIN;
      parts += weights[lexeme[0]!] ?? 0;
      if (parts > maxParts) throw new TooManyParts(parser.offset);
    }
    yield* parser.next(lexeme);
  }
  yield* parser.end();
}

/** Announces a word without quotes, which is the next lexeme. */
const PLAIN = '\u001f';

/** By the first character of a lexeme: what the library makes of it, measured. Spaces, colons and closing brackets are cheap. */
const weights: Readonly<Record<string, number>> = {
  [PLAIN]: 1,
  '"': 1,
  "'": 1,
  '|': 1,
  '>': 1,
  '{': 3,
  '[': 3,
  ',': 2,
  '-': 1,
  '?': 1,
  '&': 1,
  '*': 1,
  '!': 1,
  '%': 1,
  '#': 1,
  '\n': 1,
  '\r': 1,
};
