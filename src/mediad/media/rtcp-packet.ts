/** RTCP, RFC 3550 section 6: compound packets of reports, a name and a goodbye. */
export interface ReportBlock {
  /** Whose packets it is about. */
  readonly ssrc: number;
  /** Since the report before, of 256. */
  readonly fractionLost: number;
  /** Of all; less than none when packets came twice. */
  readonly lost: number;
  /** With the rounds of the 16-bit number. */
  readonly highestSequence: number;
  /** In units of the RTP clock. */
  readonly jitter: number;
  /** The middle 32 bits of the NTP time of the newest sender report; 0: none. */
  readonly lastReport: number;
  /** Since then, in 1/65536 s. */
  readonly sinceLastReport: number;
}

export interface SenderInfo {
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
}

export interface Report {
  readonly ssrc: number;
  /** undefined: a receiver report. */
  readonly sender: SenderInfo | undefined;
  readonly blocks: readonly ReportBlock[];
}

export interface CompoundPacket {
  readonly reports: readonly Report[];
  /** The SSRCs that say goodbye. */
  readonly goodbyes: readonly number[];
}

const SENDER_REPORT = 200;
const RECEIVER_REPORT = 201;
const DESCRIPTION = 202;
const GOODBYE = 203;
const CNAME = 1;
const BLOCK_BYTES = 24;
const INFO_BYTES = 20;
/** An Ethernet frame. */
const MAX_COMPOUND_BYTES = 1500;

/** undefined for what fails the checks of RFC 3550 A.2, or whose counts do not fit its lengths. Unknown kinds are skipped. */
export function readRtcp(datagram: Buffer): CompoundPacket | undefined {
  if (datagram.length > MAX_COMPOUND_BYTES) return undefined;
  const reports: Report[] = [];
  const goodbyes: number[] = [];
  for (let at = 0; at < datagram.length || at === 0; ) {
    if (at + 4 > datagram.length) return undefined;
    const first = datagram[at]!;
    const kind = datagram[at + 1]!;
    const end = at + 4 + datagram.readUInt16BE(at + 2) * 4;
    const isPadded = (first & 0x20) !== 0;
    const isReport = kind === SENDER_REPORT || kind === RECEIVER_REPORT;
    if (first >> 6 !== 2 || end > datagram.length) return undefined;
    // A compound packet begins with a report, and only its last part may be padded.
    if (at === 0 && (!isReport || (isPadded && end < datagram.length))) return undefined;
    const body = datagram.subarray(at + 4, end);
    const count = first & 0x1f;
    if (isReport) {
      const report = readReport(body, count, kind === SENDER_REPORT);
      if (report === undefined) return undefined;
      reports.push(report);
    } else if (kind === GOODBYE) {
      if (body.length < count * 4) return undefined;
      for (let i = 0; i < count; i++) goodbyes.push(body.readUInt32BE(i * 4));
    }
    at = end;
  }
  return { reports, goodbyes };
}

function readReport(body: Buffer, count: number, isOfSender: boolean): Report | undefined {
  const start = 4 + (isOfSender ? INFO_BYTES : 0);
  if (body.length < start + count * BLOCK_BYTES) return undefined;
  const blocks = Array.from({ length: count }, (_, i) => readBlock(body.subarray(start + i * BLOCK_BYTES)));
  return { ssrc: body.readUInt32BE(0), sender: isOfSender ? readInfo(body.subarray(4)) : undefined, blocks };
}

function readInfo(at: Buffer): SenderInfo {
  return {
    ntpSeconds: at.readUInt32BE(0),
    ntpFraction: at.readUInt32BE(4),
    timestamp: at.readUInt32BE(8),
    packets: at.readUInt32BE(12),
    octets: at.readUInt32BE(16),
  };
}

function readBlock(at: Buffer): ReportBlock {
  return {
    ssrc: at.readUInt32BE(0),
    fractionLost: at[4]!,
    lost: at.readIntBE(5, 3),
    highestSequence: at.readUInt32BE(8),
    jitter: at.readUInt32BE(12),
    lastReport: at.readUInt32BE(16),
    sinceLastReport: at.readUInt32BE(20),
  };
}

/** A report, the name of who sends it, and with `isGoodbye` the last that is heard of it. */
export function writeRtcp(report: Report, cname: string, isGoodbye = false): Buffer {
  const parts = [writeReport(report), writeName(report.ssrc, cname)];
  if (isGoodbye) {
    const goodbye = head(GOODBYE, 1, 4);
    goodbye.writeUInt32BE(report.ssrc, 4);
    parts.push(goodbye);
  }
  return Buffer.concat(parts);
}

function writeReport({ ssrc, sender, blocks }: Report): Buffer {
  const start = 8 + (sender === undefined ? 0 : INFO_BYTES);
  const kind = sender === undefined ? RECEIVER_REPORT : SENDER_REPORT;
  const packet = head(kind, blocks.length, start - 4 + blocks.length * BLOCK_BYTES);
  packet.writeUInt32BE(ssrc, 4);
  if (sender !== undefined) {
    const { ntpSeconds, ntpFraction, timestamp, packets, octets } = sender;
    for (const [i, value] of [ntpSeconds, ntpFraction, timestamp, packets, octets].entries()) {
      packet.writeUInt32BE(value >>> 0, 8 + i * 4);
    }
  }
  for (const [i, block] of blocks.entries()) writeBlock(packet.subarray(start + i * BLOCK_BYTES), block);
  return packet;
}

function writeBlock(at: Buffer, block: ReportBlock): void {
  at.writeUInt32BE(block.ssrc, 0);
  at[4] = block.fractionLost;
  at.writeIntBE(Math.max(-0x800000, Math.min(0x7fffff, block.lost)), 5, 3);
  at.writeUInt32BE(block.highestSequence >>> 0, 8);
  at.writeUInt32BE(block.jitter >>> 0, 12);
  at.writeUInt32BE(block.lastReport, 16);
  at.writeUInt32BE(Math.min(0xffffffff, block.sinceLastReport), 20);
}

/** Ends with at least one null octet, up to the next 32 bits. */
function writeName(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname);
  const packet = head(DESCRIPTION, 1, 4 + Math.ceil((2 + name.length + 1) / 4) * 4);
  packet.writeUInt32BE(ssrc, 4);
  packet[8] = CNAME;
  packet[9] = name.length;
  packet.set(name, 10);
  return packet;
}

function head(kind: number, count: number, bodyBytes: number): Buffer {
  const packet = Buffer.alloc(4 + bodyBytes);
  packet[0] = 0x80 | count;
  packet[1] = kind;
  packet.writeUInt16BE(bodyBytes / 4, 2);
  return packet;
}
