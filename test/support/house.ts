import { type ChildProcess, execFile } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HEADER_BYTES } from '../../src/vault/container.ts';
import { type Account, Baresip } from './baresip.ts';
import { ended, PATIENCE_MS, scratch, startChild, until } from './processes.ts';
import { DrachtioServer, signallingServer } from './drachtio-server.ts';
import { FreeSwitch, freeswitch, mediaServer } from './freeswitch.ts';
import { processTree } from './plaintext-scan.ts';
import type { RealServer } from './real-server.ts';
import { keepRecords } from './records.ts';
import { ROOT } from './root.ts';
import { find, readWav, type Sound } from './sound.ts';
import { type CliResult, warmCli } from './warm-cli.ts';

const MAIN = join(ROOT, 'src/main.ts');

interface Teardown {
  teardown(fn: () => unknown): void;
}

export interface HouseOptions {
  /** Extensions that get a phone password. */
  readonly phones?: readonly string[];
  /** SIP port of the carrier on loopback. */
  readonly carrier?: number;
  /** Changes the text of every document before the start, e.g. to shorten a dwell. */
  readonly edit?: (text: string, path: string) => string;
  readonly set?: Readonly<Record<string, string>>;
  /** Goes on with the data of an earlier house. */
  readonly data?: string;
  /** Servers to run on, null for our own; as the environment says unless it is told. */
  readonly on?: { readonly signalling: RealServer | null; readonly media: RealServer | null };
}

/** Real ones in the places of our daemons; null: ours. */
interface Servers {
  readonly signalling: Awaited<ReturnType<typeof signallingServer>>;
  readonly media: Awaited<ReturnType<typeof mediaServer>>;
}

/** A whole Wardline, started as a person starts it, on free loopback ports with its data in a scratch folder. */
export class House {
  readonly data: string;
  readonly documents: string;
  readonly child: ChildProcess;
  readonly terminal: () => string;
  readonly #passwords = new Map<string, string>();
  readonly #told = new Set<string>();
  readonly #notCompared = new Set<string>();
  readonly #servers: Servers;
  #story = '';
  sip = '';
  ready: Record<string, unknown> = {};

  private constructor(data: string, documents: string, child: ChildProcess, terminal: () => string, servers: Servers) {
    this.#servers = servers;
    this.data = data;
    this.documents = documents;
    this.child = child;
    this.terminal = terminal;
  }

