/** `a=crypto`, RFC 4568: one master key of one side, without MKI and with nothing left unprotected. */
import { randomBytes } from 'node:crypto';
import { isSuite, type MasterKey, type SuiteName, SUITES } from '../srtp/suites.ts';

export interface CryptoLine {
  /** By which the answer names a line of the offer. */
  readonly tag: number;
  readonly master: MasterKey;
}

/** What follows `a=crypto:`. undefined: a suite, a form of key or a parameter that we do not have: the line counts as absent. */
export function readCryptoLine(value: string): CryptoLine | undefined {
  const [, tag = '', suite = '', params = '', session = ''] =
    /^(\d{1,9}) ([\w-]{1,64}) inline:([^\s;]{1,128})((?: \S{1,64}){0,8}) *$/.exec(value) ?? [];
  if (tag === '' || !isSuite(suite) || !isHarmless(session)) return undefined;
  const [text = '', ...more] = params.split('|');
  // A lifetime is longer than any call; a key with an identifier (MKI) would change what packets look like.
  if (more.length > 1 || more.some((lifetime) => lifetime.includes(':'))) return undefined;
  const { keyBytes, saltBytes } = SUITES[suite];
  const bytes = Buffer.from(text, 'base64');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || bytes.length !== keyBytes + saltBytes) return undefined;
  return {
    tag: Number(tag),
    master: { suite, key: bytes.subarray(0, keyBytes), salt: bytes.subarray(keyBytes) },
  };
}

/** RFC 4568 6.3.7: only a hint for the size of a replay window may be passed over. */
function isHarmless(session: string): boolean {
  return session
    .trim()
    .split(/ +/)
    .every((param) => param === '' || /^WSH=\d{1,5}$/.test(param));
}

export function cryptoLine({ tag, master }: CryptoLine): string {
  const key = Buffer.concat([master.key, master.salt]).toString('base64');
  return `a=crypto:${tag} ${master.suite} inline:${key}\r\n`;
}

export function newMasterKey(suite: SuiteName): MasterKey {
  const { keyBytes, saltBytes } = SUITES[suite];
  return { suite, key: randomBytes(keyBytes), salt: randomBytes(saltBytes) };
}
