import type { HostPort, NameLookup, NaptrRecord, Network, SrvRecord } from '../../src/sip/index.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface Packet {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  /** `INVITE`, `ACK`, `200 INVITE`, … */
  readonly what: string;
  readonly text: string;
}

/** UDP in memory: a datagram arrives 1 ms after it was sent, unless `loses` says it is lost or `copies` says more. */
export class MemoryNetwork implements Network {
  readonly packets: Packet[] = [];
  /** What the DNS of this network says: addresses, and records of servers. */
  readonly hosts = new Map<string, readonly string[]>();
  readonly srv = new Map<string, readonly SrvRecord[]>();
  readonly naptr = new Map<string, readonly NaptrRecord[]>();
  /** Every question, as `SRV _sip._udp.carrier.example`. */
  readonly asked: string[] = [];
  /** The DNS server does not answer. */
  isDnsSilent = false;
  readonly names: NameLookup = {
    addresses: (host) => this.#answer('A', this.hosts, host),
    srv: (name) => this.#answer('SRV', this.srv, name),
    naptr: (domain) => this.#answer('NAPTR', this.naptr, domain),
  };
  loses: (packet: Packet) => boolean = () => false;
  /** After how many milliseconds each copy of a datagram arrives; none of them: it is lost. */
  copies: (packet: Packet) => readonly number[] = () => [1];
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

  longestDatagramTo(): number {
    return 65_507;
  }

  listenTcp(): never {
    throw new Error('this network has no TCP');
  }

  connectTcp(): never {
    throw new Error('this network has no TCP');
  }

  async #answer<T>(type: string, records: ReadonlyMap<string, readonly T[]>, name: string): Promise<readonly T[]> {
    this.asked.push(`${type} ${name}`);
    if (this.isDnsSilent) return new Promise(() => {});
    const found = records.get(name);
    if (found !== undefined) return found;
    throw Object.assign(new Error(`no such name: ${name}`), { code: 'ENOTFOUND' });
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
    for (const afterMs of this.copies(packet))
      this.#clock.after(afterMs, () => this.#bound.get(to.port)?.(bytes, from));
  }
}

function nameOf(text: string): string {
  const [first = ''] = text.split(' ', 1);
  if (first !== 'SIP/2.0') return first;
  const method = /^CSeq: \d+ (\S+)/m.exec(text)?.[1] ?? '';
  return `${text.slice(8, 11)} ${method}`;
}
