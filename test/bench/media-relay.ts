import { randomUUID } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { RTP_HEADER_BYTES } from '../../src/mediad/media/rtp-packet.ts';
import { EslApplication, EslClient } from '../support/esl-client.ts';
import { FreeSwitch } from '../support/freeswitch.ts';
import { SECRET, startMediad } from '../support/mediad-process.ts';
import { scratch } from '../support/processes.ts';
import { SipCaller } from '../support/sip-caller.ts';
import { cpuMs, pssMb, round } from './calls/proc.ts';
import type { Teardown } from './calls/systems.ts';

export type MediaMode = 'bridge' | 'prompt' | 'record';

/**
 * CPU and delay of calls with sound in a media server. Each leg sends 50 stamped packets a second (G.711) in its own phase;
 * when two are bridged the other leg's phone compares the stamp. Both ends run in the process that measures.
 */
export interface MediaResult {
  readonly server: string;
  readonly mode: MediaMode;
  readonly calls: number;
  readonly legs: number;
  readonly sent: number;
  /** Of those sent, by the other phone; only when bridged. */
  readonly received: number;
  /** Of one core. */
  readonly cpuPercentPerLeg: number;
  readonly cpuMicrosPerPacketIn: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  readonly pssMb: number;
}

interface MediaServer {
  readonly name: string;
  readonly sip: string;
  readonly eventSocketPort: number;
  readonly secret: string;
  readonly pid: number;
  /** Where a leg records to. */
  recording(leg: string): string;
}

interface Leg {
  readonly socket: Socket;
  readonly uuid: string;
  readonly esl: EslClient;
  readonly port: number;
  readonly datagram: Buffer;
  sequence: number;
}

const FRAME_MS = 20;
const STAMPED = 0x55;
/** Legs of one call each have a port for RTP and one for RTCP. */
const PORTS_PER_CALL = 4;

/** mediad, and FreeSWITCH with freeswitch-conf/ where its program is given. */
export async function benchMedia(
  freeswitch: string | undefined,
  calls: number,
  seconds: number,
): Promise<readonly MediaResult[]> {
  const results: MediaResult[] = [];
  const starts = [mediad, ...(freeswitch === undefined ? [] : [real(freeswitch, calls * PORTS_PER_CALL + 10)])];
  for (const mode of ['bridge', 'prompt', 'record'] as const) {
    for (const start of starts) {
      const undo: (() => unknown)[] = [];
      try {
        const t = { teardown: (fn: () => unknown) => void undo.unshift(fn) };
        results.push(await measure(t, await start(t), mode, calls, seconds));
      } finally {
        for (const fn of undo) await fn();
      }
    }
  }
  return results;
}

async function mediad(t: Teardown): Promise<MediaServer> {
  const server = await startMediad({ sealTo: [await identityToRecipient(await generateX25519Identity())] });
  t.teardown(() => server.stop());
  return {
    name: 'mediad',
    sip: server.sipAddress,
    eventSocketPort: server.eventSocketPort,
    secret: SECRET,
    pid: server.process.pid ?? 0,
    recording: (leg) => join(server.recordings, `${leg}.sealed`),
  };
}

function real(program: string, rtpPorts: number): (t: Teardown) => Promise<MediaServer> {
  return async (t) => {
    const server = await FreeSwitch.start(t, program, scratch(t, 'freeswitch'), rtpPorts);
    return {
      name: 'FreeSWITCH',
      sip: server.sip,
      eventSocketPort: server.ready.eventSocket.port,
      secret: server.secret,
      pid: server.pid,
      recording: (leg) => join(server.plain, `${leg}.wav`),
    };
  };
}

