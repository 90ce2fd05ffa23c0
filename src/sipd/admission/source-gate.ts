import { TokenBucket } from './token-bucket.ts';
import type { Trusted } from './trusted.ts';

/** Sources remembered at once; the one that was quiet longest is forgotten for a new one. */
const maxSources = 20_000;
/** So much of what is remembered against a source is forgiven a second. */
const forgivenPerSecond = 0.2;
const longestBanMs = 900_000;

export interface GateLimits {
  /** Messages a second from one address, and at once: of strangers, and of those that have registered. */
  readonly strangerPerSecond: number;
  readonly strangerBurst: number;
  readonly knownPerSecond: number;
  readonly knownBurst: number;
  /** Calls to reserved numbers that one address may bring when all of that is used up. */
  readonly reservedPerSecond: number;
  /** Refused or malformed requests until an address is not answered any more. */
  readonly faultsUntilBan: number;
  /** The first ban; each further one is twice as long, up to 15 minutes. */
  readonly banMs: number;
}

interface Source {
  bucket: TokenBucket;
  reserved: TokenBucket | undefined;
  knownUntilMs: number;
  faults: number;
  faultsAtMs: number;
  bans: number;
  bannedUntilMs: number;
}

/** Counted since the start. */
export interface GateCounters {
  /** Messages that were not even read: too many of them, or their source is banned. */
  throttled: number;
  ignored: number;
  bans: number;
}

/**
 * Who is listened to, decided before anything is parsed. A source is an address; those in `trusted` always are.
 * Behaviour counts, not names: whoever is refused again and again gets silence, unless phones have registered from there.
 */
export class SourceGate {
  readonly counters: GateCounters = { throttled: 0, ignored: 0, bans: 0 };
  readonly #limits: GateLimits;
  readonly #trusted: Trusted;
  readonly #isReserved: (bytes: Buffer) => boolean;
  readonly #sources = new Map<string, Source>();

  /** `isReserved`: whether unparsed bytes are a call that must get through. */
  constructor(limits: GateLimits, trusted: Trusted, isReserved: (bytes: Buffer) => boolean) {
    this.#limits = limits;
    this.#trusted = trusted;
    this.#isReserved = isReserved;
  }

  admits(bytes: Buffer, host: string, nowMs: number): boolean {
    if (this.#trusted.has(host)) return true;
    const source = this.#sourceOf(host, nowMs);
    if (source.bannedUntilMs > nowMs && source.knownUntilMs <= nowMs) {
      this.counters.ignored++;
      return false;
    }
    if (source.bucket.take(nowMs)) return true;
    if (this.#isReserved(bytes)) {
      const { reservedPerSecond } = this.#limits;
      source.reserved ??= new TokenBucket(reservedPerSecond, reservedPerSecond * 2, nowMs);
      if (source.reserved.take(nowMs)) return true;
    }
    this.counters.throttled++;
    return false;
  }

  /** Addresses remembered. */
  get size(): number {
    return this.#sources.size;
  }

  isTrusted(host: string): boolean {
    return this.#trusted.has(host);
  }

  /** A phone has registered from there, for so long. */
  know(host: string, nowMs: number, forMs: number): void {
    if (this.#trusted.has(host)) return;
    const source = this.#sourceOf(host, nowMs);
    if (source.knownUntilMs <= nowMs) source.bucket = this.#bucket(true, nowMs);
    source.knownUntilMs = Math.max(source.knownUntilMs, nowMs + forMs);
    source.faults = 0;
    source.bannedUntilMs = 0;
  }

  /** Something from there was malformed, or refused. `weight`: how many times it counts. */
  blame(host: string, nowMs: number, weight = 1): void {
    if (this.#trusted.has(host)) return;
    const source = this.#sourceOf(host, nowMs);
    const forgiven = ((nowMs - source.faultsAtMs) / 1_000) * forgivenPerSecond;
    source.faults = Math.max(0, source.faults - forgiven) + weight;
    source.faultsAtMs = nowMs;
    if (source.faults < this.#limits.faultsUntilBan || source.knownUntilMs > nowMs) return;
    source.bannedUntilMs = nowMs + Math.min(this.#limits.banMs * 2 ** source.bans, longestBanMs);
    source.bans += 1;
    source.faults = 0;
    this.counters.bans++;
  }

  /** Addresses that are not answered now. */
  bannedNow(nowMs: number): number {
    let count = 0;
    for (const source of this.#sources.values()) if (source.bannedUntilMs > nowMs) count++;
    return count;
  }

  #sourceOf(host: string, nowMs: number): Source {
    const known = this.#sources.get(host);
    if (known !== undefined) return known;
    if (this.#sources.size >= maxSources) this.#forgetOne(nowMs);
    const source: Source = {
      bucket: this.#bucket(false, nowMs),
      reserved: undefined,
      knownUntilMs: 0,
      faults: 0,
      faultsAtMs: nowMs,
      bans: 0,
      bannedUntilMs: 0,
    };
    this.#sources.set(host, source);
    return source;
  }

  // The oldest that is neither known nor banned; whoever forges addresses must not push out the phones.
  #forgetOne(nowMs: number): void {
    let looked = 0;
    for (const [host, source] of this.#sources) {
      if (source.knownUntilMs <= nowMs && source.bannedUntilMs <= nowMs) return void this.#sources.delete(host);
      // Put at the end, so that the next look does not meet it again.
      this.#sources.delete(host);
      this.#sources.set(host, source);
      if (++looked === 100) break;
    }
    const [oldest] = this.#sources.keys();
    if (oldest !== undefined) this.#sources.delete(oldest);
  }

  #bucket(isKnown: boolean, nowMs: number): TokenBucket {
    const { strangerPerSecond, strangerBurst, knownPerSecond, knownBurst } = this.#limits;
    return isKnown
      ? new TokenBucket(knownPerSecond, knownBurst, nowMs)
      : new TokenBucket(strangerPerSecond, strangerBurst, nowMs);
  }
}
