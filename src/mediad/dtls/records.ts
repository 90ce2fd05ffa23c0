/** DTLS records, RFC 6347 4.1. */
const HEADER_BYTES = 13;
const LENGTH_AT = 11;

/** A flight as OpenSSL writes it, one record after the other, in datagrams of at most `mostBytes`: none is ever cut in two. */
export function groupRecords(flight: Buffer, mostBytes: number): readonly Buffer[] {
  const datagrams: Buffer[] = [];
  let from = 0;
  let at = 0;
  while (at + HEADER_BYTES <= flight.length) {
    const next = at + HEADER_BYTES + flight.readUInt16BE(at + LENGTH_AT);
    if (next > flight.length) break;
    if (next - from > mostBytes && at > from) {
      datagrams.push(flight.subarray(from, at));
      from = at;
    }
    at = next;
  }
  if (at > from) datagrams.push(flight.subarray(from, at));
  return datagrams;
}
