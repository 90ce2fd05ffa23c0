import { isToken } from './header-names.ts';

/** Parameters after `;`. Names in lower case; a parameter without a value has the value ''. */
export type Params = ReadonlyMap<string, string>;

export const noParams: Params = new Map();

/**
 * Reads `;name=value;flag…` from `start` to the end of the text.
 * Undefined if it is not well formed: an empty parameter, a name that is no token, an open quote.
 */
export function parseParams(text: string, start: number): Params | undefined {
  let i = skipSpace(text, start);
  if (i >= text.length) return noParams;
  const params = new Map<string, string>();
  while (i < text.length) {
    if (text.charCodeAt(i) !== 59) return undefined;
    i = skipSpace(text, i + 1);
    const nameStart = i;
    while (i < text.length && !isDelimiter(text.charCodeAt(i))) i++;
    const name = text.slice(nameStart, i).toLowerCase();
    if (!isToken(name)) return undefined;
    i = skipSpace(text, i);
    let value = '';
    if (text.charCodeAt(i) === 61) {
      i = skipSpace(text, i + 1);
      const end = text.charCodeAt(i) === 34 ? quotedEnd(text, i) : plainEnd(text, i);
      if (end === undefined || end === i) return undefined;
      value = text.slice(i, end);
      i = skipSpace(text, end);
    }
    if (!params.has(name)) params.set(name, value);
  }
  return params;
}

export function serialiseParams(params: Params): string {
  let text = '';
  for (const [name, value] of params) text += value === '' ? `;${name}` : `;${name}=${value}`;
  return text;
}

/** The index after the closing quote of the quoted string that begins at `start`; undefined if it never closes. */
export function quotedEnd(text: string, start: number): number | undefined {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 92) i++;
    else if (code === 34) return i + 1;
  }
  return undefined;
}

export function skipSpace(text: string, start: number): number {
  let i = start;
  while (i < text.length && (text.charCodeAt(i) === 32 || text.charCodeAt(i) === 9)) i++;
  return i;
}

function plainEnd(text: string, start: number): number | undefined {
  let i = start;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 59 || code === 32 || code === 9) break;
    if (code === 34 || code === 44 || code === 60 || code === 62 || code < 32) return undefined;
  }
  return i;
}

function isDelimiter(code: number): boolean {
  return code === 59 || code === 61 || code === 32 || code === 9;
}
