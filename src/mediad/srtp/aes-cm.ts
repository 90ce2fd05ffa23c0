/** AES_CM_128_HMAC_SHA1_80: AES in counter mode and 80 bits of HMAC-SHA1, RFC 3711 sections 4.1.1 and 4.2.1. */
import { createCipheriv, hash, timingSafeEqual } from 'node:crypto';
import { ENCRYPTED, INDEX_BYTES, type Protection, RTCP_HEADER_BYTES, ssrcOf } from './protection.ts';
import type { SessionKeys } from './session-keys.ts';

const TAG_BYTES = 10;
const BLOCK_BYTES = 16;
/** Of SHA-1, RFC 2104. */
const HMAC_BLOCK_BYTES = 64;
const SHA1_BYTES = 20;
const LARGEST_BYTES = 2048;

export class AesCm implements Protection {
  readonly tagBytes = TAG_BYTES;
  readonly #rtp: Keyed;
  readonly #rtcp: Keyed;

  constructor(rtp: SessionKeys, rtcp: SessionKeys) {
    this.#rtp = new Keyed(rtp);
    this.#rtcp = new Keyed(rtcp);
  }

  sealRtp(packet: Buffer, start: number, index: number): Buffer {
    const size = packet.length;
    const sealed = Buffer.allocUnsafe(size + TAG_BYTES);
    sealed.set(packet);
    this.#rtp.crypt(sealed, start, size, ssrcOf(packet), index);
    this.#rtp.tag(sealed.subarray(0, size), Math.floor(index / 0x1_0000)).copy(sealed, size, 0, TAG_BYTES);
    return sealed;
  }

  openRtp(packet: Buffer, start: number, index: number): Buffer | undefined {
    const size = packet.length - TAG_BYTES;
    if (size < start) return undefined;
    const opened = packet.subarray(0, size);
    if (!isTag(packet, size, this.#rtp.tag(opened, Math.floor(index / 0x1_0000)))) return undefined;
    this.#rtp.crypt(opened, start, size, ssrcOf(packet), index);
    return opened;
  }

  sealRtcp(packet: Buffer, index: number): Buffer {
    const size = packet.length + INDEX_BYTES;
    const sealed = Buffer.allocUnsafe(size + TAG_BYTES);
    sealed.set(packet);
    this.#rtcp.crypt(sealed, RTCP_HEADER_BYTES, packet.length, ssrcOf(packet, true), index);
    sealed.writeUInt32BE(ENCRYPTED + index, packet.length);
    this.#rtcp.tag(sealed.subarray(0, size)).copy(sealed, size, 0, TAG_BYTES);
    return sealed;
  }

  openRtcp(packet: Buffer): { readonly packet: Buffer; readonly index: number } | undefined {
    const size = packet.length - TAG_BYTES;
    const end = size - INDEX_BYTES;
    if (end < RTCP_HEADER_BYTES) return undefined;
    const word = packet.readUInt32BE(end);
    // Never agreed on: UNENCRYPTED_SRTCP.
    if (word < ENCRYPTED) return undefined;
    if (!isTag(packet, size, this.#rtcp.tag(packet.subarray(0, size)))) return undefined;
    const index = word - ENCRYPTED;
    this.#rtcp.crypt(packet, RTCP_HEADER_BYTES, end, ssrcOf(packet, true), index);
    return { packet: packet.subarray(0, end), index };
  }
}

/** Of one thread, which works on one packet at a time: a leg has none of its own. */
const counters = Buffer.alloc(LARGEST_BYTES);
const inner = Buffer.alloc(HMAC_BLOCK_BYTES + LARGEST_BYTES);
const outer = Buffer.alloc(HMAC_BLOCK_BYTES + SHA1_BYTES);

/** Making a cipher or a MAC costs more than its work on a packet: one cipher is kept, and counter mode is made of single blocks. */
class Keyed {
  readonly #salt: Buffer;
  readonly #blocks;
  /** What the two passes of RFC 2104 begin with. */
  readonly #innerPad = Buffer.alloc(HMAC_BLOCK_BYTES, 0x36);
  readonly #outerPad = Buffer.alloc(HMAC_BLOCK_BYTES, 0x5c);

  constructor({ key, salt, auth }: SessionKeys) {
    this.#salt = salt;
    this.#blocks = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
    for (const [i, byte] of auth.entries()) {
      this.#innerPad[i]! ^= byte;
      this.#outerPad[i]! ^= byte;
    }
  }

  /** In place. The first block's counter: (salt * 2^16) XOR (ssrc * 2^64) XOR (index * 2^16). */
  crypt(packet: Buffer, start: number, end: number, ssrc: number, index: number): void {
    const size = Math.ceil((end - start) / BLOCK_BYTES) * BLOCK_BYTES;
    if (size === 0) return;
    counters.set(this.#salt);
    counters.writeUInt32BE((counters.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    counters.writeUInt16BE(counters.readUInt16BE(8) ^ Math.floor(index / 0x1_0000_0000), 8);
    counters.writeUInt32BE((counters.readUInt32BE(10) ^ index) >>> 0, 10);
    for (let at = 0, count = 0; at < size; at += BLOCK_BYTES, count += 1) {
      if (at > 0) counters.copyWithin(at, 0, BLOCK_BYTES - 2);
      counters[at + 14] = count >> 8;
      counters[at + 15] = count & 0xff;
    }
    const stream = this.#blocks.update(counters.subarray(0, size));
    for (let at = start, i = 0; at < end; at += 1, i += 1) packet[at]! ^= stream[i]!;
  }

  /** HMAC-SHA1 of the packet, and of the roll-over counter where there is one. */
  tag(packet: Buffer, rollover?: number): Buffer {
    const end = HMAC_BLOCK_BYTES + packet.length;
    inner.set(this.#innerPad);
    inner.set(packet, HMAC_BLOCK_BYTES);
    if (rollover !== undefined) inner.writeUInt32BE(rollover, end);
    outer.set(this.#outerPad);
    outer.set(hash('sha1', inner.subarray(0, rollover === undefined ? end : end + 4), 'buffer'), HMAC_BLOCK_BYTES);
    return hash('sha1', outer, 'buffer');
  }
}

function isTag(packet: Buffer, at: number, tag: Buffer): boolean {
  return timingSafeEqual(packet.subarray(at, at + TAG_BYTES), tag.subarray(0, TAG_BYTES));
}
