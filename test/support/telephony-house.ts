import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { CallEvent, CallId, EndCause } from '../../src/core/call/index.ts';
import { systemClock } from '../../src/engine/index.ts';
import type { CallSink, NewCall, TelephonyCall, TelephonyEffect } from '../../src/engine/ports.ts';
import { type Bindings, type Lamps, MemoryBindings, Telephony } from '../../src/telephony/index.ts';
import { telephonySchema } from '../../src/telephony/options.ts';
import type { Pair } from './certificates.ts';
import { Daemon, portOf } from './daemon.ts';
import { plainSealer } from '../../src/cli/app/plain-recordings.ts';
import { signallingServer } from './drachtio-server.ts';
import { mediaServer } from './freeswitch.ts';
import { PATIENCE_MS } from './processes.ts';
import { RawPhone } from './raw-phone.ts';
import { RtpPort } from './rtp-port.ts';
import { credentialsFor, random, TestLog } from './telephony.ts';

const secret = 'a-secret-for-tests-only';
const extensions = ['2101', '2102', '3101', '3102'];

export interface Teardown {
  testdir(): string;
  teardown(run: () => unknown): void;
}

/** A call as the engine would see it, driven by the test. */
export class ScriptedCall {
  readonly newCall: NewCall;
  readonly events: CallEvent[] = [];
  readonly #telephony: TelephonyCall;
  readonly #waiting: { match: (event: CallEvent) => boolean; take: (event: CallEvent) => void }[] = [];

  constructor(newCall: NewCall, telephony: TelephonyCall) {
    this.newCall = newCall;
    this.#telephony = telephony;
  }

  do(...effects: readonly TelephonyEffect[]): void {
    for (const effect of effects) this.#telephony.perform(effect);
  }

  emit(event: CallEvent): void {
    const at = this.#waiting.findIndex(({ match }) => match(event));
    if (at < 0) this.events.push(event);
    else this.#waiting.splice(at, 1)[0]?.take(event);
  }

  next<T extends CallEvent['type']>(type: T, leg?: string): Promise<Extract<CallEvent, { type: T }>> {
    const match = (event: CallEvent): boolean =>
      event.type === type && (leg === undefined || ('leg' in event && event.leg === leg));
    const at = this.events.findIndex(match);
    const known = at < 0 ? undefined : this.events.splice(at, 1)[0];
    if (known) return Promise.resolve(known as Extract<CallEvent, { type: T }>);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`no ${type} ${leg ?? ''}; unread: ${JSON.stringify(this.events)}`));
      }, PATIENCE_MS);
      this.#waiting.push({
        match,
        take: (event) => {
          clearTimeout(timer);
          resolve(event as Extract<CallEvent, { type: T }>);
        },
      });
    });
  }
}

/** A conversation that a telephony goes on with. */
export interface AdoptedHere {
  readonly callId: CallId;
  readonly events: CallEvent[];
  hangUp(cause: EndCause): void;
}

export class House {
  readonly telephony: Telephony;
  readonly log: TestLog;
  /** Between the app and sipd, to be cut. */
  readonly relay: Relay;
  readonly mediaRelay: Relay;
  readonly recordingsDir: string;
  readonly sipd: Server;
  readonly mediad: Server;
  /** A telephony on these servers, over another way to the signalling server if one is given. */
  readonly #another: (controlPort?: number) => Telephony;
  readonly #arrived: ScriptedCall[] = [];
  #calls = 0;
  readonly #waiting: ((call: ScriptedCall) => void)[] = [];
  /** What to answer a new call with; 0 takes it. */
  refuseWith = 0;

