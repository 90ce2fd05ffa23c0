import { createRequire } from 'node:module';

/** The message of drachtio-srf, as far as it is replaced here. */
export interface LibraryMessage {
  readonly headers: Record<string, string>;
  /** What it was read from; undefined for one that was put together. */
  readonly raw?: string;
  body?: string | undefined;
  set(headers: object): unknown;
  getHeaderName: (this: LibraryMessage, name: string) => string | undefined;
  get(name: string): string | undefined;
  has(name: string): boolean;
  toString(): string;
}

/** What its parser makes of a text; undefined when it is no message. */
export interface ReadMessage {
  method?: string;
  uri?: string;
  version?: string;
  status?: number;
  reason?: string;
  headers: Record<string, string>;
  body?: string | undefined;
  payload?: { type: string | undefined; content: string | undefined }[];
}

export interface LibraryParser {
  parseSipMessage: (this: void, text: string, isLazy: boolean) => ReadMessage | undefined;
  readonly getHeaderName: (this: void, name: string) => string;
}

const require = createRequire(import.meta.url);

/** Inside of drachtio-srf. */
export const libraryParser = require('drachtio-srf/lib/sip-parser/parser.js') as LibraryParser;
export const LibraryMessage = require('drachtio-srf/lib/sip-parser/message.js') as {
  new (from?: string | object): LibraryMessage;
  readonly prototype: LibraryMessage;
};

const { parseSipMessage: readByLibrary, getHeaderName: nameByLibrary } = libraryParser;
const { getHeaderName: findByLibrary } = LibraryMessage.prototype;

/**
 * drachtio-srf 5.0.29 reads a message with some thirty regular expressions and finds a header by going through all of
 * them. Ours makes the same of what is plain, in one pass, and leaves everything else to the library: folded lines, several parts,
 * names that are no tokens, start lines out of the ordinary.
 */
export function readPlain(text: string): ReadMessage | undefined {
  const ends = text.indexOf(blankLine);
  const headEnd = ends === -1 ? text.length : ends;
  const lineEnd = endOfLine(text, 0, headEnd);
  const message = startLine(text.slice(0, lineEnd));
  if (message === undefined) return undefined;
  const { headers } = message;
  for (let at = lineEnd + 2; at <= headEnd; ) {
    const end = endOfLine(text, at, headEnd);
    const colon = text.indexOf(':', at);
    if (colon === -1 || colon >= end) return undefined;
    const name = plainName(text.slice(at, colon));
    if (name === undefined) return undefined;
    const value = text.slice(colon + 1, end).trimStart();
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before},${value}`;
    at = end + 2;
    if (text[at] === ' ' || text[at] === '\t') return undefined;
  }
  const type = headers['content-type'];
  if (type?.includes('multipart/') === true) return undefined;
  message.body = bodyOf(ends === -1 ? undefined : text.slice(ends + blankLine.length), headers['content-length']);
  message.payload = [{ type, content: message.body }];
  return message;
}

const blankLine = '\r\n\r\n';

function endOfLine(text: string, from: number, headEnd: number): number {
  const end = text.indexOf('\r\n', from);
  return end === -1 || end > headEnd ? headEnd : end;
}

function startLine(line: string): ReadMessage | undefined {
  const [, method, uri] = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(line) ?? [];
  if (method !== undefined && uri !== undefined) return { method, uri, version: '2.0', headers: {} };
  const [, status, reason = ''] = /^SIP\/2\.0 (\d{3}) (\S.*)?$/.exec(line) ?? [];
  return status === undefined ? undefined : { version: '2.0', status: Number(status), reason, headers: {} };
}

/** With Content-Length as many characters as it says bytes, else up to the next blank line: as the library takes it. */
function bodyOf(rest: string | undefined, length: string | undefined): string | undefined {
  if (!length) return rest?.split(blankLine, 1)[0];
  if (rest === undefined) return '';
  const bytes = Number(length);
  return rest.slice(0, Math.max(0, bytes <= rest.length ? bytes : Math.min(bytes, Buffer.byteLength(rest))));
}

/** Names that have been met, with what the library calls them. Phones send a few dozen; more are asked for each time. */
const names = new Map<string, string>();
const maxNames = 500;

/** undefined: the library shall see to it. It takes what every object has (`constructor`) for a header that it knows. */
function plainName(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (!/^[A-Za-z][A-Za-z0-9-]*\s*$/.test(text)) return undefined;
  const name = nameByLibrary(text.trimEnd());
  if (typeof name !== 'string' || name in Object.prototype) return undefined;
  if (names.size < maxNames) names.set(text.slice(), name);
  return name;
}

/** Where a message that was read keeps the header. Names that the library keeps as they were written are looked for by it. */
export function findPlain(message: LibraryMessage, name: string): string | undefined {
  const lower = name.toLowerCase();
  const keepsCase = lower.startsWith('x-') || lower.startsWith('p-') || lower === 'diversion';
  if (message.raw === undefined || keepsCase) return findByLibrary.call(message, name);
  return Object.hasOwn(message.headers, lower) ? lower : undefined;
}

export function leanMessages(): void {
  libraryParser.parseSipMessage = (text, isLazy) =>
    (isLazy && typeof text === 'string' ? readPlain(text) : undefined) ?? readByLibrary(text, isLazy);
  LibraryMessage.prototype.getHeaderName = function (name) {
    return findPlain(this, name);
  };
}
