/** `a=fingerprint`, RFC 8122: which certificate the other side will show. */
import { fingerprintOf } from './identity.ts';

export interface Fingerprint {
  readonly hash: HashName;
  /** In capitals, with colons. */
  readonly value: string;
}

/** The strongest first; those that can be forged are none. */
const HASHES = { 'sha-512': 'sha512', 'sha-384': 'sha384', 'sha-256': 'sha256' } as const;
const BYTES = { 'sha-512': 64, 'sha-384': 48, 'sha-256': 32 } as const;
type HashName = keyof typeof HASHES;
const STRONGEST_FIRST = Object.keys(HASHES) as readonly HashName[];

/** What follows `a=fingerprint:`. undefined: of a hash that proves nothing, or none at all: the line counts as absent. */
export function readFingerprint(text: string): Fingerprint | undefined {
  const [, name = '', value = ''] = /^([\w-]{1,16}) +((?:[\dA-Fa-f]{2}:){0,63}[\dA-Fa-f]{2}) *$/.exec(text) ?? [];
  const hash = STRONGEST_FIRST.find((known) => known === name.toLowerCase());
  if (hash === undefined || value.length !== BYTES[hash] * 3 - 1) return undefined;
  return { hash, value: value.toUpperCase() };
}

/** Of several hashes the strongest decides (RFC 8122 5); of it one line must be right. */
export function isOneOf(fingerprints: readonly Fingerprint[], certificate: Buffer): boolean {
  const strongest = STRONGEST_FIRST.find((name) => fingerprints.some(({ hash }) => hash === name));
  if (strongest === undefined) return false;
  const value = fingerprintOf(certificate, HASHES[strongest]);
  return fingerprints.some((one) => one.hash === strongest && one.value === value);
}

export function isSameList(a: readonly Fingerprint[], b: readonly Fingerprint[]): boolean {
  return a.length === b.length && a.every(({ hash, value }, i) => hash === b[i]?.hash && value === b[i].value);
}
