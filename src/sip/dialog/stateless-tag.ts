import { hash } from 'node:crypto';
import type { SipRequest } from '../message/sip-message.ts';

const tagChars = 16;

/**
 * The To tag of an answer that nobody remembers: the same whenever the same request comes again (RFC 3261 8.2.7). `key`: of whoever
 * answers, and nobody else's.
 */
export function statelessTag({ headers }: SipRequest, key: string): string {
  const said = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => headers.get(name) ?? '');
  return hash('sha256', [key, ...said].join('\n'), 'hex').slice(0, tagChars);
}
