import { isTokenCode } from './header-names.ts';
import {
  areParams,
  eachParam,
  noParams,
  type Params,
  parseParams,
  quotedEnd,
  serialiseParams,
  skipSpace,
} from './params.ts';

/** The value of From, To, Contact, Route and their like. */
export interface NameAddr {
  /** As written, with its quotes if it had them; undefined if there was none. */
  readonly displayName: string | undefined;
  /** The URI as written, without angle brackets. */
  readonly uri: string;
  /** Parameters of the header, not of the URI. */
  readonly params: Params;
}

/** Undefined if the text is neither a name-addr nor an addr-spec of RFC 3261 25.1. */
export function parseNameAddr(text: string): NameAddr | undefined {
  const found = locate(text);
  if (found === undefined) return undefined;
  const { nameStart, nameEnd, uriStart, uriEnd, paramsAt } = found;
  const params = paramsAt < text.length ? parseParams(text, paramsAt) : noParams;
  if (params === undefined) return undefined;
  const displayName = text.slice(nameStart, nameEnd).trim();
  return { displayName: displayName === '' ? undefined : displayName, uri: text.slice(uriStart, uriEnd), params };
}

/** Whether `parseNameAddr` would succeed; allocates nothing. */
export function isNameAddr(text: string): boolean {
  const found = locate(text);
  return found !== undefined && areParams(text, found.paramsAt);
}

interface Places {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly uriStart: number;
  readonly uriEnd: number;
  readonly paramsAt: number;
}

function locate(text: string): Places | undefined {
  const nameStart = skipSpace(text, 0);
  let nameEnd = nameStart;
  if (text.charCodeAt(nameStart) === 34) {
    const end = quotedEnd(text, nameStart);
    if (end === undefined || text.charCodeAt(skipSpace(text, end)) !== 60) return undefined;
    nameEnd = end;
  }
  const open = text.indexOf('<', nameEnd);
  if (open < 0) return locateAddrSpec(text, nameStart);
  if (nameEnd === nameStart) {
    nameEnd = open;
    if (!areTokens(text, nameStart, open)) return undefined;
  }
  const close = text.indexOf('>', open);
  if (close < 0 || !isUri(text, open + 1, close)) return undefined;
  return { nameStart, nameEnd, uriStart: open + 1, uriEnd: close, paramsAt: close + 1 };
}

export function serialiseNameAddr(address: NameAddr): string {
  const name = address.displayName === undefined ? '' : `${address.displayName} `;
  return `${name}<${address.uri}>${serialiseParams(address.params)}`;
}

/** The `tag` parameter of a From or To value, without building the whole structure. '' if there is none. */
export function tagOf(value: string): string {
  const found = locate(value);
  let tag = '';
  if (found !== undefined && found.paramsAt < value.length) {
    eachParam(value, found.paramsAt, (name, text) => {
      if (name === 'tag' && tag === '') tag = text;
    });
  }
  return tag;
}

// RFC 3261 20.10: without angle brackets every parameter belongs to the header, and ? and , may not occur.
function locateAddrSpec(text: string, start: number): Places | undefined {
  const semicolon = text.indexOf(';', start);
  const paramsAt = semicolon < 0 ? text.length : semicolon;
  let uriEnd = paramsAt;
  while (uriEnd > start && isSpaceCode(text.charCodeAt(uriEnd - 1))) uriEnd--;
  if (!isUri(text, start, uriEnd)) return undefined;
  for (let i = start; i < uriEnd; i++) {
    const code = text.charCodeAt(i);
    if (code === 63 || code === 44 || code === 34) return undefined;
  }
  return { nameStart: start, nameEnd: start, uriStart: start, uriEnd, paramsAt };
}

// Any UTF-8 is let through here, although RFC 3261 wants quotes: phones write names in their own language.
function areTokens(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code < 128 && !isTokenCode(code) && !isSpaceCode(code)) return false;
  }
  return true;
}

function isUri(text: string, start: number, end: number): boolean {
  let hasScheme = false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code <= 32 || code === 60 || code === 62) return false;
    if (code === 58) hasScheme = true;
  }
  return hasScheme;
}

function isSpaceCode(code: number): boolean {
  return code === 32 || code === 9;
}
