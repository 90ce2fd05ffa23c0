/** STUN messages, RFC 8489, as far as the checks of ICE (RFC 8445) need them. Everything is bounded by one datagram. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Endpoint } from '../media/messages.ts';

export const BINDING = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 } as const;

export const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

export interface StunMessage {
  readonly type: number;
  /** 96 bits. */
  readonly transaction: Buffer;
  /** Those before MESSAGE-INTEGRITY, for only they are protected by it; the first of each (RFC 8489 14). */
  readonly attributes: ReadonlyMap<number, Buffer>;
  /** Where MESSAGE-INTEGRITY begins; undefined: it has none. */
  readonly integrityAt: number | undefined;
}

const HEADER_BYTES = 20;
const COOKIE = 0x2112a442;
const INTEGRITY_BYTES = 24;
const FINGERPRINT_BYTES = 8;
const FINGERPRINT_MASK = 0x5354554e;
/** RFC 8489 6.1: larger ones do not fit into a packet of every network. */
const MOST_BYTES = 1280;
const IPV4 = 1;

/** undefined: no STUN message that ends with a right FINGERPRINT, as every check of ICE does (RFC 8445 7.1.3). */
export function readStun(datagram: Buffer): StunMessage | undefined {
  if (datagram.length < HEADER_BYTES + FINGERPRINT_BYTES || datagram.length > MOST_BYTES) return undefined;
  const type = datagram.readUInt16BE(0);
  const isFramed = type < 0x4000 && datagram.readUInt16BE(2) === datagram.length - HEADER_BYTES;
  if (!isFramed || datagram.length % 4 !== 0 || datagram.readUInt32BE(4) !== COOKIE) return undefined;
  const attributes = new Map<number, Buffer>();
  let integrityAt: number | undefined;
  let at = HEADER_BYTES;
  while (at < datagram.length) {
    const name = datagram.readUInt16BE(at);
    const length = datagram.readUInt16BE(at + 2);
    const next = at + 4 + length + padding(length);
    if (next > datagram.length) return undefined;
    const value = datagram.subarray(at + 4, at + 4 + length);
    if (name === ATTRIBUTE.fingerprint) {
      const isRight = next === datagram.length && length === 4 && value.readUInt32BE() === fingerprintOf(datagram, at);
      return isRight ? { type, transaction: datagram.subarray(8, HEADER_BYTES), attributes, integrityAt } : undefined;
    }
    if (integrityAt === undefined) {
      if (name === ATTRIBUTE.messageIntegrity && length === INTEGRITY_BYTES - 4) integrityAt = at;
      else if (!attributes.has(name)) attributes.set(name, value);
    }
    at = next;
  }
  return undefined;
}

/** Whether it was made by somebody who knows the password (short-term credentials, RFC 8489 9.1). */
export function isIntact(message: StunMessage, datagram: Buffer, password: string): boolean {
  const at = message.integrityAt;
  if (at === undefined) return false;
  const value = datagram.subarray(at + 4, at + INTEGRITY_BYTES);
  return timingSafeEqual(value, integrityOf(datagram.subarray(0, at), password));
}

/** With MESSAGE-INTEGRITY and FINGERPRINT. */
export function writeStun(
  type: number,
  transaction: Buffer,
  attributes: readonly (readonly [name: number, value: Buffer])[],
  password: string,
): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(type, 0);
  head.writeUInt32BE(COOKIE, 4);
  transaction.copy(head, 8);
  const plain = Buffer.concat([head, ...attributes.map(([name, value]) => attribute(name, value))]);
  const intact = Buffer.concat([plain, attribute(ATTRIBUTE.messageIntegrity, integrityOf(plain, password))]);
  const print = Buffer.alloc(4);
  print.writeUInt32BE(fingerprintOf(intact, intact.length));
  const whole = Buffer.concat([intact, attribute(ATTRIBUTE.fingerprint, print)]);
  whole.writeUInt16BE(whole.length - HEADER_BYTES, 2);
  return whole;
}

/** XOR-MAPPED-ADDRESS, RFC 8489 14.2, of IPv4. */
export function xorMappedAddress({ address, port }: Endpoint): Buffer {
  const value = Buffer.alloc(8);
  value[1] = IPV4;
  value.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
  for (const [i, part] of address.split('.').entries())
    value[4 + i] = Number(part) ^ ((COOKIE >>> (24 - 8 * i)) & 0xff);
  return value;
}

/** ERROR-CODE, RFC 8489 14.8. */
export function errorCode(code: number, reason: string): Buffer {
  return Buffer.concat([Buffer.from([0, 0, Math.floor(code / 100), code % 100]), Buffer.from(reason)]);
}

function attribute(name: number, value: Buffer): Buffer {
  const whole = Buffer.alloc(4 + value.length + padding(value.length));
  whole.writeUInt16BE(name, 0);
  whole.writeUInt16BE(value.length, 2);
  value.copy(whole, 4);
  return whole;
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}

/** Over what stands before it, with a length as if the message ended with it (RFC 8489 14.5). */
function integrityOf(before: Buffer, password: string): Buffer {
  return createHmac('sha1', password)
    .update(withLength(before, before.length + INTEGRITY_BYTES))
    .digest();
}

/** `at`: where FINGERPRINT begins (RFC 8489 14.7). */
function fingerprintOf(datagram: Buffer, at: number): number {
  return (crc32(withLength(datagram.subarray(0, at), at + FINGERPRINT_BYTES)) ^ FINGERPRINT_MASK) >>> 0;
}

function withLength(before: Buffer, wholeBytes: number): Buffer {
  const copy = Buffer.from(before);
  copy.writeUInt16BE(wholeBytes - HEADER_BYTES, 2);
  return copy;
}
