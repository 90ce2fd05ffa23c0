import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import Srf from 'drachtio-srf';
import { silentLogger } from '../../src/sip/index.ts';
import { SipdServer, type SipdOptionsInput, sipdOptionsSchema } from '../../src/sipd/index.ts';
import { until } from './processes.ts';

export const secret = 'a secret of the test';

/** A sipd in this process on free loopback ports, with time running 20 times faster. */
export async function openSipd(
  timers: SipdOptionsInput['timers'] = {},
  limits: SipdOptionsInput['limits'] = {},
): Promise<SipdServer> {
  const options = sipdOptionsSchema.parse({
    sip: [
      { protocol: 'udp', host: '127.0.0.1', port: 0 },
      { protocol: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    control: { port: 0 },
    secret,
    timers: { t1Ms: 25, t2Ms: 200, t4Ms: 250, ...timers },
    limits,
  });
  return SipdServer.open(options, silentLogger);
}

export function sipUri(sipd: SipdServer, user: string, protocol: 'udp' | 'tcp' = 'udp'): string {
  const address = sipd.addresses.sip.find((text) => text.startsWith(protocol)) ?? '';
  return `sip:${user}@${address.slice(4)}${protocol === 'tcp' ? ';transport=tcp' : ''}`;
}

/** A real drachtio-srf client, connected. `verbs` registers its handlers before it connects. */
export async function openApp(sipd: SipdServer, tag: string | undefined, verbs: (srf: Srf) => void): Promise<Srf> {
  const srf = tag === undefined ? new Srf() : new Srf(tag);
  verbs(srf);
  const connected = once(srf, 'connect');
  void srf.connect({ ...sipd.addresses.control, secret });
  const [error] = (await connected) as [Error | null];
  if (error !== null) throw error;
  // The routes are on their way when `connect` is emitted.
  await until('the app', () => sipd.metrics.apps !== undefined && sipd.metrics.apps > 0);
  return srf;
}

/** The control port without a client library: what is sent and received as text. */
export class RawApp {
  readonly received: string[] = [];
  isClosed = false;
  #held = Buffer.alloc(0);
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#data(chunk));
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async open(sipd: SipdServer): Promise<RawApp> {
    const socket = connect(sipd.addresses.control);
    await once(socket, 'connect');
    return new RawApp(socket);
  }

  send(payload: string): void {
    this.#socket.write(`${Buffer.byteLength(payload)}#${payload}`);
  }

  write(bytes: string): void {
    this.#socket.write(bytes);
  }

  /** The reply to message `id`, without its own id. */
  reply(id: string): Promise<string> {
    return until(`a reply to ${id}`, () => {
      const found = this.received.find((payload) => payload.split('|')[2] === id);
      return found?.slice(found.indexOf('|') + 1);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #data(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    for (;;) {
      const hash = this.#held.indexOf('#');
      if (hash < 0) return;
      const end = hash + 1 + Number(this.#held.toString('latin1', 0, hash));
      if (this.#held.length < end) return;
      this.received.push(this.#held.toString('utf8', hash + 1, end));
      this.#held = this.#held.subarray(end);
    }
  }
}
