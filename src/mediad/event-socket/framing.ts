/** The event socket's lines: commands in, replies and events out. */
export interface EslCommand {
  /** The first line, trimmed. */
  readonly line: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** The same headers with their names as they came. */
  readonly fields: EventHeaders;
  readonly body: string;
}

export interface ReadLimits {
  /** First line and headers together. */
  readonly headBytes: number;
  readonly bodyBytes: number;
}

/** Somebody who has not said the secret has no use for more. */
export const STRANGER_LIMITS: ReadLimits = { headBytes: 1024, bodyBytes: 0 };
export const MEMBER_LIMITS: ReadLimits = { headBytes: 65_536, bodyBytes: 1_048_576 };

const MAX_HEADERS = 128;

/** Cuts a byte stream into commands. Once `isBroken`, nothing more comes out: close the connection. */
export class CommandReader {
  #limits: ReadLimits;
  #buffer: Buffer = Buffer.alloc(0);
  #lines: string[] = [];
  #headBytes = 0;
  #isBroken = false;

  constructor(limits: ReadLimits) {
    this.#limits = limits;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  set limits(limits: ReadLimits) {
    this.#limits = limits;
  }

  /** One command at a time, so that the caller can change the limits between two (after `auth`). */
  *read(chunk: Buffer): Generator<EslCommand> {
    if (this.#isBroken) return;
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const command = this.#next();
      if (command === undefined) break;
      yield command;
    }
    const waiting = this.#headBytes + this.#buffer.length;
    if (waiting > this.#limits.headBytes + this.#limits.bodyBytes) this.#isBroken = true;
  }

  #next(): EslCommand | undefined {
    while (!this.#isBroken) {
      if (this.#lines.at(-1) === '') return this.#finish();
      const end = this.#buffer.indexOf(10);
      if (end === -1) return undefined;
      const line = this.#buffer.toString('utf8', 0, end).replace(/\r$/, '');
      this.#buffer = this.#buffer.subarray(end + 1);
      if (line === '' && this.#lines.length === 0) continue;
      this.#headBytes += end + 1;
      this.#lines.push(line);
      if (this.#headBytes > this.#limits.headBytes || this.#lines.length > MAX_HEADERS) this.#isBroken = true;
    }
    return undefined;
  }

  #finish(): EslCommand | undefined {
    const fields = readFields(this.#lines.slice(1, -1));
    const headers = new Map([...fields].map(([name, value]) => [name.toLowerCase(), value]));
    const length = headers.get('content-length') ?? '0';
    // Unsigned decimal and nothing else: a length is never trusted further than that.
    if (!/^\d{1,8}$/.test(length) || Number(length) > this.#limits.bodyBytes) {
      this.#isBroken = true;
      return undefined;
    }
    const bodyBytes = Number(length);
    if (this.#buffer.length < bodyBytes) return undefined;
    const body = this.#buffer.toString('utf8', 0, bodyBytes);
    const line = this.#lines[0]!.trim();
    this.#buffer = this.#buffer.subarray(bodyBytes);
    this.#lines = [];
    this.#headBytes = 0;
    return { line, headers, fields: Object.fromEntries(fields), body };
  }
}

function readFields(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  return headers;
}

export type EventHeaders = Readonly<Record<string, string>>;

/**
 * Values are percent-encoded: client libraries run decodeURIComponent over every header line, and a stray `%` is an uncaught exception there.
 */
export function commandReply(text: string, headers: EventHeaders = {}): string {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${encodeValue(value)}\n`);
  return `Content-Type: command/reply\nReply-Text: ${encodeReply(text)}\n${more.join('')}\n`;
}

export function apiResponse(body: string): string {
  return withBody('Content-Type: api/response\n', body === '' ? '-ERR no reply\n' : body);
}

export function disconnectNotice(channel: string | undefined): string {
  const about = channel === undefined ? '' : `Controlled-Session-UUID: ${channel}\nContent-Disposition: disconnect\n`;
  return withBody(`Content-Type: text/disconnect-notice\n${about}`, 'Disconnected, goodbye.\n');
}

export function jsonEvent(headers: EventHeaders, body: string | undefined): string {
  const event =
    body === undefined ? headers : { ...headers, 'Content-Length': String(Buffer.byteLength(body)), _body: body };
  return withBody('Content-Type: text/event-json\n', JSON.stringify(event), 'first');
}

export function plainEvent(headers: EventHeaders, body: string | undefined): string {
  const tail = body === undefined ? '\n' : `Content-Length: ${Buffer.byteLength(body)}\n\n${body}`;
  return withBody('Content-Type: text/event-plain\n', headerBlock(headers) + tail, 'first');
}

/** `Name: value` lines with encoded values; an empty value is `_undef_`, as FreeSWITCH writes it. */
export function headerBlock(headers: EventHeaders): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value === '' ? '_undef_' : encodeValue(value)}\n`)
    .join('');
}

function withBody(head: string, body: string, length: 'first' | 'last' = 'last'): string {
  const line = `Content-Length: ${Buffer.byteLength(body)}\n`;
  return `${length === 'first' ? line + head : head + line}\n${body}`;
}

function encodeValue(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll('%2F', '/');
}

/** Reply texts stay readable; only what would break a line or a decoder is encoded. */
function encodeReply(text: string): string {
  return text.toWellFormed().replace(/[%\p{Cc}]/gu, (character) => encodeURIComponent(character));
}
