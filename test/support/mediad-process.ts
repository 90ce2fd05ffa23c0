/** Starts the real mediad on free ports with its data in a folder of its own, and the real fsmrf client in front of it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SipCaller, type SipCall } from './sip-caller.ts';

export const SECRET = 'test-secret-0123456789';

export interface MediadProcess {
  readonly folder: string;
  readonly recordings: string;
  readonly prompts: string;
  readonly eventSocketPort: number;
  readonly sipAddress: string;
  /** undefined unless it was asked for. */
  readonly metricsAddress: string | undefined;
  readonly process: ChildProcess;
  /** Lines it logged. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

export async function startMediad(options: Readonly<Record<string, unknown>> = {}): Promise<MediadProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'mediad-'));
  const recordings = join(folder, 'recordings');
  const prompts = join(folder, 'prompts');
  await mkdir(prompts);
  const file = join(folder, 'mediad.json');
  const config = {
    eventSocket: { port: 0, secret: SECRET },
    sip: { port: 0 },
    rtp: { portsFrom: 0, portsTo: 0 },
    recordingsFolder: recordings,
    promptFolders: [prompts],
    ...options,
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  const child = spawn(process.execPath, ['src/mediad/main.ts', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => {
      throw new Error(`mediad did not start: ${log.join('\n')}`);
    }),
  ])) as [string];
  const ready = JSON.parse(line) as { eventSocket: { port: number }; sip: string; metrics?: string };
  return {
    folder,
    recordings,
    prompts,
    eventSocketPort: ready.eventSocket.port,
    sipAddress: ready.sip.replace(/^udp\//, ''),
    metricsAddress: ready.metrics,
    process: child,
    log,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await rm(folder, { recursive: true });
    },
  };
}

/** The parts of an fsmrf Endpoint that the tests use. */
export interface MrfEndpoint extends EventEmitter {
  readonly uuid: string;
  readonly local: { readonly sdp: string };
  readonly dialog: StandInDialog;
  set(values: Readonly<Record<string, string>>): Promise<void>;
  play(file: string | readonly string[]): Promise<{ playbackSeconds: string; playbackMilliseconds: string }>;
  playCollect(
    options: Readonly<Record<string, unknown>>,
  ): Promise<{ digits?: string; invalidDigits?: string; terminatorUsed?: string }>;
  record(
    file: string,
    options?: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, string | undefined>>>;
  bridge(other: MrfEndpoint): Promise<void>;
  unbridge(): Promise<void>;
  join(conference: string): Promise<{ memberId: number; confUuid: string }>;
  confMute(): Promise<string>;
  mute(): Promise<void>;
  unmute(): Promise<void>;
  modify(sdp: string): Promise<string>;
  getChannelVariables(includeMedia: boolean): Promise<Readonly<Record<string, string | number>>>;
  execute(app: string, arg: string): Promise<{ getHeader(name: string): string }>;
  api(command: string, args?: string): Promise<{ getBody(): string }>;
  destroy(): Promise<void>;
}

export interface MrfServer extends EventEmitter {
  readonly pendingConnections: Map<string, unknown>;
  api(command: string): Promise<string>;
  createEndpoint(options?: {
    remoteSdp?: string;
    codecs?: string | string[];
    headers?: Record<string, string>;
  }): Promise<MrfEndpoint>;
  disconnect(): void;
}

/** What fsmrf asks of a drachtio dialog. */
class StandInDialog extends EventEmitter {
  readonly call: SipCall;
  readonly remote: { sdp: string };

  constructor(call: SipCall, remoteSdp: string) {
    super();
    this.call = call;
    this.remote = { sdp: remoteSdp };
    void call.ended().then(() => this.emit('destroy'));
  }

  async modify(sdp: string): Promise<string> {
    const response = await this.call.request('INVITE', 'application/sdp', sdp);
    this.remote.sdp = response.body.toString();
    return this.remote.sdp;
  }

  destroy(): void {
    this.call.bye();
  }
}

/** fsmrf over a stand-in for drachtio-srf: the SIP is real, the signalling server in between is left out. */
export class FsmrfClient {
  readonly server: MrfServer;
  readonly caller: SipCaller;

  private constructor(server: MrfServer, caller: SipCaller) {
    this.server = server;
    this.caller = caller;
  }

  static async connect(mediad: MediadProcess, customEvents: readonly string[] = []): Promise<FsmrfClient> {
    const caller = await SipCaller.open();
    const createUAC = async (uri: string, options: { headers: Record<string, string>; localSdp?: string }) => {
      const { response, call } = await caller.invite(uri, options.headers, options.localSdp);
      if (call === undefined)
        throw Object.assign(new Error(`refused with ${response.status}`), { status: response.status });
      const remoteSdp = response.body.toString();
      // As drachtio-srf does: without an offer, the server's own description goes back as a black hole.
      const echo = remoteSdp.replace(/^t=.*$/m, (line) => `${line.trim()}\r\na=recvonly\r`);
      call.ack(options.localSdp === undefined ? echo : undefined);
      return new StandInDialog(call, remoteSdp);
    };
    const Mrf = createRequire(import.meta.url)('drachtio-fsmrf') as new (
      srf: unknown,
      options: unknown,
    ) => { connect(options: unknown): Promise<MrfServer> };
    const server = await new Mrf({ createUAC }, { customEvents }).connect({
      address: '127.0.0.1',
      port: mediad.eventSocketPort,
      secret: SECRET,
      listenAddress: '127.0.0.1',
    });
    return new FsmrfClient(server, caller);
  }

  close(): void {
    this.server.disconnect();
    this.caller.close();
  }
}