  private constructor(parts: {
    telephony: Telephony;
    log: TestLog;
    recordingsDir: string;
    sipd: Server;
    mediad: Server;
    relay: Relay;
    mediaRelay: Relay;
    another: (controlPort?: number) => Telephony;
  }) {
    this.#another = parts.another;
    this.telephony = parts.telephony;
    this.log = parts.log;
    this.relay = parts.relay;
    this.recordingsDir = parts.recordingsDir;
    this.sipd = parts.sipd;
    this.mediad = parts.mediad;
    this.mediaRelay = parts.mediaRelay;
  }

  /** sipd and mediad as processes, telephony here, driven by scripted calls. */
  static async open(
    t: Teardown,
    options: {
      bindings?: Bindings;
      sealTo?: (mailbox: string) => readonly string[];
      messageKey?: (messageId: string) => Promise<Uint8Array>;
      lamps?: Lamps;
      trunkTarget?: string;
      trunkOptionsSeconds?: number;
      probeSeconds?: number;
      /** When mediad says that a phone is silent. */
      silenceMs?: number;
      /** Phones are served by TLS and WSS too. */
      tls?: Pair;
    } = {},
  ): Promise<House> {
    const dir = t.testdir();
    const promptsDir = path.join(dir, 'prompts');
    const recordingsDir = path.join(dir, 'recordings');
    mkdirSync(path.join(promptsDir, '8000'), { recursive: true });
    writeFileSync(path.join(promptsDir, '8000', 'long.wav'), toneWav(700, 5000));
    writeFileSync(path.join(promptsDir, '8000', 'short.wav'), toneWav(900, 400));

    writeFileSync(path.join(dir, 'trunk-password'), 'carrier-secret\n', { mode: 0o600 });

    const sipd = await signalling(t, dir, options.tls);
    const { silenceMs = 10_000 } = options;
    const mediad = await media(t, dir, { promptsDir, recordingsDir, silenceMs });

    const relay = await Relay.open(t, sipd.told);
    const mediaRelay = await Relay.open(t, mediad.told);
    const log = new TestLog();
    const another = (port: number = sipd.told.port): Telephony =>
      new Telephony({
        options: telephonySchema.parse({
          signalling: {
            servers: [{ ...sipd.told, host: '127.0.0.1', port, name: 'sipd' }],
            talks: path.join(dir, 'talks'),
          },
          media: {
            servers: [{ ...mediad.told, host: '127.0.0.1', port: mediaRelay.port }],
            silenceMs,
            promptsDirs: [promptsDir],
            promptsRoot: promptsDir,
            recordings: recordingsDir,
          },
          sip: {
            minExpires: 60,
            ...(options.probeSeconds === undefined ? {} : { probeSeconds: options.probeSeconds }),
          },
          trunks: {
            carrier: {
              ...(options.trunkTarget === undefined ? {} : { target: options.trunkTarget }),
              ...(options.trunkOptionsSeconds === undefined ? {} : { optionsSeconds: options.trunkOptionsSeconds }),
              username: 'lakeside',
              passwordFile: path.join(dir, 'trunk-password'),
              callerId: '+12025550100',
              allowFrom: ['127.0.0.2'],
              silenceMs: 1_000,
            },
            spare: {},
          },
        }),
        credentials: credentialsFor('wardline', extensions),
        bindings: options.bindings ?? new MemoryBindings(),
        lamps: options.lamps ?? { now: () => () => null },
        messageKey: options.messageKey ?? (() => Promise.reject(new Error('nobody has keys here'))),
        sealRecipients: options.sealTo ?? (() => []),
        plainSealer,
        clock: systemClock,
        random,
        log,
      });
    const telephony = another(relay.port);
    const house = new House({
      telephony,
      log,
      recordingsDir,
      sipd: sipd.server,
      mediad: mediad.server,
      relay,
      mediaRelay,
      another,
    });
    t.teardown(() => telephony.close());
    await telephony.start(house.sink());
    return house;
  }

