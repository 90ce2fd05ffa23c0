/** One value of From, To, Contact or P-Asserted-Identity (RFC 3261 20.10). Names and values are as sent. */
export interface NameAddr {
  readonly displayName: string;
  readonly uri: string;
  /** Header parameters, names in lower case; a flag has the value ''. */
  readonly params: ReadonlyMap<string, string>;
}

export interface SipUri {
  readonly scheme: 'sip' | 'sips' | 'tel';
  /** '' when there is none; percent escapes are decoded. */
  readonly user: string;
  /** Lower case, IPv6 without brackets. */
  readonly host: string;
  /** null: none given. */
  readonly port: number | null;
  readonly params: ReadonlyMap<string, string>;
}

const longestHeader = 8192;

/** null: not a list of addresses. Walks the text once; nothing in it can make that slow. */
export function parseNameAddrs(text: string): readonly NameAddr[] | null {
  if (text.length > longestHeader) return null;
  const found: NameAddr[] = [];
  for (const part of splitOutsideQuotes(text, ',')) {
    const one = parseNameAddr(part);
    if (one === null) return null;
    found.push(one);
  }
  return found.length === 0 ? null : found;
}

export function parseNameAddr(text: string): NameAddr | null {
  const value = text.trim();
  const open = indexOutsideQuotes(value, '<');
  if (open < 0) {
    // addr-spec form: everything after the first ";" belongs to the header, not to the URI (RFC 3261 20).
    const [uri = '', ...params] = splitOutsideQuotes(value, ';');
    return uri.trim() === '' ? null : { displayName: '', uri: uri.trim(), params: readParams(params) };
  }
  const close = value.indexOf('>', open);
  if (close < 0) return null;
  const uri = value.slice(open + 1, close).trim();
  if (uri === '') return null;
  const [, ...params] = splitOutsideQuotes(value.slice(close + 1), ';');
  return { displayName: unquote(value.slice(0, open).trim()), uri, params: readParams(params) };
}

/** null: not a SIP or tel URI. */
export function parseSipUri(text: string): SipUri | null {
  const match = /^(sips?|tel):([^\s<>"]{1,1024})$/i.exec(text.trim());
  if (!match) return null;
  const scheme = match[1]?.toLowerCase() as SipUri['scheme'];
  const [head = '', ...rest] = (match[2]?.split('?', 1)[0] ?? '').split(';');
  if (scheme === 'tel') return { scheme, user: decode(head), host: '', port: null, params: readParams(rest) };
  // A user part may hold ";" (telephone-subscriber); it then lies before the "@".
  const whole = [head, ...rest].join(';');
  const at = whole.lastIndexOf('@');
  const user = at < 0 ? '' : (whole.slice(0, at).split(';', 1)[0]?.split(':', 1)[0] ?? '');
  const [hostPort = '', ...params] = whole.slice(at + 1).split(';');
  const host = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(hostPort);
  if (!host) return null;
  const port = host[2] === undefined ? null : Number(host[2]);
  if (port !== null && port > 65_535) return null;
  return {
    scheme,
    user: decode(user),
    host: (host[1] ?? '').replace(/^\[|\]$/g, '').toLowerCase(),
    port,
    params: readParams(params),
  };
}

/** The comparison of RFC 3261 19.1.4 as far as it can tell two devices apart. */
export function sameUri(one: string, other: string): boolean {
  if (one === other) return true;
  const a = parseSipUri(one);
  const b = parseSipUri(other);
  if (a === null || b === null) return false;
  return (
    a.scheme === b.scheme &&
    a.user === b.user &&
    a.host === b.host &&
    (a.port ?? 5060) === (b.port ?? 5060) &&
    (a.params.get('transport') ?? 'udp').toLowerCase() === (b.params.get('transport') ?? 'udp').toLowerCase()
  );
}

/** A quoted display name that cannot leave its quotes or its line. At most 64 characters. */
export function quoteName(name: string): string {
  // \p{C}: control characters, format marks and halves of characters that a cut would leave.
  const clean = name.slice(0, 64).replace(/\p{C}/gu, '');
  return `"${clean.replace(/[\\"]/g, '\\$&')}"`;
}

export function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  let angled = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i += 1;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') angled = true;
    else if (c === '>') angled = false;
    else if (c === separator && !angled) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

function indexOutsideQuotes(text: string, wanted: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quoted && c === '\\') i += 1;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && c === wanted) return i;
  }
  return -1;
}

function readParams(parts: readonly string[]): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const part of parts.slice(0, 32)) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (name !== '' && !params.has(name)) params.set(name, equals < 0 ? '' : unquote(part.slice(equals + 1).trim()));
  }
  return params;
}

export function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1
    ? text.slice(1, -1).replace(/\\(.)/g, '$1')
    : text;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone "%" is not an escape; the text then means itself.
    return text;
  }
}
