import { isTokenCode } from './header-names.ts';

/** Parameters after `;`. Names in lower case; a parameter without a value has the value ''. */
export type Params = ReadonlyMap<string, string>;

export const noParams: Params = new Map();

/**
 * Reads `;name=value;flag…` from `start` to the end of the text.
 * Undefined if it is not well formed: an empty parameter, a name that is no token, an open quote.
 */
export function parseParams(text: string, start: number): Params | undefined {
  const params = new Map<string, string>();
  const isWellFormed = eachParam(text, start, (name, value) => {
    if (!params.has(name)) params.set(name, value);
  });
  return isWellFormed ? params : undefined;
}

/** Whether `parseParams` would succeed; costs a third of it. */
export function areParams(text: string, start: number): boolean {
  return eachParam(text, start, undefined);
}

/** Tells each parameter in turn, and in the end whether all of them were well formed. */
export function eachParam(
  text: string,
  start: number,
  take: ((name: string, value: string) => void) | undefined,
): boolean {
  let i = skipSpace(text, start);
  while (i < text.length) {
    if (text.charCodeAt(i) !== 59) return false;
    i = skipSpace(text, i + 1);
    const nameStart = i;
    while (i < text.length && isTokenCode(text.charCodeAt(i))) i++;
    const nameEnd = i;
    if (nameEnd === nameStart) return false;
    i = skipSpace(text, i);
    let valueStart = i;
    let valueEnd: number | undefined = i;
    if (text.charCodeAt(i) === 61) {
      valueStart = skipSpace(text, i + 1);
      valueEnd = text.charCodeAt(valueStart) === 34 ? quotedEnd(text, valueStart) : plainEnd(text, valueStart);
      if (valueEnd === undefined || valueEnd === valueStart) return false;
      i = skipSpace(text, valueEnd);
    }
    take?.(text.slice(nameStart, nameEnd).toLowerCase(), text.slice(valueStart, valueEnd));
  }
  return true;
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
