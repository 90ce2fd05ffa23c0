import { hash } from 'node:crypto';
import { splitOutsideQuotes, unquote } from '../name-addr.ts';

export type DigestAlgorithm = 'SHA-256' | 'MD5';

/** What a phone says in `Authorization: Digest …` (RFC 7616 3.4). */
export interface DigestAnswer {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: DigestAlgorithm;
  readonly cnonce: string;
  /** Eight hex digits as sent. */
  readonly nc: string;
}

/**
 * The answers in one header (several are joined with commas), those we could have asked for: qop=auth and an
 * algorithm we know. Anything else counts as no answer and is challenged again.
 */
export function parseDigestAnswers(header: string): readonly DigestAnswer[] {
  if (header.length > 4096) return [];
  const answers: DigestAnswer[] = [];
  let fields: Map<string, string> | null = null;
  for (const part of splitOutsideQuotes(header, ',')) {
    const scheme = /^\s*digest\s+/i.exec(part);
    if (scheme) {
      if (fields) push(answers, fields);
      fields = new Map();
    }
    const field = scheme ? part.slice(scheme[0].length) : part;
    const equals = field.indexOf('=');
    if (fields === null || equals < 0) continue;
    const name = field.slice(0, equals).trim().toLowerCase();
    if (!fields.has(name)) fields.set(name, unquote(field.slice(equals + 1).trim()));
  }
  if (fields) push(answers, fields);
  return answers;
}

/** The `response` that whoever knows the password would send (RFC 7616 3.4.1, qop=auth). */
export function digestResponse(method: string, ha1: string, answer: DigestAnswer): string {
  const hashed = (text: string): string => digestHash(answer.algorithm, text);
  const ha2 = hashed(`${method}:${answer.uri}`);
  return hashed(`${ha1}:${answer.nonce}:${answer.nc}:${answer.cnonce}:auth:${ha2}`);
}

export function digestHash(algorithm: DigestAlgorithm, text: string): string {
  return hash(algorithm === 'MD5' ? 'md5' : 'sha256', text);
}

function push(answers: DigestAnswer[], fields: ReadonlyMap<string, string>): void {
  const read = (name: string): string => fields.get(name) ?? '';
  const algorithm = algorithmOf(read('algorithm'));
  const nc = read('nc');
  if (algorithm === null || read('qop').toLowerCase() !== 'auth' || !/^[0-9a-f]{8}$/i.test(nc)) return;
  // Names are kept by the back-off, so a long one is no name.
  if (read('username').length > 64) return;
  answers.push({
    username: read('username'),
    realm: read('realm'),
    nonce: read('nonce'),
    uri: read('uri'),
    response: read('response').toLowerCase(),
    algorithm,
    cnonce: read('cnonce'),
    nc,
  });
}

function algorithmOf(name: string): DigestAlgorithm | null {
  switch (name.toUpperCase()) {
    case '':
    case 'MD5':
      return 'MD5';
    case 'SHA-256':
      return 'SHA-256';
    default:
      return null;
  }
}
