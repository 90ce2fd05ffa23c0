import { createSocket } from 'node:dgram';
import { existsSync, statSync } from 'node:fs';
import { parseEndpoint } from '../../config/index.ts';
import type { Finding } from './finding.ts';

/** What says that something keeps the clock: systemd-timesyncd once it has done so, the others while they run. */
const KEEPERS: readonly (readonly [file: string, keeper: string])[] = [
  ['/run/systemd/timesync/synchronized', 'systemd-timesyncd'],
  ['/run/chrony/chronyd.pid', 'chronyd'],
  ['/run/chronyd.pid', 'chronyd'],
  ['/run/ntpd.pid', 'ntpd'],
  ['/run/openntpd.pid', 'openntpd'],
  ['/run/ptp4l', 'ptp4l'],
];

/** Whether the clock can be right at all, and whether something keeps it so. */
export function clock(now = new Date(), isThere: (file: string) => boolean = existsSync): Finding {
  const built = statSync(new URL('../../../package.json', import.meta.url)).mtime;
  const isSane = now.getFullYear() >= 2026 && now.getFullYear() < 2100 && now.getTime() > built.getTime() - 86_400_000;
  if (!isSane) {
    const remedy = 'set it (timedatectl set-ntp true): nobody is rung by schedule at a wrong time';
    return { check: 'clock', state: 'bad', says: `${now.toISOString()} cannot be right`, remedy };
  }
  const keeper = KEEPERS.find(([file]) => isThere(file))?.[1];
  if (keeper !== undefined) {
    return { check: 'clock', state: 'good', says: `${now.toISOString()}, kept by ${keeper}` };
  }
  const says = `${now.toISOString()}; nothing is seen here that keeps it right (in a container its host does)`;
  const remedy = 'timedatectl set-ntp true, or chrony; "wardline doctor --ntp ADDRESS" compares with a time server';
  return { check: 'clock', state: 'note', says, remedy };
}

const ANSWERS_WITHIN_MS = 3_000;
const NTP_PORT = 123;
/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_ERA_S = 2_208_988_800;
/** A hand-over on the minute, and records of two machines that tell one story. */
const FINE_MS = 250;
const BAD_MS = 5_000;

/** Compares with a time server: "192.0.2.1", "192.0.2.1:123" (RFC 5905, client mode). */
export async function clockAgainst(server: string): Promise<Finding> {
  const check = 'clock against time server';
  const at = parseEndpoint(server) ?? parseEndpoint(`${server}:${NTP_PORT}`);
  if (at === null) return { check, state: 'bad', says: `${server} is no address`, remedy: 'give an IP address' };
  const offsetMs = await ntpOffsetMs(at.host, at.port);
  if (typeof offsetMs === 'string') {
    return { check, state: 'note', says: `${server}: ${offsetMs}`, remedy: 'ask another, or let UDP port 123 through' };
  }
  const says = `${(Math.abs(offsetMs) / 1000).toFixed(3)} s ${offsetMs < 0 ? 'ahead of' : 'behind'} ${server}`;
  if (Math.abs(offsetMs) < FINE_MS) return { check, state: 'good', says };
  const remedy = 'timedatectl set-ntp true, or chrony: hand-overs of duty and the audit go by this clock';
  return { check, state: Math.abs(offsetMs) < BAD_MS ? 'note' : 'bad', says, remedy };
}

/** How much must be added to our clock; or why that is not known. */
function ntpOffsetMs(host: string, port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const end = (outcome: number | string): void => {
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    const timer = setTimeout(() => end('no answer'), ANSWERS_WITHIN_MS);
    const question = Buffer.alloc(48);
    // Version 4, client.
    question[0] = 0x23;
    let sentMs = 0;
    socket.on('error', (error: Error) => end(error.message));
    socket.on('message', (answer) => {
      const nowMs = Date.now();
      const [leap, mode, stratum] = [(answer[0] ?? 0) >> 6, (answer[0] ?? 0) & 7, answer[1] ?? 0];
      // The answer must be to our question, from a server that is itself synchronised.
      if (answer.length < 48 || mode !== 4 || !answer.subarray(24, 32).equals(question.subarray(40, 48))) return;
      if (leap === 3 || stratum === 0 || stratum > 15) return end('it does not know the time itself');
      end((timeAt(answer, 32) - sentMs + (timeAt(answer, 40) - nowMs)) / 2);
    });
    socket.connect(port, host, (error?: Error) => {
      if (error) return end(error.message);
      sentMs = Date.now();
      question.writeUInt32BE(Math.floor(sentMs / 1000) + NTP_ERA_S, 40);
      question.writeUInt32BE(Math.floor(((sentMs % 1000) / 1000) * 2 ** 32), 44);
      socket.send(question);
    });
  });
}

/** Milliseconds since 1970. */
function timeAt(packet: Buffer, offset: number): number {
  return (packet.readUInt32BE(offset) - NTP_ERA_S) * 1000 + (packet.readUInt32BE(offset + 4) / 2 ** 32) * 1000;
}
