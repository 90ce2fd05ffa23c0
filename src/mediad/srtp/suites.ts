/** The two protections of RTP that we speak, by their names in RFC 4568 and RFC 7714. */
export type SuiteName = 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80';

/** One side's master key: what it sends with, and what the other side hears it with. Crosses threads. */
export interface MasterKey {
  readonly suite: SuiteName;
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

/** In the order of our offers: GCM costs half as much. */
export const SUITES: Readonly<Record<SuiteName, { readonly keyBytes: number; readonly saltBytes: number }>> = {
  AEAD_AES_128_GCM: { keyBytes: 16, saltBytes: 12 },
  AES_CM_128_HMAC_SHA1_80: { keyBytes: 16, saltBytes: 14 },
};

export const SUITE_NAMES = Object.keys(SUITES) as readonly SuiteName[];

export function isSuite(name: string): name is SuiteName {
  return Object.hasOwn(SUITES, name);
}

export function isSameKey(a: MasterKey, b: MasterKey): boolean {
  return a.suite === b.suite && Buffer.compare(a.key, b.key) === 0 && Buffer.compare(a.salt, b.salt) === 0;
}
