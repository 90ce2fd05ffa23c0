import type { SipMessage } from '../../sip/index.ts';
import { hidden } from './hidden.ts';
import { printable } from './printable.ts';

/** Attributes of a session description (RFC 8866, RFC 8839) that say how media travel. Keys and names are in others. */
const shownAttributes: ReadonlySet<string> = new Set(
  (
    'rtpmap fmtp ptime maxptime sendrecv sendonly recvonly inactive rtcp rtcp-mux rtcp-fb mid group candidate ' +
    'end-of-candidates fingerprint setup connection ice-lite'
  ).split(' '),
);

/** Of a session description, addresses, codecs and directions; of any other body, its size and type. */
export function maskedBody({ headers, body }: SipMessage): string {
  if (body.length === 0) return '';
  const type = headers.get('Content-Type')?.split(';', 1)[0]?.trim().toLowerCase() ?? 'no type';
  if (type !== 'application/sdp') return `(${body.length} bytes of ${type.slice(0, 60)}, not shown)`;
  return body
    .toString('latin1')
    .split(/\r?\n/)
    .map((line) => (line === '' ? '' : printable(maskedLine(line))))
    .join('\r\n');
}

function maskedLine(line: string): string {
  const value = line.slice(2);
  switch (line.slice(0, 2)) {
    case 'v=':
    case 'c=':
    case 'b=':
    case 't=':
    case 'm=':
      return line;
    case 'o=':
      // From the end: some write a name of several words.
      return `o=- ${value.split(' ').slice(1).slice(-5).join(' ')}`;
    case 's=':
      return 's=-';
    case 'a=': {
      const name = value.split(':', 1)[0] ?? '';
      return shownAttributes.has(name) ? line : `a=${/^[\w-]{1,40}$/.test(name) ? name : hidden}:${hidden}`;
    }
    default:
      return /^[a-z]=/.test(line) ? `${line.slice(0, 2)}${hidden}` : hidden;
  }
}
