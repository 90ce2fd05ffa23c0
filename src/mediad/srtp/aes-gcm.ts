/** AEAD_AES_128_GCM, RFC 7714 sections 8 and 9. */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { ENCRYPTED, INDEX_BYTES, type Protection, RTCP_HEADER_BYTES, ssrcOf } from './protection.ts';
import type { SessionKeys } from './session-keys.ts';

/** Node's own default, and all that is ever given to it: saying so with each packet would cost a fifth of the packet. */
const TAG_BYTES = 16;
const CIPHER = 'aes-128-gcm';

export class AesGcm implements Protection {
  readonly tagBytes = TAG_BYTES;
  readonly #rtp: SessionKeys;
  readonly #rtcp: SessionKeys;

  constructor(rtp: SessionKeys, rtcp: SessionKeys) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
  }

  sealRtp(packet: Buffer, start: number, index: number): Buffer {
    const sealed = Buffer.allocUnsafe(packet.length + TAG_BYTES);
    sealed.set(packet.subarray(0, start));
    seal(this.#rtp.key, rtpNonce(this.#rtp.salt, packet, index), packet.subarray(0, start), {
      from: packet.subarray(start),
      into: sealed.subarray(start),
    });
    return sealed;
  }

  openRtp(packet: Buffer, start: number, index: number): Buffer | undefined {
    const end = packet.length - TAG_BYTES;
    if (end < start) return undefined;
    const nonce = rtpNonce(this.#rtp.salt, packet, index);
    const plain = open(this.#rtp.key, nonce, packet.subarray(0, start), packet.subarray(start));
    if (plain === undefined) return undefined;
    packet.set(plain, start);
    return packet.subarray(0, end);
  }

  sealRtcp(packet: Buffer, index: number): Buffer {
    const sealed = Buffer.allocUnsafe(packet.length + TAG_BYTES + INDEX_BYTES);
    const end = packet.length + TAG_BYTES;
    sealed.set(packet.subarray(0, RTCP_HEADER_BYTES));
    sealed.writeUInt32BE(ENCRYPTED + index, end);
    seal(this.#rtcp.key, rtcpNonce(this.#rtcp.salt, packet, index), rtcpAssociated(sealed, end), {
      from: packet.subarray(RTCP_HEADER_BYTES),
      into: sealed.subarray(RTCP_HEADER_BYTES, end),
    });
    return sealed;
  }

  openRtcp(packet: Buffer): { readonly packet: Buffer; readonly index: number } | undefined {
    const end = packet.length - INDEX_BYTES;
    if (end - TAG_BYTES < RTCP_HEADER_BYTES) return undefined;
    const word = packet.readUInt32BE(end);
    // Never agreed on: UNENCRYPTED_SRTCP.
    if (word < ENCRYPTED) return undefined;
    const index = word - ENCRYPTED;
    const nonce = rtcpNonce(this.#rtcp.salt, packet, index);
    const plain = open(this.#rtcp.key, nonce, rtcpAssociated(packet, end), packet.subarray(RTCP_HEADER_BYTES, end));
    if (plain === undefined) return undefined;
    packet.set(plain, RTCP_HEADER_BYTES);
    return { packet: packet.subarray(0, end - TAG_BYTES), index };
  }
}

/** Two zeros, SSRC, roll-over counter, sequence number, XOR the salt. */
function rtpNonce(salt: Buffer, packet: Buffer, index: number): Buffer {
  const nonce = Buffer.from(salt);
  nonce.writeUInt32BE((salt.readUInt32BE(2) ^ ssrcOf(packet)) >>> 0, 2);
  nonce.writeUInt16BE(salt.readUInt16BE(6) ^ Math.floor(index / 0x1_0000_0000), 6);
  nonce.writeUInt32BE((salt.readUInt32BE(8) ^ index) >>> 0, 8);
  return nonce;
}

/** Two zeros, SSRC, two zeros, index, XOR the salt. */
function rtcpNonce(salt: Buffer, packet: Buffer, index: number): Buffer {
  const nonce = Buffer.from(salt);
  nonce.writeUInt32BE((salt.readUInt32BE(2) ^ ssrcOf(packet, true)) >>> 0, 2);
  nonce.writeUInt32BE((salt.readUInt32BE(8) ^ index) >>> 0, 8);
  return nonce;
}

function rtcpAssociated(packet: Buffer, indexAt: number): Buffer {
  return Buffer.concat([packet.subarray(0, RTCP_HEADER_BYTES), packet.subarray(indexAt, indexAt + INDEX_BYTES)]);
}

/** `into`: as long as `from` and the tag. */
function seal(
  key: KeyObject,
  nonce: Buffer,
  associated: Buffer,
  { from, into }: { readonly from: Buffer; readonly into: Buffer },
): void {
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(associated);
  into.set(cipher.update(from));
  cipher.final();
  into.set(cipher.getAuthTag(), from.length);
}

function open(key: KeyObject, nonce: Buffer, associated: Buffer, sealed: Buffer): Buffer | undefined {
  const end = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonce);
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}
