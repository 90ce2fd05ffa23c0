/**
 * A suite with its session keys: seals and opens single packets whose index is known. `start`: where the header ends. What
 * is opened is opened in place; undefined: it was not made with this key.
 */
export interface Protection {
  /** What a protected RTP packet is longer by. */
  readonly tagBytes: number;
  sealRtp(packet: Buffer, start: number, index: number): Buffer;
  openRtp(packet: Buffer, start: number, index: number): Buffer | undefined;
  /** 31 bits of index. */
  sealRtcp(packet: Buffer, index: number): Buffer;
  openRtcp(packet: Buffer): { readonly packet: Buffer; readonly index: number } | undefined;
}

/** Of an SRTCP packet; the rest of the word is its index. */
export const ENCRYPTED = 0x8000_0000;
/** Sent in the clear, and authenticated: the packet's own header and the sender. */
export const RTCP_HEADER_BYTES = 8;
export const INDEX_BYTES = 4;

export function ssrcOf(packet: Buffer, isRtcp = false): number {
  return packet.readUInt32BE(isRtcp ? 4 : 8);
}