  /** Where phones are served, as the signalling server says. */
  get sip(): { readonly udp: number; readonly tcp: number; readonly tls: number; readonly wss: number } {
    const { serves } = this.telephony.health();
    return {
      udp: portOf(serves, 'udp/127.0.0.1:'),
      tcp: portOf(serves, 'tcp/127.0.0.1:'),
      tls: portOf(serves, 'tls/127.0.0.1:'),
      wss: portOf(serves, 'wss/127.0.0.1:'),
    };
  }

  /** What lies on the disk of a message, under whatever name while it is recorded. */
  recordedBytes(messageId: string): number {
    const names = readdirSync(this.recordingsDir).filter((name) => name.includes(messageId));
    return Math.max(0, ...names.map((name) => statSync(path.join(this.recordingsDir, name)).size));
  }

  /** Its only server of that kind. */
  isUp(kind: 'signalling' | 'media'): boolean {
    return this.telephony.health()[kind].every(({ isUp }) => isUp);
  }

  /** 2101 has dialled and is answered; its sound is yet to begin. */
  async answeredCaller(t: Teardown, number = '7011') {
    const phone = await this.phone(t, '2101');
    const rtp = await this.rtp(t);
    const { call, branch } = await phone.invite(number, { body: rtp.sdp() });
    const scripted = await this.nextCall();
    scripted.do({ type: 'answerCaller' });
    const ok = await phone.nextResponse(call, 'INVITE');
    phone.acknowledge(call, ok);
    await scripted.next('callerAnswered');
    return { phone, rtp, call, branch, scripted, ok };
  }

  async phone(t: Teardown, user: string, transport: 'udp' | 'tcp' = 'udp', localIp = '127.0.0.1'): Promise<RawPhone> {
    const phone = await RawPhone.open(user, this.sip, transport, localIp);
    t.teardown(() => phone.close());
    return phone;
  }

  /** Un-registers when the test ends. */
  async registered(t: Teardown, user: string, transport: 'udp' | 'tcp' = 'udp'): Promise<RawPhone> {
    const phone = await RawPhone.open(user, this.sip, transport);
    const { status } = await phone.register();
    if (status !== 200) throw new Error(`${user} could not register: ${status}`);
    t.teardown(async () => {
      await phone.register({ expires: 0 });
      phone.close();
    });
    return phone;
  }

  async rtp(t: Teardown): Promise<RtpPort> {
    const rtp = await RtpPort.open();
    t.teardown(() => rtp.close());
    return rtp;
  }

  /** For the signalling server this app is dead, and the next one is there; with what it goes on with. */
  async successor(t: Teardown): Promise<{ telephony: Telephony; adopted: AdoptedHere[] }> {
    this.relay.end();
    const adopted: AdoptedHere[] = [];
    const telephony = this.#another();
    t.teardown(() => telephony.close());
    await telephony.start({
      ...this.sink(),
      talkAdopted: (callId, talk) => {
        const here: AdoptedHere = { callId, events: [], hangUp: (cause) => talk.hangUp(cause) };
        adopted.push(here);
        return (event) => here.events.push(event);
      },
    });
    return { telephony, adopted };
  }

  nextCall(): Promise<ScriptedCall> {
    const known = this.#arrived.shift();
    return known ? Promise.resolve(known) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  sink(): CallSink {
    return {
      callArrived: (newCall, telephony) => {
        if (this.refuseWith > 0) return { kind: 'refused', sipStatus: this.refuseWith };
        const call = new ScriptedCall(newCall, telephony);
        const waiting = this.#waiting.shift();
        if (waiting) waiting(call);
        else this.#arrived.push(call);
        return { kind: 'taken', callId: `TEST-${++this.#calls}` as CallId, emit: (event) => call.emit(event) };
      },
      talkAdopted: () => null,
    };
  }
}

/** Passes a TCP connection on until it is cut. */
class Relay {
  readonly port: number;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  /** Of what was said to a far end that has ended. */
  #heldBytes: number | undefined;

  private constructor(server: net.Server) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
  }

