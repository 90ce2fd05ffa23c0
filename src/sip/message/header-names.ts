/** `key` is lower case and used to find a header; `name` is how it is written. */
export interface HeaderName {
  readonly key: string;
  readonly name: string;
}

const written = [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Alert-Info',
  'Allow',
  'Allow-Events',
  'Authentication-Info',
  'Authorization',
  'Call-ID',
  'Call-Info',
  'Contact',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Type',
  'CSeq',
  'Date',
  'Diversion',
  'Error-Info',
  'Event',
  'Expires',
  'From',
  'Geolocation',
  'History-Info',
  'Identity',
  'Identity-Info',
  'In-Reply-To',
  'Join',
  'Max-Forwards',
  'MIME-Version',
  'Min-Expires',
  'Min-SE',
  'Organization',
  'P-Asserted-Identity',
  'P-Preferred-Identity',
  'Path',
  'Priority',
  'Privacy',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'Proxy-Require',
  'RAck',
  'Reason',
  'Record-Route',
  'Refer-Sub',
  'Refer-To',
  'Referred-By',
  'Reject-Contact',
  'Remote-Party-ID',
  'Replaces',
  'Reply-To',
  'Request-Disposition',
  'Require',
  'Resource-Priority',
  'Retry-After',
  'Route',
  'RSeq',
  'Server',
  'Service-Route',
  'Session-Expires',
  'SIP-ETag',
  'SIP-If-Match',
  'Subject',
  'Subscription-State',
  'Supported',
  'Timestamp',
  'To',
  'Unsupported',
  'User-Agent',
  'Via',
  'Warning',
  'WWW-Authenticate',
];

/** RFC 3261 7.3.3 and the IANA registry of short forms. */
const compact: Readonly<Record<string, string>> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
};

const known = new Map<string, HeaderName>();
for (const name of written) remember(name, { key: name.toLowerCase(), name });
for (const [short, name] of Object.entries(compact)) remember(short, { key: name.toLowerCase(), name });

function remember(spelling: string, entry: HeaderName): void {
  known.set(spelling, entry);
  known.set(spelling.toLowerCase(), entry);
  known.set(spelling.toUpperCase(), entry);
}

// Strangers' spellings are remembered too, but only so many: the table must not grow with what the network sends.
const maxRemembered = 1_000;

/** Expands a compact form; a name we do not know keeps its spelling. */
export function headerName(spelling: string): HeaderName {
  const found = known.get(spelling);
  if (found !== undefined) return found;
  const lower = spelling.toLowerCase();
  const entry = known.get(lower) ?? { key: lower, name: spelling };
  if (known.size < maxRemembered && spelling.length <= 64) known.set(spelling, entry);
  return entry;
}

const tokenChar = new Uint8Array(128);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  tokenChar[char.charCodeAt(0)] = 1;
}

export function isTokenCode(code: number): boolean {
  return code < 128 && tokenChar[code] === 1;
}

/** RFC 3261 25.1 `token`. */
export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i++) {
    if (!isTokenCode(text.charCodeAt(i))) return false;
  }
  return true;
}
