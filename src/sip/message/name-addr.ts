import { isToken } from './header-names.ts';
import { noParams, type Params, parseParams, quotedEnd, serialiseParams, skipSpace } from './params.ts';

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
  let i = skipSpace(text, 0);
  let displayName: string | undefined;
  if (text.charCodeAt(i) === 34) {
    const end = quotedEnd(text, i);
    if (end === undefined) return undefined;
    displayName = text.slice(i, end);
    i = skipSpace(text, end);
    if (text.charCodeAt(i) !== 60) return undefined;
  }
  const open = text.indexOf('<', i);
  if (open < 0) return parseAddrSpec(text, i);
  if (displayName === undefined) {
    const words = text.slice(i, open).trim();
    if (words !== '' && !areTokens(words)) return undefined;
    displayName = words === '' ? undefined : words;
  }
  const close = text.indexOf('>', open);
  if (close < 0) return undefined;
  const uri = text.slice(open + 1, close);
  if (!isSpaceless(uri)) return undefined;
  const params = parseParams(text, close + 1);
  return params === undefined ? undefined : { displayName, uri, params };
}

export function serialiseNameAddr(address: NameAddr): string {
  const name = address.displayName === undefined ? '' : `${address.displayName} `;
  return `${name}<${address.uri}>${serialiseParams(address.params)}`;
}

/** The `tag` parameter of a From or To value, without building the whole structure. '' if there is none. */
export function tagOf(value: string): string {
  const close = value.lastIndexOf('>');
  let at = value.indexOf(';', close < 0 ? 0 : close);
  while (at >= 0) {
    let i = skipSpace(value, at + 1);
    if (
      (value.charCodeAt(i) | 32) === 116 &&
      (value.charCodeAt(i + 1) | 32) === 97 &&
      (value.charCodeAt(i + 2) | 32) === 103
    ) {
      i = skipSpace(value, i + 3);
      if (value.charCodeAt(i) === 61) {
        i = skipSpace(value, i + 1);
        let end = i;
        while (end < value.length && value.charCodeAt(end) !== 59 && value.charCodeAt(end) > 32) end++;
        return value.slice(i, end);
      }
    }
    at = value.indexOf(';', at + 1);
  }
  return '';
}

// RFC 3261 20.10: without angle brackets every parameter belongs to the header, and ? and , may not occur.
function parseAddrSpec(text: string, start: number): NameAddr | undefined {
  const semicolon = text.indexOf(';', start);
  const uri = (semicolon < 0 ? text.slice(start) : text.slice(start, semicolon)).trim();
  if (uri === '' || uri.includes('?') || uri.includes(',') || uri.includes('"') || !isSpaceless(uri)) return undefined;
  const params = semicolon < 0 ? noParams : parseParams(text, semicolon);
  return params === undefined ? undefined : { displayName: undefined, uri, params };
}

function areTokens(words: string): boolean {
  // Any UTF-8 is let through here, although RFC 3261 wants quotes: phones write names in their own language.
  return words.split(/[ \t]+/).every((word) => isToken(word.replaceAll(/[\u0080-\uFFFF]/g, 'u')));
}

function isSpaceless(uri: string): boolean {
  for (let i = 0; i < uri.length; i++) {
    const code = uri.charCodeAt(i);
    if (code <= 32 || code === 60) return false;
  }
  return uri.includes(':');
}
