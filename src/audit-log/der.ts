/** One value of ASN.1 in DER (X.690 section 8.1): what is read of a time-stamp service's answer. */
export interface DerValue {
  readonly tag: number;
  /** With tag and length. */
  readonly whole: Buffer;
  readonly content: Buffer;
}

export const DER = {
  boolean: 0x01,
  integer: 0x02,
  octets: 0x04,
  oid: 0x06,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
  zero: 0xa0,
} as const;

/** The values one behind the other in `bytes`. Throws when a length does not fit; indefinite lengths are not DER. */
export function derValues(bytes: Buffer): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const value = derValue(bytes.subarray(at));
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

/** The one value that `bytes` are, with this tag. Throws otherwise. */
export function derOnly(bytes: Buffer, tag: number): DerValue {
  const values = derValues(bytes);
  if (values.length !== 1) throw new Error(`${values.length} values where one belongs`);
  return derChild(values, 0, tag);
}

/** The value at this place, which must have this tag. Throws otherwise. */
export function derChild(values: readonly DerValue[], index: number, tag: number): DerValue {
  const value = values[index];
  if (value?.tag !== tag) throw new Error(`value ${index} has tag ${value?.tag ?? 'none'} and not ${tag}`);
  return value;
}

function derValue(bytes: Buffer): DerValue {
  const tag = bytes[0] ?? 0;
  const short = bytes[1];
  if (short === undefined || (tag & 0x1f) === 0x1f) throw new Error('the encoding ends early, or has a long tag');
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  if (short === 0x80 || lengthBytes > 3 || bytes.length < 2 + lengthBytes) throw new Error('a length is not DER');
  const length = lengthBytes === 0 ? short : bytes.readUIntBE(2, lengthBytes);
  // X.690 section 10.1: as few bytes as possible.
  if (lengthBytes > 0 && (length < 0x80 || length < 256 ** (lengthBytes - 1))) throw new Error('a length is not DER');
  const start = 2 + lengthBytes;
  if (bytes.length < start + length) throw new Error('the encoding ends early');
  return { tag, whole: bytes.subarray(0, start + length), content: bytes.subarray(start, start + length) };
}
