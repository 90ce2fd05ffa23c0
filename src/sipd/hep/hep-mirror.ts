import {
  type Clock,
  type HostPort,
  type Network,
  parseMessage,
  type UdpSocket,
  type Vantage,
} from '../../sip/index.ts';
import { maskedText } from '../ladder/masked.ts';
import { hep3 } from './hep3.ts';
import { placeOf, type SipdHep } from './options.ts';

/** Peers whose view of us is remembered: to find it out costs more than to send a copy. */
const maxRemembered = 1_000;

/** Sends a copy of each message to Homer and never waits for it: a copy that is lost is lost. */
export class HepMirror {
  readonly #socket: UdpSocket;
  readonly #to: HostPort;
  readonly #options: SipdHep;
  readonly #clock: Clock;
  readonly #ours = new Map<string, HostPort>();

  private constructor(socket: UdpSocket, to: HostPort, options: SipdHep, clock: Clock) {
    this.#socket = socket;
    this.#to = to;
    this.#options = options;
    this.#clock = clock;
  }

  /** Undefined if no copies are wanted. */
  static async open(options: SipdHep, network: Network, clock: Clock): Promise<HepMirror | undefined> {
    const to = placeOf(options.to);
    if (to === undefined) return undefined;
    const any = { host: to.host.includes(':') ? '::' : '0.0.0.0', port: 0 };
    return new HepMirror(await network.bindUdp(any, () => {}), to, options, clock);
  }

  /** As a `WireTap`. */
  see(isSent: boolean, bytes: Buffer, flow: Vantage): void {
    const payload = this.#options.inClear ? bytes : masked(bytes);
    // What is no SIP cannot be masked.
    if (payload === undefined) return;
    const { protocol, remote } = flow;
    const local = this.#localOf(flow);
    const [from, to] = isSent ? [local, remote] : [remote, local];
    const packet = hep3({ atMs: this.#clock.now(), protocol, from, to, payload }, this.#options.node);
    if (packet !== undefined) this.#socket.send(packet, this.#to);
  }

  close(): void {
    this.#socket.close();
  }

  /** Peers of one host see the same address of ours, at any of our ports. */
  #localOf(flow: Vantage): HostPort {
    const key = `${flow.protocol} ${flow.remote.host}`;
    const local = this.#ours.get(key) ?? flow.local;
    if (this.#ours.size >= maxRemembered) this.#ours.clear();
    this.#ours.set(key, local);
    return { host: local.host, port: flow.wirePort ?? local.port };
  }
}

function masked(bytes: Buffer): Buffer | undefined {
  const parsed = parseMessage(bytes);
  if (parsed.kind === 'drop') return undefined;
  return Buffer.from(maskedText(parsed.kind === 'message' ? parsed.message : parsed.request));
}
