import type { Headers } from './headers.ts';

/** Whether a message names an extension (its option tag in lower case) as one it supports or requires. */
export function namesExtension(headers: Headers, header: 'Require' | 'Supported', tag: string): boolean {
  return headers.list(header).some((value) => value.toLowerCase() === tag);
}
