import { headerName, isToken } from './header-names.ts';
import { encodeHeaderValue, Headers } from './headers.ts';
import { defaultMessageLimits, type MessageLimits } from './limits.ts';
import { noBody, type SipMessage, type SipRequest } from './sip-message.ts';
import { splitList } from './split-list.ts';
import { findProblem, type Problem } from './validate.ts';

export type ParseResult =
  | { readonly kind: 'message'; readonly message: SipMessage }
  /**
   * A request that cannot be served but can be answered: its top Via is usable. `isHopeless`: whoever sends such a thing
   * speaks no SIP, and a connection is better closed.
   */
  | {
      readonly kind: 'refuse';
      readonly request: SipRequest;
      readonly status: number;
      readonly why: string;
      readonly isHopeless?: true;
    }
  /** Nothing that could be answered. `why` never contains what was sent. */
  | { readonly kind: 'drop'; readonly why: string };

/**
 * Reads one message from a datagram, or one already framed from a stream (`isStream`).
 * Bytes after Content-Length are ignored in a datagram (RFC 3261 18.3). Never throws.
 */
export function parseMessage(
  bytes: Buffer,
  isStream = false,
  limits: MessageLimits = defaultMessageLimits,
): ParseResult {
  const blank = bytes.indexOf('\r\n\r\n');
  if (blank < 0) return drop('no blank line');
  if (blank > limits.messageBytes) return drop('head too large');
  return new Reader(bytes, blank, isStream, limits).read();
}

class Reader {
  readonly #text: string;
  readonly #bytes: Buffer;
  readonly #bodyAt: number;
  readonly #isStream: boolean;
  readonly #limits: MessageLimits;
  readonly #headers = new Headers();
  #problem: Problem | undefined;

  constructor(bytes: Buffer, blank: number, isStream: boolean, limits: MessageLimits) {
    this.#limits = limits;
    this.#bytes = bytes;
    this.#bodyAt = blank + 4;
    this.#isStream = isStream;
    this.#text = bytes.toString('utf8', 0, blank + 2);
  }

