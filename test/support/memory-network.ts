import type { HostPort, Network } from '../../src/sip/index.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface Packet {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  /** `INVITE`, `ACK`, `200 INVITE`, … */
  readonly what: string;
  readonly text: string;
}

/** UDP in memory: a datagram arrives 1 ms after it was sent, unless `loses` says it is lost. */
export class MemoryNetwork implements Network {
  readonly packets: Packet[] = [];
  readonly names = new Map<string, string>();
  loses: (packet: Packet) => boolean = () => false;
  readonly #clock: VirtualClock;
  readonly #bound = new Map<number, (bytes: Buffer, from: HostPort) => void>();
  #nextPort = 20_000;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async bindUdp(at: HostPort, onDatagram: (bytes: Buffer, from: HostPort) => void) {
    const local = { host: at.host, port: at.port === 0 ? this.#nextPort++ : at.port };
    this.#bound.set(local.port, onDatagram);
    return {
      local,
      send: (bytes: Buffer, to: HostPort) => this.#carry(bytes, local, to),
      close: () => void this.#bound.delete(local.port),
    };
  }

  listenTcp(): never {
    throw new Error('this network has no TCP');
  }

  connectTcp(): never {
    throw new Error('this network has no TCP');
  }

  async resolve(host: string): Promise<string> {
    const address = this.names.get(host);
    if (address !== undefined) return address;
    throw new Error(`no such host: ${host}`);
  }

  /** What was sent from `port`, as `[milliseconds, what]`. */
  sentFrom(port: number, what?: string): [number, string][] {
    return this.packets
      .filter((packet) => packet.from === port && (what === undefined || packet.what === what))
      .map((packet) => [packet.atMs, packet.what]);
  }

  #carry(bytes: Buffer, from: HostPort, to: HostPort): void {
    const text = bytes.toString();
    const packet: Packet = { atMs: this.#clock.now(), from: from.port, to: to.port, what: nameOf(text), text };
    this.packets.push(packet);
    if (this.loses(packet)) return;
    this.#clock.after(1, () => this.#bound.get(to.port)?.(bytes, from));
  }
}

function nameOf(text: string): string {
  const [first = ''] = text.split(' ', 1);
  if (first !== 'SIP/2.0') return first;
  const method = /^CSeq: \d+ (\S+)/m.exec(text)?.[1] ?? '';
  return `${text.slice(8, 11)} ${method}`;
}
