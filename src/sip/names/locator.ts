import type { Clock } from '../clock.ts';
import { isAddress } from '../message/uri.ts';
import type { Random } from '../random.ts';
import { defaultPort, type HostPort, type Protocol } from '../transport/flow.ts';
import type { NameLookup, NaptrRecord, SrvRecord } from './name-lookup.ts';
import { RecordCache } from './record-cache.ts';

/** A host name out of a URI, with what else the URI said. */
export interface Wanted {
  readonly host: string;
  readonly port: number | undefined;
  /** Undefined: whatever the name's owner prefers. */
  readonly protocol: Protocol | undefined;
  /** A sips: URI: nothing but TLS. */
  readonly isSecure: boolean;
}

/** An address to try. */
export interface Located extends HostPort {
  readonly protocol: Protocol;
}

/** No call waits longer for the DNS. */
const withinMs = 500;

const serviceOf: Readonly<Record<Protocol, string>> = {
  udp: '_sip._udp',
  tcp: '_sip._tcp',
  tls: '_sips._tcp',
  ws: '_sip._ws',
  wss: '_sips._ws',
};

const protocolOf: Readonly<Record<string, Protocol>> = { 'SIP+D2U': 'udp', 'SIP+D2T': 'tcp', 'SIPS+D2T': 'tls' };

/** Finds servers by name, RFC 3263. All questions are asked at once, and answers are kept. */
export class Locator {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #addresses: RecordCache<string>;
  readonly #srv: RecordCache<SrvRecord>;
  readonly #naptr: RecordCache<NaptrRecord>;

  constructor(parts: { clock: Clock; random: Random; names: NameLookup }) {
    const { clock, random, names } = parts;
    this.#clock = clock;
    this.#random = random;
    this.#addresses = new RecordCache(
      clock,
      (host) => names.addresses(host),
      async (host) => names.addressTtlMs?.(host),
    );
    this.#srv = new RecordCache(clock, (name) => names.srv(name));
    this.#naptr = new RecordCache(clock, (domain) => names.naptr(domain));
  }

  /** `bound`: the protocols we can speak, the preferred one first. In the order they are to be tried; empty if none. */
  async locate(wanted: Wanted, bound: readonly Protocol[]): Promise<readonly Located[]> {
    const { host, port, protocol, isSecure } = wanted;
    const untilMs = this.#clock.now() + withinMs;
    const usual = protocol ?? (isSecure ? 'tls' : bound.includes('udp') ? 'udp' : bound[0]);
    if (usual === undefined) return [];
    // RFC 3263 4.2: a port in the URI means that host and no other.
    if (port !== undefined) return this.#at({ protocol: usual, host, port }, untilMs);
    const speaks = isSecure ? bound.filter((one) => one === 'tls') : bound;
    const candidates = protocol === undefined ? speaks : [protocol];
    const plain = this.#at({ protocol: usual, host, port: defaultPort(usual) }, untilMs);
    const [services, ...servers] = await Promise.all([
      protocol === undefined ? this.#inTime(this.#naptr, host, untilMs) : [],
      ...candidates.map((one) => this.#inTime(this.#srv, `${serviceOf[one]}.${host}`, untilMs)),
    ]);
    const named = await this.#byNaptr(services, speaks, untilMs);
    if (named.length > 0) return named;
    for (const [i, records] of servers.entries()) {
      const found = await this.#bySrv(candidates[i] as Protocol, records, untilMs);
      if (found.length > 0) return found;
    }
    return plain;
  }

  async #byNaptr(
    services: readonly NaptrRecord[],
    speaks: readonly Protocol[],
    untilMs: number,
  ): Promise<readonly Located[]> {
    const sorted = services.toSorted((a, b) => a.order - b.order || a.preference - b.preference);
    const found = await Promise.all(
      sorted.map(async ({ service, flags, replacement }) => {
        const protocol = protocolOf[service.toUpperCase()];
        if (protocol === undefined || !speaks.includes(protocol) || flags.toLowerCase() !== 's') return [];
        return this.#bySrv(protocol, await this.#inTime(this.#srv, replacement, untilMs), untilMs);
      }),
    );
    return found.flat();
  }

  async #bySrv(protocol: Protocol, records: readonly SrvRecord[], untilMs: number): Promise<readonly Located[]> {
    // RFC 2782: a target of "." says that the service is not offered.
    const offered = records.filter(({ name }) => name !== '' && name !== '.');
    const found = await Promise.all(
      this.#inTurn(offered).map(({ name, port }) => this.#at({ protocol, host: name, port }, untilMs)),
    );
    return found.flat();
  }

  async #at(place: Located, untilMs: number): Promise<readonly Located[]> {
    if (isAddress(place.host)) return [place];
    const addresses = await this.#inTime(this.#addresses, place.host, untilMs);
    return addresses.map((host) => ({ ...place, host }));
  }

  /** RFC 2782: by priority, and by chance according to weight within one. */
  #inTurn(records: readonly SrvRecord[]): readonly SrvRecord[] {
    const left = records.toSorted((a, b) => a.priority - b.priority);
    const ordered: SrvRecord[] = [];
    while (left.length > 0) {
      const same = left.filter(({ priority }) => priority === left[0]?.priority);
      let draw = this.#random.below(same.reduce((sum, { weight }) => sum + weight + 1, 0));
      const next = same.find(({ weight }) => (draw -= weight + 1) < 0) as SrvRecord;
      ordered.push(next);
      left.splice(left.indexOf(next), 1);
    }
    return ordered;
  }

  /** What is known when the time is up, however old. */
  #inTime<T>(cache: RecordCache<T>, name: string, untilMs: number): Promise<readonly T[]> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(Math.max(0, untilMs - this.#clock.now()), () => resolve(cache.known(name) ?? []));
      void cache.get(name).then((records) => {
        timer.stop();
        resolve(records);
      });
    });
  }
}
