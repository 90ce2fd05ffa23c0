import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tortureMessages } from '../support/torture-messages.ts';

const rfc4475 = join(import.meta.dirname, '../conformance/rfc4475');
const found = join(import.meta.dirname, 'corpus');

/** Whole SIP messages: those of RFC 4475, those like RFC 5118. */
export function messages(): readonly Buffer[] {
  const files = readdirSync(rfc4475).filter((name) => name.endsWith('.dat'));
  return [
    ...files.map((name) => readFileSync(join(rfc4475, name))),
    ...tortureMessages.map(([, text]) => Buffer.from(text)),
  ];
}

/** The values of these headers in all of them, and more that are written out. */
export function valuesOf(names: RegExp, more: readonly string[]): readonly Buffer[] {
  const texts = messages().flatMap((bytes) =>
    bytes
      .toString('latin1')
      .split('\r\n')
      .flatMap((line) => {
        const colon = line.indexOf(':');
        return colon > 0 && names.test(line.slice(0, colon).trim()) ? [line.slice(colon + 1).trim()] : [];
      }),
  );
  return [...new Set([...texts, ...more])].map((text) => Buffer.from(text, 'latin1'));
}

/** Inputs that a target once failed on: `corpus/<target>/*`. */
export function failuresOf(target: string): readonly { readonly name: string; readonly bytes: Buffer }[] {
  const folder = join(found, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}
