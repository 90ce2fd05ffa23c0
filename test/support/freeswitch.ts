import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeSite } from '../../src/cli/freeswitch-site.ts';
import { probeMediaServer } from '../../src/telephony/client-libraries/index.ts';
import { freeSipPort, freeTcpPort, startChild, until } from './processes.ts';
import { realServer, RunningServer, type Told } from './real-server.ts';
import { ROOT } from './root.ts';

interface Teardown {
  teardown(fn: () => unknown): void;
}

/** When the stories are to run on it (`npm run test:real`); undefined: on our own mediad. */
export const freeswitch = realServer('STORIES_ON_FREESWITCH');

/** The one to run on, as `media.servers` wants it told; null: our own. `folder`: for its logs and databases. */
export async function mediaServer(t: Teardown, folder: string): Promise<FreeSwitch | RunningServer | null> {
  if (freeswitch === undefined) return null;
  if (freeswitch.kind === 'program') return FreeSwitch.start(t, freeswitch.path, folder);
  const { host, port, secret } = freeswitch;
  return new RunningServer({ name: 'freeswitch', host, port, secret, plain: plainFolder(t), listenPort: 0 });
}

/** In memory, for what is recorded in the clear. */
function plainFolder(t: Teardown): string {
  const folder = mkdtempSync('/dev/shm/wardline-plain-');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Each takes a range of its own, below the ports that the system gives out by itself. */
let nextRtpPort = 10_000 + (process.pid % 100) * 200;

/** A FreeSWITCH of its own on loopback, with the configuration that is shipped. It ends with the test. */
export class FreeSwitch {
  readonly ready: { readonly eventSocket: { readonly host: string; readonly port: number } };
  readonly secret: string;
  /** Where it records in the clear: in memory. */
  readonly plain: string;
  readonly #program: string;
  readonly #place: ReturnType<typeof writeSite>;
  readonly #log: string[] = [];
  #child: ChildProcess | null = null;
  #isKept = false;

  private constructor(program: string, port: number, place: ReturnType<typeof writeSite>, plain: string) {
    this.#program = program;
    this.#place = place;
    this.plain = plain;
    this.ready = { eventSocket: { host: '127.0.0.1', port } };
    this.secret = readFileSync(place.secretFile, 'utf8').trim();
  }

  /** `folder`: for its logs and databases. */
  static async start(t: Teardown, program: string, folder: string): Promise<FreeSwitch> {
    const [port, sip] = [await freeTcpPort(), await freeSipPort()];
    const first = nextRtpPort;
    nextRtpPort += 100;
    const place = writeSite(join(folder, 'freeswitch'), {
      eventSocket: `127.0.0.1:${port}`,
      sip: `127.0.0.1:${sip}`,
      rtp: '127.0.0.1',
      rtpPorts: `${first}-${first + 98}`,
      app: '127.0.0.1',
      music: join(ROOT, 'src/mediad/prompts/music/8000'),
    });
    const server = new FreeSwitch(program, port, place, plainFolder(t));
    t.teardown(() => server.kill());
    await server.restart();
    return server;
  }

  /** An entry of `media.servers`. */
  get told(): Told {
    const { eventSocket } = this.ready;
    return { name: 'freeswitch', ...eventSocket, secret: this.secret, plain: this.plain, listenPort: 0 };
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What it has written since it was made. */
  get log(): string {
    return this.#log.join('');
  }

  /** Started again when it dies, as a service manager does, until it is killed from here. */
  keep(): void {
    this.#isKept = true;
  }

  /** Stops answering, and holds its connections open. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** Without a goodbye to anybody. */
  async kill(): Promise<void> {
    this.#isKept = false;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Starts it, again on the same ports. */
  async restart(): Promise<void> {
    const { place, file } = this.#place;
    const folders = ['log', 'db', 'run'].flatMap((name) => [`-${name}`, join(place, name)]);
    const child = startChild(
      this.#program,
      ['-conf', join(ROOT, 'freeswitch-conf'), ...folders, '-nonat', '-nf', '-nc'],
      {
        cwd: place,
        env: { PATH: process.env['PATH'], WARDLINE_FREESWITCH_SITE: file },
      },
    );
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => this.#log.push(bytes.toString()));
    child.once('exit', () => {
      if (this.#isKept) this.restart().catch(() => {});
    });
    await until(
      'FreeSWITCH to be up',
      async () => {
        if (child.exitCode !== null) throw new Error(`FreeSWITCH ended with ${child.exitCode}:\n${this.log}`);
        const to = { ...this.ready.eventSocket, secret: this.secret, profile: 'drachtio_mrf' };
        return probeMediaServer(to, 1000).then(
          () => true,
          () => false,
        );
      },
      40_000,
    );
  }
}
