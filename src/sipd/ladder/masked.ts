import {
  type Headers,
  parseNameAddr,
  parseUri,
  reasonPhrase,
  type SipMessage,
  serialiseUri,
  splitList,
} from '../../sip/index.ts';
import { hidden } from './hidden.ts';
import { maskedBody } from './masked-body.ts';
import { printable } from './printable.ts';

/** Headers that say how a message travels and what it is about, never whom: they are shown. All others are not. */
const shown: ReadonlySet<string> = new Set(
  (
    'via call-id cseq max-forwards content-type content-length content-encoding mime-version expires min-expires ' +
    'min-se session-expires supported require proxy-require unsupported allow allow-events event subscription-state ' +
    'rseq rack retry-after accept accept-encoding accept-language user-agent server date timestamp priority privacy ' +
    'sip-etag replaces'
  ).split(' '),
);

/** Of these every word is shown: names of programs, tokens, and what has no parameters but may have their signs in it. */
const shownWhole: ReadonlySet<string> = new Set('call-id date privacy server user-agent'.split(' '));

/** Headers that are lists of addresses. */
const addresses: ReadonlySet<string> = new Set(
  (
    'from to contact route record-route path service-route reply-to refer-to referred-by p-asserted-identity ' +
    'p-preferred-identity p-called-party-id p-associated-uri remote-party-id diversion history-info'
  ).split(' '),
);

const shownParams: ReadonlySet<string> = new Set(
  (
    'tag expires q lr transport ob reg-id +sip.instance maddr ttl index rport method party screen privacy ' +
    'branch received alias keep comp wl refresher id reason retry-after duration to-tag from-tag early-only'
  ).split(' '),
);

/** No words. */
const isPlain = /^([\w.:%+!~*`'=/[\]-]*|"<urn:uuid:[\da-f-]{1,40}>")$/i;

/**
 * A message without what belongs to patients or opens doors: names, numbers of outside callers but for two digits,
 * passwords and their digests, keys of media, and every header and body that may hold any of them.
 */
export function maskedText(message: SipMessage): string {
  const lines = [maskedStartLine(message)];
  const body = maskedBody(message);
  message.headers.forEach((name, value, key) => {
    if (key !== 'content-length') lines.push(`${name}: ${maskedValue(message.headers, key, value)}`);
  });
  return [...lines.map(printable), `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

/** The words of an answer are the standard's: what a peer writes there may be anything. */
export function maskedStartLine(message: SipMessage): string {
  return message.kind === 'response'
    ? `SIP/2.0 ${message.status} ${reasonPhrase(message.status)}`
    : `${message.method} ${maskedUri(message.uri)} SIP/2.0`;
}

/** Of a URI, or of a header with one in it; '' if it names no user. */
export function userShown(text: string): string {
  const uri = parseNameAddr(text)?.uri ?? text;
  const number = telephoneNumber(uri) ?? parseUri(uri)?.user?.split(';', 1)[0];
  return number === undefined ? '' : maskedUser(number);
}

/** Of a tel: URI, without what makes it easier to read (RFC 3966 5.1.1). */
function telephoneNumber(uri: string): string | undefined {
  return /^tel:(\+?[\d*#().-]+)/i.exec(uri)?.[1]?.replaceAll(/[().-]/g, '');
}

/** Short numbers are extensions and nobody's secret; of a long one the last two digits tell calls apart. */
function maskedUser(user: string): string {
  if (/^[\d*#]{1,5}$/.test(user)) return user;
  // Phones put letters of their own behind the extension that they register.
  const extension = /^(\d{1,5})[-_.~](?=.*[a-z])/i.exec(user)?.[1];
  if (extension !== undefined) return `${extension}-${hidden}`;
  return /^\+?\d{6,}$/.test(user) ? `${hidden}${user.slice(-2)}` : hidden;
}

function maskedUri(uri: string): string {
  const parsed = parseUri(uri);
  if (parsed === undefined) {
    const number = telephoneNumber(uri);
    return number === undefined ? `sip:${hidden}` : `tel:${maskedUser(number)}`;
  }
  const { user, params } = parsed;
  const kept = new Map([...params].filter(([name, given]) => shownParams.has(name) && isPlain.test(given)));
  return serialiseUri({
    ...parsed,
    // A number without a host looks like one.
    host: /^\d+$/.test(parsed.host) ? hidden : parsed.host,
    // Parameters of a user, RFC 3261 19.1.1, may name people too.
    user: user === undefined ? undefined : maskedUser(user.split(';', 1)[0] ?? ''),
    password: undefined,
    params: kept,
    headers: undefined,
  });
}

function maskedValue(headers: Headers, key: string, value: string): string {
  if (shown.has(key)) return shownWhole.has(key) ? value : splitList(value).map(withKnownParams).join(', ');
  if (key === 'reason' || key === 'warning') return maskedReason(value);
  if (!addresses.has(key) || headers.countOf(key) > 50) return hidden;
  if (key === 'contact' && value.trim() === '*') return '*';
  return splitList(value).map(maskedAddress).join(', ');
}

/** One element of a list, with the parameters that are shown and without comments. */
function withKnownParams(text: string): string {
  const [first = '', ...params] = text.replace(/\s*\(.*$/s, '').split(';');
  const kept = params.filter((param) => {
    const [name = '', given = ''] = param.trim().split(/=(.*)/s, 2);
    return shownParams.has(name.toLowerCase()) && isPlain.test(given);
  });
  return [first, ...kept].join(';');
}

/** Protocol and cause, without words. */
function maskedReason(value: string): string {
  const cause = /^\s*([\w.-]+)\s*;[^"]*?cause\s*=\s*(\d{1,3})/i.exec(value) ?? /^\s*(\d{3})()\s/.exec(value);
  if (cause === null) return hidden;
  return cause[2] === '' ? `${cause[1]} - "${hidden}"` : `${cause[1]};cause=${cause[2]}`;
}

function maskedAddress(text: string): string {
  const address = parseNameAddr(text);
  if (address === undefined) return `<sip:${hidden}>`;
  const name = address.displayName === undefined ? '' : `"${hidden}" `;
  const params = [...address.params]
    .filter(([param, given]) => shownParams.has(param) && isPlain.test(given))
    .map(([param, given]) => (given === '' ? `;${param}` : `;${param}=${given}`));
  return `${name}<${maskedUri(address.uri)}>${params.join('')}`;
}
