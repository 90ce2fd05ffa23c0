import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Phi } from '../core/phi/index.ts';
import type { Instant } from '../core/time/index.ts';
import { pausedUntil, type PinResult, type PinTries, pinFault, tried, triedRightly } from '../core/voicemail/index.ts';
import type { Clock, Random } from '../engine/ports.ts';

/** Where PINs are kept. Every method throws PortError. */
export interface PinStore {
  hash(mailbox: string): string | null;
  set(mailbox: string, hash: string, at: Instant, by: string): void;
  tries(about: string): PinTries | null;
  noteTries(about: string, tries: PinTries | null): void;
}

/** N=2^15, r=8: 32 MiB and about 0.1 s for each try. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const MADE_DIGITS = 8;
/** Somebody who dials at random keeps no more than this busy. */
const MAX_WAITING = 100;

/**
 * Checks PINs, one after the other, so that tries made at the same time count like tries made in turn. A try is on
 * record before it is known whether it is right: whoever kills the process wins nothing.
 */
export class Pins {
  readonly #store: PinStore;
  readonly #clock: Pick<Clock, 'now'>;
  /** Hash of a PIN that nobody has: a mailbox without one takes as long. */
  readonly #nobody =
    `scrypt$${randomBytes(SALT_BYTES).toString('base64url')}$${randomBytes(KEY_BYTES).toString('base64url')}`;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(store: PinStore, clock: Pick<Clock, 'now'>) {
    this.#store = store;
    this.#clock = clock;
  }

  /** `from` names who tries, so that it tells nobody who it is. Rejects with PortError. */
  check(mailbox: string | null, pin: Phi<string>, from: string): Promise<PinResult> {
    if (this.#waiting >= MAX_WAITING) return Promise.resolve('paused');
    this.#waiting += 1;
    const checked = this.#last.then(() => this.#check(mailbox, pin, from));
    this.#last = checked.catch(() => {}).then(() => (this.#waiting -= 1));
    return checked;
  }

  async #check(mailbox: string | null, pin: Phi<string>, from: string): Promise<PinResult> {
    const at = this.#clock.now();
    const about = [`from ${from}`, ...(mailbox === null ? [] : [`mailbox ${mailbox}`])];
    const before = about.map((key) => this.#store.tries(key));
    if (before.some((tries) => pausedUntil(tries, at) !== null)) return 'paused';
    for (const [i, key] of about.entries()) this.#store.noteTries(key, tried(before[i] ?? null, at));
    const hash = mailbox === null ? null : this.#store.hash(mailbox);
    const isRight = await isHashOf(hash ?? this.#nobody, pin.reveal());
    if (hash === null) return 'noPin';
    if (!isRight) return 'wrong';
    for (const [i, key] of about.entries()) this.#store.noteTries(key, triedRightly(before[i] ?? null, at));
    return 'right';
  }

  /** A pause after wrong ones is over with it. Throws RangeError for a PIN that `pinFault` refuses. */
  async set(mailbox: string, pin: string, by: string, known: readonly string[]): Promise<void> {
    const fault = pinFault(pin, known);
    if (fault !== null) throw new RangeError(fault);
    const salt = randomBytes(SALT_BYTES);
    const key = await derive(pin, salt);
    this.#store.set(
      mailbox,
      `scrypt$${salt.toString('base64url')}$${key.toString('base64url')}`,
      this.#clock.now(),
      by,
    );
    this.#store.noteTries(`mailbox ${mailbox}`, null);
  }
}

/** Eight digits that `pinFault` takes. */
export function makePin(random: Random, known: readonly string[]): string {
  for (;;) {
    const pin = Array.from({ length: MADE_DIGITS }, () => random.below(10)).join('');
    if (pinFault(pin, known) === null) return pin;
  }
}

async function isHashOf(hash: string, pin: string): Promise<boolean> {
  const [, salt = '', key = ''] = hash.split('$');
  const derived = await derive(pin, Buffer.from(salt, 'base64url'));
  const kept = Buffer.from(key, 'base64url');
  return kept.length === derived.length && timingSafeEqual(kept, derived);
}

function derive(pin: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(pin, salt, KEY_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
