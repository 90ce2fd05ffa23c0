import { addressBytes } from './address-bytes.ts';
import type { HostPort } from './flow.ts';

const headerBytes = 20;
const magicCookie = 0x2112a442;
const bindingRequest = 0x0001;
const bindingSuccess = 0x0101;
const xorMappedAddress = 0x0020;

/** Whether a datagram on a SIP port is STUN: RFC 5626 4.4.2 tells them apart by the first two bits and the cookie. */
export function isStun(bytes: Buffer): boolean {
  return bytes.length >= headerBytes && ((bytes[0] ?? 0) & 0xc0) === 0 && bytes.readUInt32BE(4) === magicCookie;
}

/**
 * The answer to a STUN binding request, by which a phone keeps its NAT open and sees when its address has changed
 * (RFC 5389 6 and 15.2). Undefined for anything else: nothing is said to it.
 */
export function stunAnswer(request: Buffer, from: HostPort): Buffer | undefined {
  const isWhole = request.readUInt16BE(2) === request.length - headerBytes;
  if (request.readUInt16BE(0) !== bindingRequest || !isWhole) return undefined;
  const address = addressBytes(from.host);
  const answer = Buffer.alloc(headerBytes + 8 + address.length);
  answer.writeUInt16BE(bindingSuccess, 0);
  answer.writeUInt16BE(8 + address.length, 2);
  request.copy(answer, 4, 4, headerBytes);
  answer.writeUInt16BE(xorMappedAddress, headerBytes);
  answer.writeUInt16BE(4 + address.length, headerBytes + 2);
  answer.writeUInt8(address.length === 4 ? 1 : 2, headerBytes + 5);
  answer.writeUInt16BE(from.port ^ (magicCookie >>> 16), headerBytes + 6);
  // The mask is the cookie and the transaction id, as they stand in the request.
  for (let i = 0; i < address.length; i++) answer[headerBytes + 8 + i] = (address[i] ?? 0) ^ (request[4 + i] ?? 0);
  return answer;
}
