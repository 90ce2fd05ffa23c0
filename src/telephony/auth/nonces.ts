import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '../../engine/ports.ts';
import { ownText } from '../own-text.ts';

const validMs = 5 * 60_000;
const mostRemembered = 50_000;

/**
 * Nonces carry their own proof, so a flood of requests without credentials costs no memory: time and chance, signed.
 * Only a nonce that was used with a right password is remembered, to refuse a count that does not rise
 * (RFC 7616 3.4: a captured answer cannot be played again).
 */
export class Nonces {
  readonly #clock: Clock;
  readonly #random: Random;
  /** A key object: with bare bytes node:crypto 24 takes 30 µs for each signature. */
  readonly #key: KeyObject;
  /** Highest count used, oldest nonce first. */
  readonly #used = new Map<string, { count: number; until: number }>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#key = createSecretKey(random.bytes(32));
  }

  make(): string {
    const body = Buffer.alloc(16);
    body.writeBigUInt64BE(BigInt(this.#clock.now()));
    body.set(this.#random.bytes(8), 8);
    return Buffer.concat([body, this.#sign(body)]).toString('base64url');
  }

  /** Ours, and made within five minutes. */
  isFresh(nonce: string): boolean {
    const bytes = Buffer.from(nonce, 'base64url');
    if (bytes.length !== 32 || bytes.toString('base64url') !== nonce) return false;
    const body = bytes.subarray(0, 16);
    if (!timingSafeEqual(bytes.subarray(16), this.#sign(body))) return false;
    const age = this.#clock.now() - Number(body.readBigUInt64BE());
    return age >= 0 && age <= validMs;
  }

  /** false: this count, or a later one, was used before. Call it only for an answer that is right. */
  use(nonce: string, nc: string): boolean {
    const count = Number.parseInt(nc, 16);
    const before = this.#used.get(nonce);
    if (before && count <= before.count) return false;
    this.#forgetOld();
    this.#used.set(ownText(nonce), { count, until: before?.until ?? this.#clock.now() + validMs });
    return true;
  }

  #sign(body: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(body).digest().subarray(0, 16);
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [nonce, { until }] of this.#used) {
      if (until > now && this.#used.size < mostRemembered) return;
      this.#used.delete(nonce);
    }
  }
}
