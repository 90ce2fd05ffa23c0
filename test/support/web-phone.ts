import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { scratch, startChild, until } from './processes.ts';
import { writeTone } from './sound.ts';

interface Teardown {
  teardown(fn: () => unknown): void;
}

/** Of RTCPeerConnection.getStats(). */
export interface PeerState {
  readonly ice: { readonly nominated?: boolean; readonly state?: string };
  readonly dtls: { readonly dtlsState?: string; readonly srtpCipher?: string };
  readonly codec?: string;
  readonly packetsLost?: number;
  /** By RTCP of the other side. */
  readonly reported: { readonly roundTripTime?: number };
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  // Some machines have next to no shared memory.
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--remote-debugging-port=0',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  // The house is on 127.0.0.1, and its authority is that of a test.
  '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--ignore-certificate-errors',
];

/** Chromium with a softphone in its only page (web-phone-page.js); its microphone hears one tone. */
export class WebPhone {
  /** As the page told it, the newest last: "confirmed remote", "ended local Terminated" … */
  said: readonly string[] = [];
  readonly #page: WebSocket;
  readonly #answers = new Map<number, (answer: Answer) => void>();

  private constructor(page: WebSocket) {
    this.#page = page;
    page.on('message', (bytes: Buffer) => {
      const answer = JSON.parse(bytes.toString()) as Answer;
      this.#answers.get(answer.id ?? 0)?.(answer);
    });
  }

  static async start(t: Teardown, toneHz: number): Promise<WebPhone> {
    const dir = scratch(t, 'chromium');
    writeTone(join(dir, 'tone.wav'), toneHz, 10, 48_000);
    const own = [`--user-data-dir=${dir}`, `--use-file-for-fake-audio-capture=${join(dir, 'tone.wav')}`];
    const url = await pageServer(t);
    const child = startChild('chromium-headless-shell', [...flags, ...own, url], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    t.teardown(() => stopGroup(child));
    const page = new WebSocket(await pageOf(await debuggerOf(child)), []);
    await once(page, 'open');
    t.teardown(() => page.terminate());
    const phone = new WebPhone(page);
    await until('the page', () => phone.#run<boolean>('typeof phone === "object"'));
    return phone;
  }

  /** `server`: "127.0.0.1:5061", its port for WSS. */
  register(server: string, user: string, password: string): Promise<void> {
    return this.do('register', server, user, password);
  }

  do(what: 'register' | 'dial' | 'answer' | 'hold' | 'unhold' | 'hangUp', ...words: string[]): Promise<void> {
    return this.#run<void>(`phone.${what}(...${JSON.stringify(words)})`);
  }

  state(): Promise<PeerState> {
    return this.#run('phone.state()');
  }

  /** Waits until it says what begins like this, after what it was last waited for. */
  async says(what: string): Promise<void> {
    await until(
      () => `the browser to say ${what}; it said ${this.said.join(', ')}`,
      async () => (this.said = await this.#run<string[]>('phone.said')).some((one) => one.startsWith(what)),
    );
    await this.#run(`void phone.said.splice(0, 1 + ${this.said.findIndex((one) => one.startsWith(what))})`);
  }

  /** As RFC 4733 event; a browser takes none before it is connected. */
  async press(key: string): Promise<void> {
    await until('keys to be taken', () => this.#run<boolean>('phone.takesKeys()'));
    await this.#run(`phone.press(${JSON.stringify(key)})`);
  }

  hears(toneHz: number): Promise<unknown> {
    return until(`the browser to hear ${toneHz} Hz`, async () => Math.abs((await this.loudestHz()) - toneHz) < 30);
  }

  /** 0: nothing. */
  loudestHz(): Promise<number> {
    return this.#run('phone.loudestHz()');
  }

  async #run<T>(expression: string): Promise<T> {
    const id = this.#answers.size + 1;
    const params = { expression, awaitPromise: true, returnByValue: true };
    const answered = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    this.#page.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
    const { result, error } = await answered;
    const thrown = error?.message ?? result?.exceptionDetails?.exception?.description;
    if (thrown !== undefined) throw new Error(`${expression}: ${thrown}`);
    return result?.result?.value as T;
  }
}

/** Of Chromium's DevTools protocol, Runtime.evaluate. */
interface Answer {
  readonly id?: number;
  readonly error?: { readonly message: string };
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
  };
}

/** Only a page that came from somewhere may use a microphone. */
async function pageServer(t: Teardown): Promise<string> {
  const page = readFileSync(new URL('./web-phone-page.js', import.meta.url), 'utf8');
  const html = `<!doctype html><meta charset="utf-8"><script>${inOneScript(fileURLToPath(import.meta.resolve('jssip')), 'JsSIP')}</script><script>${page}</script>`;
  const server = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(html));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${address === null || typeof address === 'string' ? 0 : address.port}/`;
}

/** Debian starts it by a shell, and it starts others: they end together, and all of them have ended when our pipe has. */
async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const closed = once(child, 'close');
  if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
  await closed;
}

/** Where its DevTools listen. */
async function debuggerOf(child: ChildProcess): Promise<string> {
  const lines: string[] = [];
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
  failed.catch(() => {});
  createInterface({ input: child.stderr! }).on('line', (line) => lines.push(line));
  const looking = until(
    () => `Chromium to start: ${lines.join('\n')}`,
    () => lines.flatMap((line) => /DevTools listening on ws:\/\/([^/]+)/.exec(line)?.[1] ?? [])[0],
  );
  return Promise.race([looking, failed]);
}

function pageOf(host: string): Promise<string> {
  return until('a page', async () => {
    const targets = (await (await fetch(`http://${host}/json/list`)).json()) as Record<string, string>[];
    return targets.find(({ type }) => type === 'page')?.['webSocketDebuggerUrl'];
  });
}

/** What a page has in place of Node's own. */
const forPages: Readonly<Record<string, string>> = { events: 'events/', debug: 'debug/src/browser.js' };

/** A package of CommonJS modules as a script that makes one global of it; `main`: the file it begins with. */
function inOneScript(main: string, global: string): string {
  const modules = new Map<string, string>();
  const add = (file: string): string => {
    if (modules.has(file)) return file;
    modules.set(file, '');
    const text = readFileSync(file, 'utf8').replaceAll('</script', '<\\/script');
    const { resolve } = createRequire(file);
    const asked = [...text.matchAll(/require\(['"]([^'"]+)['"]\)/g)].map(([, word = '']) => word);
    const files = Object.fromEntries(asked.map((word) => [word, add(resolve(forPages[word] ?? word))]));
    const body = file.endsWith('.json') ? `module.exports = ${text}` : text;
    modules.set(file, `[${JSON.stringify(files)}, (module, exports, require) => {${body}\n}]`);
    return file;
  };
  add(main);
  const all = [...modules].map(([file, code]) => `${JSON.stringify(file)}: ${code}`).join(',\n');
  return `globalThis.${global} = ((all) => {
    const made = {};
    const load = (file) => {
      if (made[file]) return made[file].exports;
      const [files, run] = all[file];
      const module = (made[file] = { exports: {} });
      run(module, module.exports, (name) => load(files[name]));
      return module.exports;
    };
    return load(${JSON.stringify(main)});
  })({${all}});`;
}
