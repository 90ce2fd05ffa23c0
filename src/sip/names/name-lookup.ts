import { lookup, Resolver } from 'node:dns/promises';

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  /** `SIP+D2U` */
  readonly service: string;
  /** The name of the SRV records. */
  readonly replacement: string;
}

/** Questions to the DNS. Each rejects if there is no such record. */
export interface NameLookup {
  /** Addresses of both kinds, the preferred one first; names of /etc/hosts too. */
  addresses(host: string): Promise<readonly string[]>;
  /** How long the addresses may be kept, by the DNS; undefined if it does not know the host. */
  addressTtlMs?(host: string): Promise<number | undefined>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  naptr(domain: string): Promise<readonly NaptrRecord[]>;
}

const resolver = new Resolver({ timeout: 400, tries: 2 });

export const systemNames: NameLookup = {
  addresses: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  addressTtlMs,
  srv: (name) => resolver.resolveSrv(name),
  naptr: (domain) => resolver.resolveNaptr(domain),
};

// The system's own lookup knows /etc/hosts and tells no time to live; Node tells that of addresses and of nothing else.
async function addressTtlMs(host: string): Promise<number | undefined> {
  const asked = await Promise.allSettled([
    resolver.resolve4(host, { ttl: true }),
    resolver.resolve6(host, { ttl: true }),
  ]);
  const seconds = asked.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.map(({ ttl }) => ttl) : []));
  return seconds.length === 0 ? undefined : Math.min(...seconds) * 1_000;
}
