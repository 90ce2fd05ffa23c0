/**
 * CPU and delay of bridged calls in mediad: `node test/bench/media-relay.ts [calls] [seconds] [bridge|prompt|record]`.
 * Each leg sends 50 stamped packets a second in its own phase; the other leg's phone compares the stamp. One JSON line and a table.
 */
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { RTP_HEADER_BYTES } from '../../src/mediad/media/rtp-packet.ts';
import { EslApplication, EslClient } from '../support/esl-client.ts';
import { SECRET, startMediad } from '../support/mediad-process.ts';
import { SipCaller } from '../support/sip-caller.ts';

const calls = Number(process.argv[2] ?? 50);
const seconds = Number(process.argv[3] ?? 10);
const mode = process.argv[4] ?? 'bridge';
const FRAME_MS = 20;
const CLOCK_TICKS = 100;

interface Leg {
  readonly socket: Socket;
  readonly uuid: string;
  readonly esl: EslClient;
  readonly port: number;
  readonly datagram: Buffer;
  sequence: number;
}

const mediad = await startMediad({ sealTo: [await identityToRecipient(await generateX25519Identity())] });
const caller = await SipCaller.open();
const application = await EslApplication.open();
const control = await EslClient.member(mediad.eventSocketPort, SECRET);
const delaysMs: number[] = [];
let received = 0;
let sent = 0;
let isMeasuring = false;
const idle = memoryKb();

async function aLeg(): Promise<Leg> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${socket.address().port} RTP/AVP 0\r\n`;
  const { response, call } = await caller.invite(
    `sip:drachtio@${mediad.sipAddress}`,
    { 'X-esl-outbound': application.address },
    sdp,
  );
  if (call === undefined) throw new Error(`refused with ${response.status}`);
  call.ack();
  const { esl, uuid } = await application.accept();
  socket.on('message', (datagram) => {
    if (!isMeasuring || datagram[RTP_HEADER_BYTES] !== 0x55) return;
    received += 1;
    delaysMs.push(performance.now() - datagram.readDoubleBE(RTP_HEADER_BYTES + 1));
  });
  const datagram = Buffer.alloc(RTP_HEADER_BYTES + 160, 0xff);
  datagram.writeUInt16BE(0x8000, 0);
  datagram.writeUInt32BE(socket.address().port, 8);
  datagram[RTP_HEADER_BYTES] = 0x55;
  return {
    socket,
    uuid,
    esl,
    port: Number(/^m=audio (\d+)/m.exec(response.body.toString())?.[1]),
    datagram,
    sequence: 0,
  };
}

function send(leg: Leg): void {
  leg.sequence += 1;
  leg.datagram.writeUInt16BE(leg.sequence & 0xffff, 2);
  leg.datagram.writeUInt32BE(leg.sequence * 160, 4);
  leg.datagram.writeDoubleBE(performance.now(), RTP_HEADER_BYTES + 1);
  if (isMeasuring) sent += 1;
  leg.socket.send(Buffer.from(leg.datagram), leg.port, '127.0.0.1');
}

function cpuMs(): number {
  const fields = readFileSync(`/proc/${mediad.process.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / CLOCK_TICKS;
}

function memoryKb(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${mediad.process.pid}/status`, 'utf8'))?.[1]);
}

const legs: Leg[] = [];
for (let i = 0; i < calls * 2; i++) legs.push(await aLeg());
for (let i = 0; i < legs.length; i += 2) {
  const [a, b] = [legs[i]!, legs[i + 1]!];
  if (mode === 'bridge') await control.api(`uuid_bridge ${a.uuid} ${b.uuid}`);
  for (const leg of [a, b]) {
    if (mode === 'prompt') await execute(leg, 'playback', 'tone_stream://%(2000,4000,440,480);loops=-1');
    if (mode === 'record') await execute(leg, 'record', join(mediad.recordings, `${leg.uuid}.sealed`));
  }
}

async function execute(leg: Leg, app: string, arg: string): Promise<void> {
  await leg.esl.command(`sendmsg\ncall-command: execute\nexecute-app-name: ${app}\nexecute-app-arg: ${arg}`);
}

// Each millisecond the legs whose phase it is: no burst at the generator.
let due = performance.now();
let phase = 0;
const ticker = setInterval(() => {
  for (; due <= performance.now(); due += 1) {
    for (let i = phase; i < legs.length; i += FRAME_MS) send(legs[i]!);
    phase = (phase + 1) % FRAME_MS;
  }
}, 1);

await wait(2000);
isMeasuring = true;
const cpuBefore = cpuMs();
const startedAt = performance.now();
await wait(seconds * 1000);
const cpuUsed = cpuMs() - cpuBefore;
const elapsedMs = performance.now() - startedAt;
clearInterval(ticker);
await wait(200);
isMeasuring = false;

const sorted = delaysMs.sort((a, b) => a - b);
const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(3));
const result = {
  mode,
  calls,
  legs: legs.length,
  seconds: Number((elapsedMs / 1000).toFixed(1)),
  sent,
  received,
  cpuPercent: Number(((cpuUsed / elapsedMs) * 100).toFixed(1)),
  cpuPercentPerLeg: Number(((cpuUsed / elapsedMs / legs.length) * 100).toFixed(3)),
  cpuMicrosPerPacketIn: Number(((cpuUsed * 1000) / Math.max(1, sent)).toFixed(1)),
  delayMs: { p50: at(0.5), p99: at(0.99), max: at(0.99999) },
  rssKb: { idle, loaded: memoryKb() },
};
process.stdout.write(`${JSON.stringify(result)}\n`);
// oxlint-disable-next-line no-console -- a benchmark is read by people
console.table({ [mode]: { ...result, delayMs: JSON.stringify(result.delayMs), rssKb: JSON.stringify(result.rssKb) } });
for (const leg of legs) leg.socket.close();
caller.close();
control.close();
application.close();
await mediad.stop();
process.exit(0);

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
