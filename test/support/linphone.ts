import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch, startChild, stopChild, until } from './processes.ts';

/** A second maker's phone, of Debian's package linphone-cli: belle-sip knows SHA-256 digests (RFC 8760), baresip 1.0 does not. */
export class Linphone {
  readonly #child: ChildProcess;
  readonly #log: string;
  #screen = '';

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
    child.stdout?.on('data', (bytes: Buffer) => {
      this.#screen += bytes.toString();
    });
  }

  static start(t: { teardown(fn: () => unknown): void }): Linphone {
    const home = scratch(t, 'linphone');
    const share = join(home, '.local/share');
    const config = join(home, '.config');
    for (const folder of [share, config]) mkdirSync(join(folder, 'linphone'), { recursive: true });
    // -1 is any free port.
    writeFileSync(
      join(home, 'linphonerc'),
      '[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\n[video]\nenabled=0\n',
    );
    const log = join(home, 'log');
    const child = startChild('linphonec', ['-c', join(home, 'linphonerc'), '-d', '6', '-l', log], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: '/usr/bin:/bin', HOME: home, XDG_DATA_HOME: share, XDG_CONFIG_HOME: config },
    });
    t.teardown(() => stopChild(child));
    return new Linphone(child, log);
  }

  async register(user: string, server: string, transport: 'udp' | 'tcp', password: string): Promise<void> {
    await until('linphonec to ask for a command', () => this.#screen.includes('linphonec>'));
    this.#type(`register sip:${user}@${server} <sip:${server};transport=${transport}> ${password}`);
    await until('linphonec to be registered', () => {
      this.#screen = '';
      this.#type('status register');
      return this.#said('registered, identity=');
    });
  }

  async unregister(): Promise<void> {
    this.#type('unregister');
    await until('linphonec to have un-registered', () => /^Expires: 0\r?$/m.test(this.trace()));
  }

  /** Its own log, with every SIP message as it was sent and received. */
  trace(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : '';
  }

  async #said(text: string): Promise<boolean> {
    return until('linphonec to answer', () => /registered|no proxy/i.test(this.#screen)).then(() =>
      this.#screen.includes(text),
    );
  }

  #type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }
}
