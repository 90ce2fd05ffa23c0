import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { freeTcpPort, freeUdpPort, PATIENCE_MS, scratch, startChild, stopChild, until } from './processes.ts';
import { readWav, type Sound, writeTone } from './sound.ts';

export interface Account {
  readonly user: string;
  readonly password?: string;
  /** "127.0.0.1:5060" */
  readonly server: string;
  readonly transport?: 'udp' | 'tcp' | 'tls';
  readonly register: boolean;
  readonly answer?: 'manual' | 'auto';
  /** `srtp-mand`: SDES, and nothing else. Absent: its sound is in the clear. */
  readonly encryption?: 'srtp-mand' | 'dtls_srtp';
  /** ICE; with the module ice.so. */
  readonly isByIce?: boolean;
}

/** One event of baresip's control socket, as it prints it. */
export interface PhoneEvent {
  readonly type: string;
  readonly accountaor?: string;
  readonly peeruri?: string;
  readonly param?: string;
  readonly id?: string;
}

interface Teardown {
  teardown(fn: () => unknown): void;
}

/**
 * baresip 1.0.0 as a telephone without a sound card: it plays a tone, keeps what it hears in WAV files and is driven
 * through its control socket. Several accounts make it a carrier with several mobiles.
 */
export class Baresip {
  readonly sipPort: number;
  readonly dir: string;
  readonly events: PhoneEvent[] = [];
  readonly #child: ChildProcess;
  #socket: Socket | undefined;
  #rest = Buffer.alloc(0);
  #answers: { token: string; resolve: (line: { ok: boolean; data: string }) => void }[] = [];
  #tokens = 0;

  private constructor(dir: string, sipPort: number, child: ChildProcess) {
    this.dir = dir;
    this.sipPort = sipPort;
    this.#child = child;
  }

  /** `more`: further lines of its configuration. A free port may be taken by somebody else before baresip binds it: then it is tried again with others. */
  static async start(
    t: Teardown,
    accounts: readonly Account[],
    toneHz: number,
    sipPort?: number,
    more: readonly string[] = [],
  ): Promise<Baresip> {
    for (let attempt = 1; ; attempt++) {
      const phone = await Baresip.#startOnce(t, accounts, toneHz, sipPort, more);
      if (phone) return phone;
      if (attempt === 3) throw new Error('baresip ended at start three times');
    }
  }

