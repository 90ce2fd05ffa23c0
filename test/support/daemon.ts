import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

interface Teardown {
  teardown(run: () => unknown): void;
}

/** sipd names several addresses, mediad one: "udp/127.0.0.1:5060". 0 before it has said so. */
export function portOf(addresses: string | readonly string[] | undefined, protocol: string): number {
  const one = [addresses ?? []].flat().find((address) => address.startsWith(protocol));
  return Number(one?.split(':').at(-1) ?? 0);
}

export interface Ready {
  readonly control?: { readonly host: string; readonly port: number };
  readonly eventSocket?: { readonly host: string; readonly port: number };
  readonly sip?: readonly string[] | string;
}

/** One of our daemons as a process of its own; started again it has the same ports. */
export class Daemon {
  readonly ready: Ready;
  readonly #again: () => Promise<ChildProcess>;
  #child: ChildProcess;

  private constructor(ready: Ready, child: ChildProcess, again: () => Promise<ChildProcess>) {
    this.ready = ready;
    this.#child = child;
    this.#again = again;
  }

  /** `options` is asked twice: without ports, and then with those that were given. */
  static async start(
    t: Teardown,
    name: string,
    dir: string,
    options: (ready: Ready | null) => object,
  ): Promise<Daemon> {
    const first = await launch(name, dir, options(null));
    const again = async () => (await launch(name, dir, options(first.ready))).child;
    const daemon = new Daemon(first.ready, first.child, again);
    t.teardown(() => daemon.#end('SIGTERM'));
    return daemon;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Stops answering, and holds its connections open. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    this.#child = await this.#again();
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    await once(this.#child, 'exit');
  }
}

async function launch(name: string, dir: string, options: object): Promise<{ ready: Ready; child: ChildProcess }> {
  const file = path.join(dir, `${name}.json`);
  writeFileSync(file, JSON.stringify(options), { mode: 0o600 });
  const main = new URL(`../../src/${name}/main.ts`, import.meta.url).pathname;
  const child = spawn(process.execPath, [main, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes) => {
    said += String(bytes);
  });
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => String(text)),
    once(child, 'exit').then(() => Promise.reject(new Error(`${name} ended: ${said}`))),
  ]);
  return { ready: JSON.parse(line) as Ready, child };
}