  static async open(t: Teardown, to: { readonly host: string; readonly port: number }): Promise<Relay> {
    const server = net.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const relay = new Relay(server);
    server.on('connection', (near) => {
      const far = net.connect(to.port, to.host);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        relay.#sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => relay.#heldBytes ?? other.destroy());
        one.on('data', (bytes: Buffer) => {
          if (!other.destroyed) other.write(bytes);
          else if (relay.#heldBytes !== undefined) relay.#heldBytes += bytes.length;
        });
      }
    });
    t.teardown(() => relay.end());
    return relay;
  }

  /** Cut for good. May be called twice. */
  end(): void {
    this.#server.close();
    this.cut();
  }

  /** From now on nobody is told that the other end has ended, until it is cut. */
  hold(): void {
    this.#heldBytes = 0;
  }

  get hasHeld(): boolean {
    return (this.#heldBytes ?? 0) > 0;
  }

  cut(): void {
    this.#heldBytes = undefined;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}

/** A server as a process of its own; started again it has the same ports. */
interface Server {
  /** Stops answering, and holds its connections open. */
  freeze(): void;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** A server, and what the app is told of it. */
interface Told {
  readonly server: Server;
  readonly told: { readonly host: string; readonly port: number; readonly secret: string };
}

/** Our sipd, or the real server that `npm run test:real` names. */
async function signalling(t: Teardown, dir: string, tls: Pair | undefined): Promise<Told> {
  const real = await signallingServer(t, secret);
  if (real !== null) return { server: real, told: real.told };
  const server = await Daemon.start(t, 'sipd', dir, (ready) => ({
    sip: ['udp', 'tcp', ...(tls === undefined ? [] : ['tls', 'wss'])].map((protocol) => ({
      protocol,
      host: '127.0.0.1',
      port: portOf(ready?.sip, protocol),
    })),
    ...(tls === undefined ? {} : { tls }),
    control: { host: '127.0.0.1', port: ready?.control?.port ?? 0 },
    secret,
  }));
  return { server, told: { host: '127.0.0.1', port: server.ready.control?.port ?? 0, secret } };
}

/** With what is played and recorded where. */
async function media(
  t: Teardown,
  dir: string,
  { promptsDir, recordingsDir, silenceMs }: { promptsDir: string; recordingsDir: string; silenceMs: number },
): Promise<Told> {
  const real = await mediaServer(t, dir);
  if (real !== null) {
    mkdirSync(recordingsDir);
    return { server: real, told: real.told };
  }
  const server = await Daemon.start(t, 'mediad', dir, (ready) => ({
    eventSocket: { host: '127.0.0.1', port: ready?.eventSocket?.port ?? 0, secret },
    sip: { host: '127.0.0.1', port: portOf(ready?.sip, 'udp') },
    rtp: { bindAddress: '127.0.0.1', portsFrom: 0, portsTo: 0, silenceMs },
    promptFolders: [promptsDir],
    recordingsFolder: recordingsDir,
  }));
  const at = { host: '127.0.0.1', port: server.ready.eventSocket?.port ?? 0, secret };
  return { server, told: { ...at, ...{ kind: 'mediad', listenPort: 0 } } };
}

function toneWav(hz: number, durationMs: number): Buffer {
  const count = 8 * durationMs;
  const data = Buffer.alloc(44 + 2 * count);
  data.write('RIFF', 0);
  data.writeUInt32LE(36 + 2 * count, 4);
  data.write('WAVEfmt ', 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(8000, 24);
  data.writeUInt32LE(16_000, 28);
  data.writeUInt16LE(2, 32);
  data.writeUInt16LE(16, 34);
  data.write('data', 36);
  data.writeUInt32LE(2 * count, 40);
  for (let i = 0; i < count; i += 1)
    data.writeInt16LE(Math.round(9000 * Math.sin((2 * Math.PI * hz * i) / 8000)), 44 + 2 * i);
  return data;
}
