/** Known from documentation and tried first by everybody who looks for a telephone system to abuse. */
const KNOWN = new Set(['cluecon', 'cymru', '1234', '12345', '123456', 'password', 'secret', 'admin', 'changeme']);

const SHORT = 16;

export function isWellKnown(secret: string): boolean {
  return KNOWN.has(secret.toLowerCase());
}

/** What is wrong with a secret, as the end of a sentence that begins with it; null: nothing. */
export function secretFault(secret: string): string | null {
  if (secret === '') return 'is empty';
  if (isWellKnown(secret)) return `is the well-known ${secret}`;
  return secret.length < SHORT ? `has ${secret.length} characters: it can be guessed` : null;
}
