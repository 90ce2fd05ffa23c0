import { isIPv4, isIPv6 } from 'node:net';
import { longestUriChars } from './limits.ts';
import { noParams, type Params, parseParams, serialiseParams } from './params.ts';

/** A SIP or SIPS URI, RFC 3261 19.1. Escapes are kept as they came; an IPv6 host has no brackets. */
export interface SipUri {
  readonly scheme: 'sip' | 'sips';
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly params: Params;
  /** The text after `?`, never turned into headers of a message. */
  readonly headers: string | undefined;
}

/** Undefined if the text is no well-formed sip: or sips: URI. */
export function parseUri(text: string): SipUri | undefined {
  if (text.length > longestUriChars) return undefined;
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const scheme = text.slice(0, colon).toLowerCase();
  if (scheme !== 'sip' && scheme !== 'sips') return undefined;
  let rest = text.slice(colon + 1);
  if (!isVisible(rest)) return undefined;

  let user: string | undefined;
  let password: string | undefined;
  const at = rest.indexOf('@');
  if (at >= 0) {
    const secret = rest.indexOf(':');
    user = secret >= 0 && secret < at ? rest.slice(0, secret) : rest.slice(0, at);
    if (secret >= 0 && secret < at) password = rest.slice(secret + 1, at);
    if (user === '') return undefined;
    rest = rest.slice(at + 1);
    if (rest.includes('@')) return undefined;
  }

  let headers: string | undefined;
  const question = rest.indexOf('?');
  if (question >= 0) {
    headers = rest.slice(question + 1);
    rest = rest.slice(0, question);
  }

  const semicolon = rest.indexOf(';');
  const params = semicolon < 0 ? noParams : parseParams(rest, semicolon);
  if (params === undefined) return undefined;
  const hostPort = parseHostPort(semicolon < 0 ? rest : rest.slice(0, semicolon));
  if (hostPort === undefined) return undefined;
  return { scheme, user, password, host: hostPort.host, port: hostPort.port, params, headers };
}

export function serialiseUri(uri: SipUri): string {
  const secret = uri.password === undefined ? '' : `:${uri.password}`;
  const user = uri.user === undefined ? '' : `${uri.user}${secret}@`;
  const headers = uri.headers === undefined ? '' : `?${uri.headers}`;
  return `${uri.scheme}:${user}${hostPortText(uri.host, uri.port)}${serialiseParams(uri.params)}${headers}`;
}

/** The scheme in lower case, of any URI; undefined if there is none. */
export function schemeOf(uri: string): string | undefined {
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(uri);
  return match?.[1]?.toLowerCase();
}

/** Whether a host of a URI is an address rather than a name that has to be looked up. */
export function isAddress(host: string): boolean {
  if (host.includes(':')) return true;
  const last = host.charCodeAt(host.length - 1);
  // RFC 1123: no top-level domain ends in a digit.
  return last >= 48 && last <= 57 && isIPv4(host);
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`. */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  let host: string;
  let rest: string;
  if (text.startsWith('[')) {
    const close = text.indexOf(']');
    host = text.slice(1, close);
    if (close < 0 || !isIPv6(host) || host.includes('%')) return undefined;
    rest = text.slice(close + 1);
  } else {
    const colon = text.indexOf(':');
    host = colon < 0 ? text : text.slice(0, colon);
    if (!isHostName(host)) return undefined;
    rest = colon < 0 ? '' : text.slice(colon);
  }
  if (rest === '') return { host, port: undefined };
  const port = parsePort(rest.slice(1));
  return rest.startsWith(':') && port !== undefined ? { host, port } : undefined;
}

/** Puts brackets around an IPv6 address. */
export function hostPortText(host: string, port: number | undefined): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? bracketed : `${bracketed}:${port}`;
}

export function parsePort(text: string): number | undefined {
  if (text.length === 0 || text.length > 5) return undefined;
  let port = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    port = port * 10 + digit;
  }
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function isHostName(host: string): boolean {
  if (host.length === 0 || host.length > 255) return false;
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i);
    const isWord = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
    if (!isWord && code !== 45 && code !== 46 && code !== 95) return false;
  }
  return true;
}

function isVisible(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 32 || code === 127 || code === 34 || code === 60 || code === 62 || code === 92) return false;
  }
  return true;
}