async function measure(
  t: Teardown,
  server: MediaServer,
  mode: MediaMode,
  calls: number,
  seconds: number,
): Promise<MediaResult> {
  const caller = await SipCaller.open();
  const application = await EslApplication.open();
  const control = await EslClient.member(server.eventSocketPort, server.secret);
  t.teardown(() => [caller, application, control].forEach((one) => one.close()));
  const delaysMs: number[] = [];
  let [sent, isMeasuring] = [0, false];
  const legs: Leg[] = [];
  for (let i = 0; i < calls * 2; i++) {
    const leg = await open(
      server,
      caller,
      application,
      (sentAt) => isMeasuring && delaysMs.push(performance.now() - sentAt),
    );
    t.teardown(() => leg.socket.close());
    legs.push(leg);
  }
  for (let i = 0; i < legs.length; i += 2) {
    const pair = [legs[i]!, legs[i + 1]!];
    if (mode === 'bridge') await control.api(`uuid_bridge ${pair[0]!.uuid} ${pair[1]!.uuid}`);
    for (const leg of pair) {
      if (mode === 'prompt') await execute(leg, 'playback', 'tone_stream://%(2000,4000,440,480);loops=-1');
      if (mode === 'record') await execute(leg, 'record', server.recording(leg.uuid));
    }
  }
  // Each millisecond the legs whose phase it is: no burst at the generator.
  let [due, phase] = [performance.now(), 0];
  const ticker = setInterval(() => {
    for (; due <= performance.now(); due += 1) {
      for (let i = phase; i < legs.length; i += FRAME_MS) {
        send(legs[i]!, server);
        if (isMeasuring) sent += 1;
      }
      phase = (phase + 1) % FRAME_MS;
    }
  }, 1);
  await wait(2000);
  isMeasuring = true;
  const [cpuBefore, startedAt] = [cpuMs(server.pid), performance.now()];
  await wait(seconds * 1000);
  const [cpuUsed, elapsedMs] = [cpuMs(server.pid) - cpuBefore, performance.now() - startedAt];
  clearInterval(ticker);
  await wait(200);
  isMeasuring = false;
  delaysMs.sort((a, b) => a - b);
  const at = (share: number) => round(delaysMs[Math.floor((delaysMs.length - 1) * share)] ?? Number.NaN);
  return {
    server: server.name,
    mode,
    calls,
    legs: legs.length,
    sent,
    received: delaysMs.length,
    cpuPercentPerLeg: Number(((cpuUsed / elapsedMs / legs.length) * 100).toFixed(3)),
    cpuMicrosPerPacketIn: round((cpuUsed * 1000) / Math.max(1, sent)),
    delayP50Ms: at(0.5),
    delayP99Ms: at(0.99),
    delayMaxMs: at(1),
    pssMb: pssMb([server.pid]),
  };
}

/** `stamped` is told when a packet was sent that this phone has just received. */
async function open(
  server: MediaServer,
  caller: SipCaller,
  application: EslApplication,
  stamped: (sentAt: number) => void,
): Promise<Leg> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port: own } = socket.address();
  const sdp = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${own} RTP/AVP 0\r\n`;
  // As the client library names itself: FreeSWITCH takes no leg from anybody else.
  const headers = { 'X-esl-outbound': application.address, 'User-Agent': `drachtio-fsmrf:${randomUUID()}` };
  const { response, call } = await caller.invite(`sip:drachtio@${server.sip}`, headers, sdp);
  if (call === undefined) throw new Error(`${server.name} refused a leg with ${response.status}`);
  call.ack();
  const { esl, uuid } = await application.accept();
  socket.on('message', (datagram) => {
    if (datagram[RTP_HEADER_BYTES] === STAMPED) stamped(datagram.readDoubleBE(RTP_HEADER_BYTES + 1));
  });
  const datagram = Buffer.alloc(RTP_HEADER_BYTES + 160, 0xff);
  datagram.writeUInt16BE(0x8000, 0);
  datagram.writeUInt32BE(own, 8);
  datagram[RTP_HEADER_BYTES] = STAMPED;
  const port = Number(/^m=audio (\d+)/m.exec(response.body.toString())?.[1]);
  return { socket, uuid, esl, port, datagram, sequence: 0 };
}

async function execute(leg: Leg, app: string, arg: string): Promise<void> {
  await leg.esl.command(`sendmsg\ncall-command: execute\nexecute-app-name: ${app}\nexecute-app-arg: ${arg}`);
}

function send(leg: Leg, server: MediaServer): void {
  leg.sequence += 1;
  leg.datagram.writeUInt16BE(leg.sequence & 0xffff, 2);
  leg.datagram.writeUInt32BE((leg.sequence * 160) >>> 0, 4);
  leg.datagram.writeDoubleBE(performance.now(), RTP_HEADER_BYTES + 1);
  leg.socket.send(Buffer.from(leg.datagram), leg.port, server.sip.split(':')[0]);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
