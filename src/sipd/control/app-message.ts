import { encodeHeaderValue, Headers, headerName, isToken } from '../../sip/index.ts';

/** A SIP message as an app writes it: unfinished, and with a Content-Length that is not to be trusted. */
export type AppMessage =
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly uri: string;
      readonly headers: Headers;
      readonly body: Buffer;
    }
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly reason: string;
      readonly headers: Headers;
      readonly body: Buffer;
    };

/**
 * Reads what follows the meta line. The body is whatever follows the blank line: apps count characters where bytes are
 * meant. Header lines without a name are left out. Undefined if there is no start line.
 */
export function parseAppMessage(bytes: Buffer): AppMessage | undefined {
  const blank = bytes.indexOf('\r\n\r\n');
  const head = bytes.toString('utf8', 0, blank < 0 ? bytes.length : blank);
  const body = blank < 0 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(blank + 4));
  const lines = head.split('\r\n');
  const headers = new Headers();
  for (let i = 1; i < lines.length; i++) addLine(headers, lines[i] as string);
  const first = lines[0] ?? '';
  const response = /^SIP\/2\.0 (\d{3})(?: (.*))?$/.exec(first);
  if (response !== null) {
    const status = Number(response[1]);
    if (status < 100 || status > 699) return undefined;
    return { kind: 'response', status, reason: encodeHeaderValue(response[2] ?? ''), headers, body };
  }
  const request = /^(\S+) (\S+) SIP\/2\.0$/.exec(first);
  if (request === null || !isToken(request[1] as string)) return undefined;
  return { kind: 'request', method: request[1] as string, uri: request[2] as string, headers, body };
}

function addLine(headers: Headers, line: string): void {
  const colon = line.indexOf(':');
  if (colon <= 0) return;
  const spelling = line.slice(0, colon).trimEnd();
  if (!isToken(spelling)) return;
  headers.add(capitalised(spelling), line.slice(colon + 1).trim());
}

/** Apps write `x-story` or `subject-line`; on the wire known names get their own spelling and others Aaa-Bbb. */
function capitalised(spelling: string): string {
  const { name } = headerName(spelling);
  if (name !== spelling || /^[Xx]-/.test(spelling)) return name;
  return spelling.replaceAll(/(^|-)([a-z])/g, (match) => match.toUpperCase());
}
