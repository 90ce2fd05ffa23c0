import { Headers } from './headers.ts';
import { cseqMax } from './limits.ts';
import { tagOf } from './name-addr.ts';
import { reasonPhrase } from './status.ts';
import { parseVia, type Via } from './via.ts';

export interface SipRequest {
  readonly kind: 'request';
  /** As received: methods are case-sensitive. */
  readonly method: string;
  /** The Request-URI as text. */
  readonly uri: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface SipResponse {
  readonly kind: 'response';
  /** 100 to 699. */
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export type SipMessage = SipRequest | SipResponse;

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

export const noBody: Buffer = Buffer.alloc(0);

/** A response to `request` with the headers RFC 3261 8.2.6.2 copies. `toTag` is added to To if it has none yet. */
export function responseTo(
  request: SipRequest,
  status: number,
  options: { reason?: string; toTag?: string; headers?: Headers; body?: Buffer } = {},
): SipResponse {
  const headers = new Headers();
  headers.copy('Via', request.headers);
  headers.copy('From', request.headers);
  const to = request.headers.get('To') ?? '';
  headers.add('To', options.toTag === undefined || tagOf(to) !== '' ? to : `${to};tag=${options.toTag}`);
  headers.copy('Call-ID', request.headers);
  headers.copy('CSeq', request.headers);
  if (status === 100) headers.copy('Timestamp', request.headers);
  options.headers?.forEach((name, value) => headers.add(name, value));
  return {
    kind: 'response',
    status,
    reason: options.reason ?? reasonPhrase(status),
    headers,
    body: options.body ?? noBody,
  };
}

/**
 * The bytes for the wire, not to be changed. Content-Length is always the true number of bytes of the body. What has been
 * sent is shown to whoever wanted it sent, so the last ones are kept.
 */
export function serialise(message: SipMessage): Buffer {
  if (message !== last.message || message.headers.changes !== last.changes) {
    last = { message, changes: message.headers.changes, bytes: written(message) };
  }
  return last.bytes;
}

let last: { message: SipMessage | undefined; changes: number; bytes: Buffer } = {
  message: undefined,
  changes: 0,
  bytes: noBody,
};

function written(message: SipMessage): Buffer {
  const text = `${startLine(message)}\r\n${message.headers.toText()}Content-Length: ${message.body.length}\r\n\r\n`;
  if (message.body.length === 0) return Buffer.from(text);
  const headBytes = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(headBytes + message.body.length);
  bytes.write(text);
  message.body.copy(bytes, headBytes);
  return bytes;
}

export function startLine(message: SipMessage): string {
  return message.kind === 'request'
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`;
}

export function callIdOf(message: SipMessage): string {
  return message.headers.get('Call-ID') ?? '';
}

export function fromTagOf(message: SipMessage): string {
  return tagOf(message.headers.get('From') ?? '');
}

export function toTagOf(message: SipMessage): string {
  return tagOf(message.headers.get('To') ?? '');
}

/** A parsed message always has a well-formed CSeq; of one built by hand the caller makes sure. */
export function cseqOf(message: SipMessage): CSeq {
  return parseCSeq(message.headers.get('CSeq') ?? '') ?? { number: 0, method: '' };
}

export function topViaOf(message: SipMessage): Via | undefined {
  const value = message.headers.get('Via');
  return value === undefined ? undefined : parseVia(value);
}

export function parseCSeq(value: string): CSeq | undefined {
  const match = /^(\d{1,20})[ \t]+(\S+)$/.exec(value);
  if (match === null) return undefined;
  const number = Number(match[1]);
  return number > cseqMax ? undefined : { number, method: match[2] as string };
}

/** Whether the method may be followed by target refresh, RFC 3261 12.2 and its extensions. */
export function isTargetRefresh(method: string): boolean {
  return method === 'INVITE' || method === 'UPDATE' || method === 'SUBSCRIBE' || method === 'NOTIFY';
}