  static async start(t: Teardown, options: HouseOptions = {}): Promise<House> {
    const documents = scratch(t, 'documents');
    for (const kind of ['dialplans', 'oncall']) {
      cpSync(join(ROOT, kind), join(documents, kind), { recursive: true });
      for (const file of readdirSync(join(documents, kind))) {
        if (!file.endsWith('.yaml') || !options.edit) continue;
        const path = join(documents, kind, file);
        writeFileSync(path, options.edit(readFileSync(path, 'utf8'), path));
      }
    }
    const data = options.data ?? join(scratch(t, 'data'), 'data');
    const has = (key: string): boolean => options.set?.[key] !== undefined;
    const signalling = has('signalling.servers') ? null : await signallingServer(t, undefined, options.on?.signalling);
    if (signalling instanceof DrachtioServer) signalling.keep();
    const media = has('media.servers') ? null : await mediaServer(t, documents, options.on?.media);
    if (media instanceof FreeSwitch) media.keep();
    const set = {
      'sip.listen': '["udp/127.0.0.1:0","tcp/127.0.0.1:0"]',
      'sip.advertise': '127.0.0.1',
      'signalling.port': '0',
      'media.port': '0',
      'media.sip': '127.0.0.1:0',
      'media.advertise': '127.0.0.1',
      'media.listenPort': '0',
      'admin.listen': '127.0.0.1:0',
      // Other suites may have both cores: that is no reason to refuse calls.
      'sip.limits.shedWhenLateMs': '2000',
      dialplans: join(documents, 'dialplans'),
      oncall: join(documents, 'oncall'),
      ...(options.carrier
        ? {
            'trunks.carrier.target': `sip:127.0.0.1:${options.carrier};transport=udp`,
            'trunks.carrier.allowFrom': `["127.0.0.1:${options.carrier}"]`,
          }
        : {}),
      ...(signalling ? { 'signalling.servers': JSON.stringify([signalling.told]) } : {}),
      ...(media ? { 'media.servers': JSON.stringify([media.told]) } : {}),
      ...options.set,
    };
    const args = ['up', '--data', data, ...Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`])];
    const child = startChild(process.execPath, [MAIN, ...args], { cwd: ROOT });
    const log = join(documents, 'terminal');
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => existsSync(documents) && appendFileSync(log, bytes));
    const house = new House(data, documents, child, () => (existsSync(log) ? readFileSync(log, 'utf8') : ''), {
      signalling,
      media,
    });
    house.#story = 'fullname' in t && typeof t.fullname === 'string' ? t.fullname : '';
    t.teardown(() => house.close());
    // Whatever stops the test file from here on must not leave a house behind.
    await house.#waitReady().catch(async (error: Error) => {
      await house.close();
      throw error;
    });
    await Promise.all((options.phones ?? []).map((extension) => house.addPhone(extension)));
    return house;
  }

  async #waitReady(): Promise<void> {
    const path = join(this.data, 'run/ready.json');
    await until('the house to be ready', () => {
      if (this.child.exitCode !== null)
        throw new Error(`wardline up ended with ${this.child.exitCode}:\n${this.terminal()}`);
      if (!existsSync(path)) return false;
      this.ready = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
      return this.ready['ready'] === true && this.ready['pid'] === this.child.pid;
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.terminal()}`);
    });
    this.sip = this.#listensTo('udp');
  }

  get sipTcp(): string {
    return this.#listensTo('tcp');
  }

  /** On loopback, where the phones are. */
  #listensTo(protocol: 'udp' | 'tcp'): string {
    const at = (this.ready['sip'] as string[]).find((text) => text.startsWith(`${protocol}/127.0.0.1:`));
    if (at === undefined) throw new Error(`nobody takes ${protocol} on 127.0.0.1: ${String(this.ready['sip'])}`);
    return at.slice(protocol.length + 1);
  }

  get admin(): string {
    return String(this.ready['admin']);
  }

  /** Runs a `wardline` command on this house's data, in a process of its own as a person does. */
  cli(...args: string[]): Promise<CliResult> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [MAIN, ...args, '--data', this.data],
        { cwd: ROOT, timeout: PATIENCE_MS },
        (error, out, err) => {
          const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
          resolve({ code, out, err });
        },
      );
    });
  }

  /** The same command for programs, in a process that stays. */
  async json<T>(...args: string[]): Promise<T> {
    const { out, err, code } = await warmCli([...args, '--json', '--data', this.data]);
    if (code !== 0) throw new Error(`wardline ${args.join(' ')} -> ${code}: ${err}${out}`);
    return JSON.parse(out) as T;
  }

  async addPhone(extension: string): Promise<string> {
    const { password } = await this.json<{ password: string }>('phone', 'add', extension);
    this.#passwords.set(extension, password);
    return password;
  }

  password(extension: string): string {
    const password = this.#passwords.get(extension);
    if (!password) throw new Error(`no phone was added for ${extension}`);
    return password;
  }

  /** A desk phone that is registered, ready to ring. */
  async desk(t: Teardown, extension: string, toneHz: number, more: Partial<Account> = {}): Promise<Baresip> {
    const phone = await Baresip.start(
      t,
      [
        {
          user: extension,
          password: this.password(extension),
          server: more.transport === 'tcp' ? this.sipTcp : this.sip,
          register: true,
          ...more,
        },
      ],
      toneHz,
    );
    await phone.registered();
    return phone;
  }

  /** Every process of this house. */
  pids(): number[] {
    return [...new Set([...processTree(this.child.pid ?? 0), ...this.daemonPids()])];
  }

  /** Real servers in the places of our daemons. */
  serverPids(): number[] {
    const { signalling, media } = this.#servers;
    return [signalling, media].flatMap((server) => (server !== null && 'pid' in server ? [server.pid] : []));
  }

  /** What the supervisor says now; a server that is not one of its daemons stands in the place of ours. */
  readyNow(): Record<string, unknown> & { pids: Record<string, number> } {
    const ready = JSON.parse(readFileSync(join(this.data, 'run/ready.json'), 'utf8')) as ReturnType<House['readyNow']>;
    const { signalling, media } = this.#servers;
    if (signalling instanceof DrachtioServer) ready.pids['sipd'] = signalling.pid;
    if (media instanceof FreeSwitch) ready.pids['mediad'] = media.pid;
    return ready;
  }

  /** Whether calls are signalled by somebody else's server. */
  get hasRealSignalling(): boolean {
    return this.#servers.signalling instanceof DrachtioServer;
  }

  /** The daemons are not our children: they outlive the supervisor on purpose. */
  daemonPids(): number[] {
    return (this.ready['daemonPids'] as number[] | undefined) ?? [];
  }

  /** Sealed bytes of all messages and greetings behind their headers. */
  sealedBytes(): number {
    const folder = join(this.data, 'voicemail');
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + Math.max(0, size - HEADER_BYTES), 0);
  }

  /** By what is on the disk, not by the clock: a recorder may begin some seconds after it was asked to. */
  async recorded(seconds: number, before = 0): Promise<void> {
    // FreeSWITCH records 16 bits a sample.
    const bytesPerSecond = freeswitch === undefined ? 8_000 : 16_000;
    await until(`${seconds} s of message on the disk`, () => this.sealedBytes() - before > seconds * bytesPerSecond);
  }

  uri(number: string): string {
    return `sip:${number}@${this.sip}`;
  }

  /** The facts of the newest call, or of the one named. */
  async facts(callId?: string): Promise<CallFacts> {
    const id = callId ?? (await this.newestCall());
    const shown = await this.json<{ entries: { at: string; fact: Record<string, unknown> & { fact: string } }[] }>(
      'call',
      'show',
      id,
    );
    return new CallFacts(
      id,
      shown.entries.map((entry) => entry.fact),
    );
  }

  /** The facts of every call that the house has made by itself, the newest first. */
  async houseCalls(): Promise<CallFacts[]> {
    const { calls } = await this.json<{ calls: { callId: string; from: string }[] }>('call', 'list');
    return Promise.all(calls.filter(({ from }) => from === 'wardline').map(({ callId }) => this.facts(callId)));
  }

  /** A call that `endedCall` has told about is history: the one after it is waited for. Calls of the house are none. */
  newestCall(): Promise<string> {
    return until('a call that was not told about yet', async () => {
      const { calls } = await this.json<{ calls: { callId: string; from: string }[] }>('call', 'list');
      const newest = calls.find(({ from }) => from !== 'wardline')?.callId;
      return newest !== undefined && !this.#told.has(newest) && newest;
    });
  }

  /** Waits until the newest call has its ending and gives its facts; each call is told once. */
  async endedCall(): Promise<CallFacts> {
    const facts = await until('the ending of the newest call in the audit', async () => {
      const facts = await this.facts().catch(() => undefined);
      return facts?.has('ended') ? facts : undefined;
    });
    this.#told.add(facts.callId);
    return facts;
  }

  /** A call of a story that some servers leave out, in a house that others share: `npm run test:real` does not compare it. */
  notCompared({ callId }: CallFacts): void {
    this.#notCompared.add(callId);
  }

  #keepRecords(): Promise<void> {
    return keepRecords(this.#story, this, (callId) => !this.#notCompared.has(callId)).catch(() => {});
  }

  async close(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      if (this.ready['ready'] === true) await this.#keepRecords();
      this.child.kill('SIGINT');
      const hurry = setTimeout(() => this.child.kill('SIGINT'), 4000);
      const stop = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
      await ended(this.child);
      clearTimeout(hurry);
      clearTimeout(stop);
    }
    return this.child.exitCode;
  }
}

