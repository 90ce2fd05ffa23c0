/** RTP packets, RFC 3550 section 5.1. */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  /** A view into the datagram. */
  readonly payload: Buffer;
}

export const RTP_HEADER_BYTES = 12;
/** 60 ms of G.711 is 480 bytes; anything near an Ethernet frame is not telephony. */
const MAX_PACKET_BYTES = 1500;

/** undefined for anything that is not RTP version 2, RTCP included (payload types 72 to 76 after RFC 5761). */
export function readRtp(datagram: Buffer): RtpPacket | undefined {
  const size = datagram.length;
  if (size < RTP_HEADER_BYTES || size > MAX_PACKET_BYTES) return undefined;
  const first = datagram[0]!;
  const second = datagram[1]!;
  if (first >> 6 !== 2) return undefined;
  const payloadType = second & 0x7f;
  if (payloadType >= 72 && payloadType <= 76) return undefined;
  const start = rtpHeaderBytes(datagram);
  const end = size - ((first & 0x20) === 0 ? 0 : datagram[size - 1]!);
  if (start === 0 || start > end) return undefined;
  return {
    payloadType,
    marker: (second & 0x80) !== 0,
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    payload: datagram.subarray(start, end),
  };
}

/** Where the payload of an RTP version 2 packet begins, RFC 3550 5.1 and 5.3.1; 0: it is none, or shorter than its header says. */
export function rtpHeaderBytes(datagram: Buffer): number {
  const size = datagram.length;
  if (size < RTP_HEADER_BYTES || datagram[0]! >> 6 !== 2) return 0;
  const start = RTP_HEADER_BYTES + (datagram[0]! & 0x0f) * 4;
  if ((datagram[0]! & 0x10) === 0) return start > size ? 0 : start;
  const end = start + 4 > size ? Infinity : start + 4 + datagram.readUInt16BE(start + 2) * 4;
  return end > size ? 0 : end;
}

export function writeRtp(packet: RtpPacket): Buffer {
  const datagram = Buffer.allocUnsafe(RTP_HEADER_BYTES + packet.payload.length);
  datagram[0] = 0x80;
  datagram[1] = (packet.marker ? 0x80 : 0) | packet.payloadType;
  datagram.writeUInt16BE(packet.sequence & 0xffff, 2);
  datagram.writeUInt32BE(packet.timestamp >>> 0, 4);
  datagram.writeUInt32BE(packet.ssrc >>> 0, 8);
  datagram.set(packet.payload, RTP_HEADER_BYTES);
  return datagram;
}

/** b - a on the 16-bit circle, -32768 to 32767. */
export function sequenceStep(a: number, b: number): number {
  return ((b - a) << 16) >> 16;
}

/** b - a on the 32-bit circle. */
export function timestampStep(a: number, b: number): number {
  return (b - a) | 0;
}