  read(): ParseResult {
    let at = 0;
    // RFC 3261 7.5: empty lines before the start line are ignored.
    while (this.#text.startsWith('\r\n', at)) at += 2;
    const end = this.#text.indexOf('\r\n', at);
    if (end < 0) return drop('empty message');
    const line = this.#text.slice(at, end);
    if (!this.#readHeaders(end + 2)) return drop(this.#problem?.why ?? 'unreadable headers');
    return line.startsWith('SIP/') ? this.#response(line) : this.#request(line);
  }

  #request(line: string): ParseResult {
    const first = line.indexOf(' ');
    const last = line.lastIndexOf(' ');
    const method = line.slice(0, first);
    const version = line.slice(last + 1);
    if (first <= 0 || !isToken(method) || !/^SIP[ \t]*\/[ \t]*\d/i.test(version)) {
      // Trailing or doubled spaces and missing parts: answerable only if it was meant to be a request (RFC 4475 3.1.2).
      if (!namesVersion(line)) return drop('no start line');
      this.#fault(400, 'malformed request line');
    }
    const uri = line.slice(first + 1, Math.max(first + 1, last));
    if (version.toUpperCase() !== 'SIP/2.0') this.#fault(version.startsWith('SIP/') ? 505 : 400, 'SIP version');
    if (uri.length > this.#limits.uriChars) this.#fault(414, 'Request-URI too long');
    const body = this.#body();
    const safeMethod = isToken(method) ? method : 'INVALID';
    const request: SipRequest = { kind: 'request', method: safeMethod, uri, headers: this.#headers, body };
    // Without a Via at all it is no SIP; with a crooked one it can still be told so, where it came from.
    if (this.#headers.get('Via')?.toUpperCase().startsWith('SIP') !== true) return drop('no usable Via');
    const problem = this.#problem ?? findProblem(request, this.#limits);
    return problem === undefined ? { kind: 'message', message: request } : { kind: 'refuse', request, ...problem };
  }

  #response(line: string): ParseResult {
    const match = /^SIP\/2\.0 (\d{3})(?: (.*))?$/.exec(line);
    const status = Number(match?.[1]);
    if (match === null || status < 100 || status > 699) return drop('malformed status line');
    const body = this.#body();
    if (this.#problem !== undefined) return drop(this.#problem.why);
    const message = { kind: 'response', status, reason: match[2] ?? '', headers: this.#headers, body } as const;
    const problem = findProblem(message, this.#limits);
    return problem === undefined ? { kind: 'message', message } : drop(problem.why);
  }

  /** False only if there is nothing to work with; a faulty line is noted and skipped, so that a 400 can be sent. */
  #readHeaders(start: number): boolean {
    const text = this.#text;
    const keys = this.#headers;
    let at = start;
    let count = 0;
    while (at < text.length) {
      let end = text.indexOf('\r\n', at);
      if (end < 0) end = text.length;
      let next = end + 2;
      let isFolded = false;
      // RFC 3261 7.3.1: a line that begins with white space continues the one before.
      while (isSpace(text.charCodeAt(next))) {
        isFolded = true;
        const more = text.indexOf('\r\n', next);
        end = more < 0 ? text.length : more;
        next = end + 2;
      }
      if (++count > this.#limits.headerCount) return this.#refuseAll('too many headers');
      this.#readHeader(keys, isFolded ? unfold(text.slice(at, end)) : text.slice(at, end));
      at = next;
    }
    return true;
  }

  #readHeader(headers: Headers, line: string): void {
    const colon = line.indexOf(':');
    if (colon <= 0) return this.#fault(400, 'header line without a name');
    if (line.length > this.#limits.headerChars) return this.#fault(400, 'header too long');
    const name = line.slice(0, blanksBefore(line, colon));
    const entry = headerName(name);
    if (entry.name === name && !isToken(name)) return this.#fault(400, 'malformed header name');
    const value = line.slice(colon + 1);
    // A lone CR or LF inside a value is how headers are smuggled.
    if (value.includes('\n') || value.includes('\r')) this.#fault(400, 'line end inside a header');
    const clean = encodeHeaderValue(value).trim();
    if (entry.key === 'via' && clean.includes(',')) for (const hop of splitList(clean)) headers.addParsed(entry, hop);
    else headers.addParsed(entry, clean);
  }

  #body(): Buffer {
    const lengths = this.#headers.lines('Content-Length');
    const available = this.#bytes.length - this.#bodyAt;
    if (lengths.length === 0) {
      if (this.#isStream) this.#fault(400, 'no Content-Length on a stream');
      return available === 0 ? noBody : Buffer.from(this.#bytes.subarray(this.#bodyAt));
    }
    const length = parseContentLength(lengths);
    if (length !== undefined && this.#bodyAt + length > this.#limits.messageBytes) {
      this.#fault(513, 'message too large');
      return noBody;
    }
    if (length === undefined) {
      this.#fault(400, 'malformed Content-Length');
      return noBody;
    }
    if (length > available) {
      this.#fault(400, 'body shorter than Content-Length');
      return noBody;
    }
    if (length === 0) return noBody;
    // Copied: a socket may use its buffer again.
    return Buffer.from(this.#bytes.subarray(this.#bodyAt, this.#bodyAt + length));
  }

  #fault(status: number, why: string): void {
    this.#problem ??= { status, why };
  }

  #refuseAll(why: string): false {
    this.#fault(400, why);
    return false;
  }
}

/** All Content-Length lines must agree on one plain decimal number. */
export function parseContentLength(lines: readonly string[]): number | undefined {
  const first = lines[0];
  if (first === undefined || !/^\d{1,8}$/.test(first)) return undefined;
  return lines.every((line) => Number(line) === Number(first) && /^\d{1,8}$/.test(line)) ? Number(first) : undefined;
}

// No regular expression here: one that eats white space on both sides of the line end takes quadratic time.
function unfold(lines: string): string {
  return lines
    .split('\r\n')
    .map((line) => line.trim())
    .join(' ');
}

// Blanks and tabs only (RFC 3261 7.3.1): what other white space means, whoever stands before us may see differently.
function blanksBefore(line: string, colon: number): number {
  let end = colon;
  while (end > 0 && isSpace(line.charCodeAt(end - 1))) end--;
  return end;
}

/** Whether a line that is no proper request line still says that it is SIP. */
function namesVersion(line: string): boolean {
  const at = line.lastIndexOf('SIP/');
  return at > 0 && isSpace(line.charCodeAt(at - 1));
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

function drop(why: string): ParseResult {
  return { kind: 'drop', why };
}