export class CallFacts {
  readonly callId: string;
  readonly all: readonly (Record<string, unknown> & { fact: string })[];

  constructor(callId: string, all: readonly (Record<string, unknown> & { fact: string })[]) {
    this.callId = callId;
    this.all = all;
  }

  of(fact: string): readonly Record<string, unknown>[] {
    return this.all.filter((entry) => entry.fact === fact);
  }

  has(fact: string): boolean {
    return this.of(fact).length > 0;
  }

  get ending(): unknown {
    return this.of('ended')[0]?.['cause'];
  }
}

const VOICES = join(ROOT, 'src/mediad/prompts/en');

/** Files of the prompts as they are shipped. */
export const PROMPTS = {
  wardline: (id: string) => join(VOICES, 'wardline/8000', `${id}.wav`),
  digit: (digit: string) => join(VOICES, 'asterisk-core-sounds/8000', `digit-${digit}.wav`),
};

const promptSounds = new Map<string, Sound>();

function promptSound(path: string): Sound {
  const sound = promptSounds.get(path) ?? readWav(path);
  promptSounds.set(path, sound);
  return sound;
}

/**
 * How much of a prompt file can be heard in the sound: 1 = sample for sample. A phone that had no time to play drops a
 * packet and is 20 ms ahead from there on; so one quarter of the words may be damaged.
 */
export function heardWithin(sound: Sound | undefined, path: string): number {
  if (sound === undefined) return 0;
  const prompt = promptSound(path);
  const { score } = find(prompt, sound);
  if (score < 0.25 || score > 0.8) return score;
  const length = Math.ceil(prompt.samples.length / 4);
  const quarters = [0, 1, 2, 3].map((i) => prompt.samples.subarray(i * length, (i + 1) * length));
  const [, second = 0] = quarters.map((samples) => find({ ...prompt, samples }, sound).score).sort((a, b) => a - b);
  return Math.max(score, second);
}

/** The digit that was spoken behind "to accept, press", recognised by its recording. */
export function digitHeard(sound: Sound): string | null {
  // By its last third: what a phone dropped before that does not matter. And looking only at what follows keeps this short:
  // it is asked again and again while the sound grows.
  const words = promptSound(PROMPTS.wardline('to-accept-press'));
  const end = { ...words, samples: words.samples.subarray(Math.floor((words.samples.length * 2) / 3)) };
  const { score, atSeconds } = find(end, sound);
  const from = Math.round(atSeconds * sound.rateHz) + end.samples.length - sound.rateHz / 10;
  const behind = { rateHz: sound.rateHz, samples: sound.samples.subarray(from, from + 1.6 * sound.rateHz) };
  if (score < 0.6 || behind.samples.length < 1.6 * sound.rateHz) return null;
  const scores = [...'12345678'].map((digit) => ({
    digit,
    score: find(promptSound(PROMPTS.digit(digit)), behind).score,
  }));
  scores.sort((a, b) => b.score - a.score);
  const [best, second] = scores;
  return best && second && best.score > 0.6 && best.score > second.score * 1.3 ? best.digit : null;
}
