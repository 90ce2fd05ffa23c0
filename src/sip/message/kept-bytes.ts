declare const kept: unique symbol;

/**
 * Bytes that are kept for seconds or minutes, one letter for each. A short Buffer is part of 8 KB that Node gives out in
 * slices: as long as one slice lives, all of it does.
 */
export type KeptBytes = string & { readonly [kept]: true };

export function keepBytes(bytes: Buffer): KeptBytes {
  return bytes.toString('latin1') as KeptBytes;
}

export function bytesOf(text: KeptBytes): Buffer {
  return Buffer.from(text, 'latin1');
}
