import { addressBytes, type HostPort, type Protocol } from '../../sip/index.ts';

/** One message on its way from one address to another. */
export interface Captured {
  readonly atMs: number;
  readonly protocol: Protocol;
  readonly from: HostPort;
  readonly to: HostPort;
  readonly payload: Buffer;
}

// "HEP/EEP Network Protocol Specification", revision 36: chunks of the generic vendor.
const chunk = {
  family: 0x0001,
  ipProtocol: 0x0002,
  fromV4: 0x0003,
  toV4: 0x0004,
  fromV6: 0x0005,
  toV6: 0x0006,
  fromPort: 0x0007,
  toPort: 0x0008,
  seconds: 0x0009,
  microseconds: 0x000a,
  payloadType: 0x000b,
  node: 0x000c,
  payload: 0x000f,
} as const;

const [tcp, udp] = [6, 17];
const [inet, inet6] = [2, 10];
const sip = 1;
/** Vendor, type and length stand before each value. */
const headBytes = 6;
/** The most that a datagram carries to everywhere, our own heads taken off. */
const maxPayloadBytes = 64_800;

/** A HEP3 packet. Undefined if no datagram would hold it. */
export function hep3(message: Captured, node: number): Buffer | undefined {
  const { atMs, protocol, from, to, payload } = message;
  // Before anything is written: the length of a chunk has two bytes, and masking makes some messages longer.
  if (payload.length > maxPayloadBytes) return undefined;
  const [fromBytes, toBytes] = [addressBytes(from.host), addressBytes(to.host)];
  const isV6 = fromBytes.length === 16;
  // Both ends of a flow are of one kind; a name instead of an address has neither length.
  if (fromBytes.length !== toBytes.length) return undefined;
  const chunks = [
    numbered(chunk.family, 1, isV6 ? inet6 : inet),
    numbered(chunk.ipProtocol, 1, protocol === 'udp' ? udp : tcp),
    of(isV6 ? chunk.fromV6 : chunk.fromV4, fromBytes),
    of(isV6 ? chunk.toV6 : chunk.toV4, toBytes),
    numbered(chunk.fromPort, 2, from.port),
    numbered(chunk.toPort, 2, to.port),
    numbered(chunk.seconds, 4, Math.floor(atMs / 1_000)),
    numbered(chunk.microseconds, 4, Math.floor((atMs % 1_000) * 1_000)),
    numbered(chunk.payloadType, 1, sip),
    numbered(chunk.node, 4, node),
    of(chunk.payload, payload),
  ];
  const size = headBytes + chunks.reduce((sum, { length }) => sum + length, 0);
  const head = Buffer.alloc(headBytes, 'HEP3', 'latin1');
  head.writeUInt16BE(size, 4);
  return Buffer.concat([head, ...chunks]);
}

function of(type: number, value: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + value.length);
  bytes.writeUInt16BE(0, 0);
  bytes.writeUInt16BE(type, 2);
  bytes.writeUInt16BE(bytes.length, 4);
  value.copy(bytes, headBytes);
  return bytes;
}

function numbered(type: number, sizeBytes: 1 | 2 | 4, value: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeUIntBE(value, 0, sizeBytes);
  return of(type, bytes);
}
