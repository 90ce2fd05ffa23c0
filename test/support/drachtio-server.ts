import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { ROOT } from './root.ts';
import { freeSipPort, freeTcpPort, startChild } from './processes.ts';
import { type RealServer, realServer, RunningServer, type Told } from './real-server.ts';

interface Teardown {
  teardown(fn: () => unknown): void;
}

/** When the stories are to run on it (`npm run test:real`); undefined: on our own sipd. */
export const drachtioServer = realServer('STORIES_ON_DRACHTIO_SERVER');

/** The one to run on, as `signalling.servers` wants it told; null: our own. */
export async function signallingServer(
  t: Teardown,
  secret?: string,
  server: RealServer | null = drachtioServer ?? null,
): Promise<DrachtioServer | RunningServer | null> {
  if (server === null) return null;
  if (server.kind === 'program') return DrachtioServer.start(t, server.path, secret);
  const { host, port, secret: theirs } = server;
  return new RunningServer({ name: 'drachtio-server', host, port, secret: theirs });
}

/** A drachtio-server of its own on loopback, with the configuration that is shipped. It ends with the test. */
export class DrachtioServer {
  /** `sip`: "udp/127.0.0.1:5060", and the same for TCP. */
  readonly ready: {
    readonly control: { readonly host: string; readonly port: number };
    readonly sip: readonly string[];
  };
  readonly secret: string;
  readonly #args: readonly string[];
  readonly #program: string;
  #child: ChildProcess | null = null;
  #said = '';
  #isKept = false;

  private constructor(
    program: string,
    { controlPort, sipPort }: { controlPort: number; sipPort: number },
    secret: string,
    more: readonly string[],
  ) {
    this.#program = program;
    this.ready = {
      control: { host: '127.0.0.1', port: controlPort },
      sip: ['udp', 'tcp'].map((protocol) => `${protocol}/127.0.0.1:${sipPort}`),
    };
    this.secret = secret;
    this.#args = [
      ...['-f', `${ROOT}/freeswitch-conf/drachtio-server/drachtio.conf.xml`, '-p', String(controlPort)],
      ...['-c', `sip:127.0.0.1:${sipPort};transport=udp,tcp`],
      ...more,
    ];
  }

  /** `more`: behind what it is always started with. */
  static async start(
    t: Teardown,
    program: string,
    secret = randomBytes(24).toString('hex'),
    more: readonly string[] = [],
  ): Promise<DrachtioServer> {
    const ports = { controlPort: await freeTcpPort(), sipPort: await freeSipPort() };
    const server = new DrachtioServer(program, ports, secret, more);
    t.teardown(() => server.kill());
    await server.restart();
    return server;
  }

  /** An entry of `signalling.servers`. */
  get told(): Told {
    return { name: 'drachtio-server', ...this.ready.control, secret: this.secret };
  }

  /** What it has written since it was made. */
  get log(): string {
    return this.#said;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Started again when it dies, as a service manager does, until it is killed from here. */
  keep(): void {
    this.#isKept = true;
  }

  /** Stops answering, and holds its connections open. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  /** It has no other way to end: SIGTERM says goodbye to nobody either. */
  async kill(): Promise<void> {
    this.#isKept = false;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Starts it, again on the same ports. */
  async restart(): Promise<void> {
    const child = startChild(this.#program, this.#args, {
      env: { PATH: process.env['PATH'], DRACHTIO_SECRET: this.secret },
    });
    this.#child = child;
    const before = this.#said.length;
    const ready = new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (bytes: Buffer) => {
          this.#said += bytes.toString();
          if (this.#said.slice(before).includes('Starting sofia event loop')) resolve();
        });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        reject(new Error(`drachtio-server ended with ${signal ?? code}:\n${this.#said}`));
        if (this.#isKept) this.restart().catch(() => {});
      });
    });
    await ready;
  }
}
