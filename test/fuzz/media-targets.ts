import { CommandReader, MEMBER_LIMITS } from '../../src/mediad/event-socket/framing.ts';
import { NO_COUNTERS } from '../../src/mediad/media/messages.ts';
import { Reception } from '../../src/mediad/media/reception.ts';
import { readRtcp, writeRtcp, type Report } from '../../src/mediad/media/rtcp-packet.ts';
import { readRtp, writeRtp } from '../../src/mediad/media/rtp-packet.ts';
import { parseSdp } from '../../src/mediad/sdp/session-description.ts';
import type { Target } from './targets.ts';

/** One for all inputs: what came before must not matter either. */
const counters = { ...NO_COUNTERS };
const reception = new Reception(counters);
let nowMs = 0;

function rtp(bytes: Buffer): void {
  const packet = readRtp(bytes);
  if (packet === undefined) return;
  const again = readRtp(writeRtp(packet));
  if (again === undefined || !again.payload.equals(packet.payload) || again.sequence !== packet.sequence) {
    throw new Error('read differently the second time');
  }
  reception.count(packet, bytes.length, (nowMs += 20), 8000);
  const wrong = Object.entries(counters).filter(([, value]) => !Number.isFinite(value) || value < 0);
  if (wrong.length > 0) throw new Error(`counted ${JSON.stringify(wrong)}`);
  const { fractionLost } = reception.block(nowMs)!;
  if (fractionLost < 0 || fractionLost > 255) throw new Error(`a share of ${fractionLost}`);
}

function rtcp(bytes: Buffer): void {
  for (const report of readRtcp(bytes)?.reports ?? []) {
    const written = writeRtcp(report, 'abc');
    const again = readRtcp(written)?.reports[0];
    if (again === undefined || !writeRtcp(again, 'abc').equals(written)) {
      throw new Error('read differently the second time');
    }
  }
}

/** Wherever the bytes of the event socket are cut, the same commands come out. */
function eventSocket(bytes: Buffer): void {
  const read = (...pieces: readonly Buffer[]) => {
    const reader = new CommandReader(MEMBER_LIMITS);
    const commands = pieces.flatMap((piece) => [...reader.read(piece)]);
    return JSON.stringify(commands.map(({ line, headers, body }) => [line, [...headers], body]));
  };
  const at = bytes.length >> 1;
  if (read(bytes) !== read(bytes.subarray(0, at), bytes.subarray(at))) throw new Error(`cut at ${at} it is another`);
}

const report: Report = {
  ssrc: 1,
  sender: { ntpSeconds: 2, ntpFraction: 3, timestamp: 4, packets: 5, octets: 6 },
  blocks: [
    { ssrc: 7, fractionLost: 8, lost: -9, highestSequence: 10, jitter: 11, lastReport: 12, sinceLastReport: 13 },
  ],
};

const commands = [
  'auth ClueCon\n\n',
  'event json CHANNEL_EXECUTE CUSTOM conference::maintenance\n\nfilter Unique-ID x\n\n',
  'sendmsg x\ncall-command: execute\nexecute-app-name: playback\nContent-Length: 5\n\nhello',
  'bgapi uuid_dump x\nJob-UUID: 1\n\napi  status\r\n\r\n',
];

const descriptions = [
  'v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0 101 13\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp:4001\r\na=rtcp-mux\r\na=ptime:20\r\n',
  'v=0\nm=audio 0 RTP/SAVP 8\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\nm=video 9 UDP/TLS/RTP/SAVPF 96\n',
];

export const mediaTargets: readonly Target[] = [
  {
    name: 'rtp',
    seeds: () =>
      [0, 8, 101, 13].map((payloadType) =>
        writeRtp({
          payloadType,
          marker: true,
          sequence: 65_535,
          timestamp: 160,
          ssrc: 7,
          payload: Buffer.alloc(40, 1),
        }),
      ),
    eat: rtp,
  },
  {
    name: 'rtcp',
    seeds: () => [writeRtcp(report, 'abcdef', true), writeRtcp({ ...report, sender: undefined }, 'a')],
    eat: rtcp,
  },
  { name: 'event-socket', seeds: () => commands.map((text) => Buffer.from(text)), eat: eventSocket },
  {
    name: 'sdp',
    seeds: () => descriptions.map((text) => Buffer.from(text)),
    eat: (bytes) => void parseSdp(bytes.toString('utf8')),
  },
];