  static async #startOnce(
    t: Teardown,
    accounts: readonly Account[],
    toneHz: number,
    sipPort: number | undefined,
    more: readonly string[],
  ): Promise<Baresip | null> {
    const dir = scratch(t, 'baresip');
    const [control, sip] = await Promise.all([freeTcpPort(), sipPort ?? freeUdpPort()]);
    mkdirSync(join(dir, 'heard'));
    writeTone(join(dir, 'tone.wav'), toneHz, 120);
    writeFileSync(join(dir, 'config'), `${config(dir, control, sip)}${more.join('\n')}\n`);
    writeFileSync(join(dir, 'contacts'), '');
    writeFileSync(join(dir, 'accounts'), accounts.map(accountLine).join('\n') + '\n');
    const child = startChild('baresip', ['-f', dir, '-v'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = (bytes: Buffer) => existsSync(dir) && appendFileSync(join(dir, 'log'), bytes);
    child.stdout?.on('data', log);
    child.stderr?.on('data', log);
    const phone = new Baresip(dir, sip, child);
    t.teardown(() => phone.close());
    return (await phone.#connect(control)) ? phone : null;
  }

  async #connect(port: number): Promise<boolean> {
    const socket = await until('baresip control socket', async () => {
      if (this.#child.exitCode !== null) return 'ended';
      return new Promise<Socket | null>((resolve) => {
        const socket = connect(port, '127.0.0.1');
        socket.once('connect', () => resolve(socket));
        socket.once('error', () => resolve(null));
      });
    });
    if (socket === 'ended') return false;
    socket.on('error', () => {});
    socket.on('data', (bytes) => this.#read(bytes));
    this.#socket = socket;
    return true;
  }

  /** Frames are netstrings: "12:{…},". */
  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const colon = this.#rest.indexOf(':');
      if (colon < 0) return;
      const size = Number(this.#rest.toString('latin1', 0, colon));
      if (this.#rest.length < colon + 1 + size + 1) return;
      const line = JSON.parse(this.#rest.toString('utf8', colon + 1, colon + 1 + size)) as Record<string, unknown>;
      this.#rest = this.#rest.subarray(colon + 1 + size + 1);
      if (line['event']) {
        this.events.push(line as unknown as PhoneEvent);
      } else if (line['response']) {
        const waiting = this.#answers.findIndex((answer) => answer.token === line['token']);
        const [answer] = waiting < 0 ? [] : this.#answers.splice(waiting, 1);
        answer?.resolve({ ok: line['ok'] === true, data: String(line['data'] ?? '') });
      }
    }
  }

  command(command: string, params = ''): Promise<{ ok: boolean; data: string }> {
    const token = String(++this.#tokens);
    const body = JSON.stringify({ command, params, token });
    this.#socket?.write(`${Buffer.byteLength(body)}:${body},`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`baresip did not answer ${command} ${params}`)), PATIENCE_MS);
      this.#answers.push({
        token,
        resolve: (line) => {
          clearTimeout(timer);
          resolve(line);
        },
      });
    });
  }

  /** Makes one of several accounts the one that the next commands speak of. */
  async as(user: string): Promise<this> {
    await this.command('uafind', this.aor(user));
    return this;
  }

  /** Address of record of an account, as baresip names it. */
  aor(user: string): string {
    return this.events.find((seen) => seen.accountaor?.includes(`sip:${user}@`))?.accountaor ?? `sip:${user}@`;
  }

  dial(target: string): Promise<unknown> {
    return this.command('dial', target);
  }

  accept(): Promise<unknown> {
    return this.command('accept');
  }

  hangUp(): Promise<unknown> {
    return this.command('hangup');
  }

  /** Every call of every account; one that is over already is no fault. */
  async hangUpAll(): Promise<void> {
    for (const id of this.openCalls()) {
      // `hangup` is for the current account, and an account that rings makes itself the current one.
      const account = this.events.find((event) => event.id === id)?.accountaor;
      if (account) await this.command('uafind', account);
      await this.command('callfind', id);
      if (this.openCalls().includes(id)) await this.command('hangup');
    }
  }

  /** Call-IDs of what rings or talks. */
  openCalls(): string[] {
    const of = (isClosed: boolean) =>
      this.events.filter((event) => (event.type === 'CALL_CLOSED') === isClosed).flatMap((event) => event.id ?? []);
    const closed = of(true);
    return [...new Set(of(false))].filter((id) => !closed.includes(id));
  }

  /** Sends keys as RFC 4733 events. */
  async press(digits: string): Promise<void> {
    for (const digit of digits) await this.command('sndcode', digit);
  }

  /** What it has printed. */
  get log(): string {
    return readFileSync(join(this.dir, 'log'), 'utf8');
  }

  /** Asks instead of waiting for the event: it may have come before the control socket was open. */
  registered(): Promise<unknown> {
    return until('baresip to be registered', async () => /OK\s/.test((await this.command('reginfo')).data));
  }

  /** Waits for an event of this type; `after` skips the first so many events (use `mark()`). */
  event(type: string, after = 0, of?: string): Promise<PhoneEvent> {
    return until(
      () =>
        `${type} at baresip${of ? ` of ${of}` : ''}; seen: ${this.events.map(({ type, param }) => `${type} ${param ?? ''}`).join(', ')}`,
      () =>
        this.events
          .slice(after)
          .find((event) => event.type === type && (!of || event.accountaor?.includes(`sip:${of}@`))),
    );
  }

  mark(): number {
    return this.events.length;
  }

  has(type: string, after = 0): boolean {
    return this.events.slice(after).some((event) => event.type === type);
  }

  /**
   * baresip names its sound files by the second: a call that begins in the same second would write over the last one.
   * It asks the kernel's coarse clock, which turns some milliseconds after ours.
   */
  async nextFile(): Promise<void> {
    const coarseClockLagMs = 50;
    const second = Math.floor(Date.now() / 1000);
    await until('the next second', () => Math.floor((Date.now() - coarseClockLagMs) / 1000) > second);
  }

  /** Samples in each file of `heard`, for `heardSince`. */
  heardSoFar(): readonly number[] {
    return this.heard().map(({ samples }) => samples.length);
  }

  heardSince(before: readonly number[]): Sound[] {
    return this.heard().map(({ rateHz, samples }, i) => ({ rateHz, samples: samples.subarray(before[i] ?? 0) }));
  }

  /** What each call has heard so far, in the order the calls began to hear. */
  heard(): Sound[] {
    return readdirSync(join(this.dir, 'heard'))
      .filter((name) => name.endsWith('-dec.wav'))
      .sort()
      .map((name) => readWav(join(this.dir, 'heard', name)));
  }

  /** As when its cable is pulled: no BYE, no un-registration. */
  vanish(): void {
    this.#child.kill('SIGKILL');
  }

  async close(): Promise<void> {
    this.#socket?.destroy();
    await stopChild(this.#child);
  }
}

function accountLine(account: Account): string {
  const transport = account.transport ?? 'udp';
  const parts = [
    `<sip:${account.user}@${account.server};transport=${transport}>`,
    'ptime=20',
    'audio_codecs=PCMU,PCMA',
  ];
  if (account.password) parts.push(`auth_user=${account.user}`, `auth_pass=${account.password}`);
  parts.push(`regint=${account.register ? 600 : 0}`);
  if (account.encryption) parts.push(`mediaenc=${account.encryption}`);
  if (account.isByIce) parts.push('medianat=ice');
  if (account.answer === 'auto') parts.push('answermode=auto');
  return parts.join(';');
}

function config(dir: string, control: number, sip: number): string {
  return [
    'poll_method epoll',
    `sip_listen 127.0.0.1:${sip}`,
    'net_interface 127.0.0.1',
    `audio_source aufile,${join(dir, 'tone.wav')}`,
    'ausrc_srate 8000',
    'auplay_srate 8000',
    'ausrc_channels 1',
    'auplay_channels 1',
    'audio_buffer 20-160',
    'audio_telev_pt 101',
    'jitter_buffer_delay 0-5',
    'call_max_calls 8',
    'call_local_timeout 120',
    'module_path /usr/lib/baresip/modules',
    'module g711.so',
    'module aufile.so',
    'module sndfile.so',
    'module srtp.so',
    'module_tmp account.so',
    'module_app ctrl_tcp.so',
    'module_app menu.so',
    `ctrl_tcp_listen 127.0.0.1:${control}`,
    `snd_path ${join(dir, 'heard')}`,
    'ringback_disabled yes',
    '',
  ].join('\n');
}
