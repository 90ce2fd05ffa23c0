import { createHash } from 'node:crypto';
import type { Fact } from '../core/audit/index.ts';
import { type Instant, instant } from '../core/time/index.ts';
import type { AuditPort, Clock, Random } from '../engine/ports.ts';
import type { Logger } from '../observe/index.ts';
import { MIN_PASSWORD_BITS } from './options.ts';
import { makePassword, passwordBits } from './password.ts';
import type { PhoneRepository } from './ports.ts';

export interface PhoneDirectoryOptions {
  readonly phones: PhoneRepository;
  readonly audit: AuditPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly realm: string;
  /** Whether the plan knows an extension. */
  readonly isExtension: (extension: string) => boolean;
}

/** Hex digests of "extension:realm:password". */
export interface Ha1 {
  readonly md5: string;
  readonly sha256: string;
}

export interface Phone {
  readonly extension: string;
  readonly addedAt: Instant;
}

export type AddResult =
  /** The password is shown once and kept nowhere. */
  | { readonly kind: 'added'; readonly extension: string; readonly password: string }
  | {
      readonly kind: 'refused';
      readonly reason: 'unknownExtension' | 'alreadyThere' | 'weakPassword';
      readonly says: string;
    };

export type RemoveResult =
  | { readonly kind: 'removed' }
  | { readonly kind: 'refused'; readonly reason: 'notThere'; readonly says: string };

const REFRESH_MS = 500;
const MAX_PASSWORD = 128;

/**
 * The phones of the house. Hashes are answered from memory, since they are asked for between a REGISTER and its answer;
 * what another process adds or removes is known here within a second.
 */
export class PhoneDirectory {
  readonly #options: PhoneDirectoryOptions;
  #known: ReadonlyMap<string, Ha1> = new Map();
  #gone: (extension: string) => void = () => {};
  #revision = '';
  #timer: { cancel(): void } | null = null;
  #isClosed = false;
  #isFailing = false;

  private constructor(options: PhoneDirectoryOptions) {
    this.#options = options;
  }

  /** Reads all phones. `watch`: keeps up with other processes until it is closed. Rejects with PortError storeUnavailable. */
  static async open(options: PhoneDirectoryOptions, how: { readonly watch: boolean }): Promise<PhoneDirectory> {
    const directory = new PhoneDirectory(options);
    await directory.refresh();
    if (how.watch) directory.#watch();
    return directory;
  }

  /** undefined for an extension without a phone. */
  ha1(extension: string): Ha1 | undefined {
    return this.#known.get(extension);
  }

  /**
   * Gives the extension a phone and its password: a new one of 130 bits, or `password`, which must have 80 bits.
   * `by`: the operating-system user, for the audit. Rejects with PortError storeUnavailable.
   */
  async add(extension: string, by: string, password?: string): Promise<AddResult> {
    const { phones, clock, random, realm, isExtension } = this.#options;
    const alreadyThere: AddResult = {
      kind: 'refused',
      reason: 'alreadyThere',
      says: `${extension} already has a phone; remove it first (wardline phone remove ${extension})`,
    };
    if (!isExtension(extension)) {
      const says = `${extension} is not an extension of the plan; add it to dialplans/ first`;
      return { kind: 'refused', reason: 'unknownExtension', says };
    }
    const problem = password === undefined ? null : weakness(password, extension);
    if (problem !== null)
      return { kind: 'refused', reason: 'weakPassword', says: `${problem}; leave it out and one is made` };
    await this.refresh();
    if (this.#known.has(extension)) return alreadyThere;
    // On record first: a phone that nobody can be asked about must not exist.
    await this.#attest({ fact: 'phoneAdded', extension, by });
    const secret = password ?? makePassword(random);
    const { md5, sha256 } = ha1Of(extension, realm, secret);
    const isNew = await phones.insert({ extension, ha1Md5: md5, ha1Sha256: sha256, createdAt: clock.now() });
    // Somebody else was faster by a moment.
    if (!isNew) return alreadyThere;
    await this.refresh();
    return { kind: 'added', extension, password: secret };
  }

  /** Its registrations end with it. Rejects with PortError storeUnavailable. */
  async remove(extension: string, by: string): Promise<RemoveResult> {
    const notThere: RemoveResult = { kind: 'refused', reason: 'notThere', says: `${extension} has no phone` };
    await this.refresh();
    if (!this.#known.has(extension)) return notThere;
    await this.#attest({ fact: 'phoneRemoved', extension, by });
    const wasThere = await this.#options.phones.remove(extension);
    await this.refresh();
    return wasThere ? { kind: 'removed' } : notThere;
  }

  async list(): Promise<readonly Phone[]> {
    const rows = await this.#options.phones.list();
    return rows.map((row) => ({ extension: row.extension, addedAt: instant(row.createdAt) }));
  }

  /** Reads the phones again if another process has changed them. */
  async refresh(): Promise<void> {
    const revision = await this.#options.phones.revision();
    if (revision === this.#revision) return;
    const rows = await this.#options.phones.list();
    const before = this.#known;
    this.#known = new Map(rows.map((row) => [row.extension, { md5: row.ha1Md5, sha256: row.ha1Sha256 }]));
    this.#revision = revision;
    for (const [extension, { sha256 }] of before) {
      if (this.#known.get(extension)?.sha256 !== sha256) this.#gone(extension);
    }
  }

  /** `gone`: an extension has lost its phone, or has been given another one, by whichever process. */
  onGone(gone: (extension: string) => void): void {
    this.#gone = gone;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #watch(): void {
    this.#timer = this.#options.clock.after(REFRESH_MS, () => {
      void this.#refreshOrLog().then(() => {
        if (!this.#isClosed) this.#watch();
      });
    });
  }

  /** The phones known so far go on working while the store is away. */
  async #refreshOrLog(): Promise<void> {
    try {
      await this.refresh();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#options.logger.warn({ err: error }, 'phones not refreshed');
      this.#isFailing = true;
    }
  }

  async #attest(fact: Fact): Promise<void> {
    await this.#options.audit.attest([{ at: this.#options.clock.now(), callId: null, fact }]);
  }
}

/** RFC 7616 3.4.2. */
function ha1Of(extension: string, realm: string, password: string): Ha1 {
  const text = `${extension}:${realm}:${password}`;
  const digest = (algorithm: string) => createHash(algorithm).update(text, 'utf8').digest('hex');
  return { md5: digest('md5'), sha256: digest('sha256') };
}

function weakness(password: string, extension: string): string | null {
  if (password.length > MAX_PASSWORD) return `the password is longer than ${MAX_PASSWORD} signs`;
  // Only signs that every softphone sends alike.
  if (!/^[\x21-\x7e]+$/.test(password)) return 'the password has signs outside printable ASCII';
  const bits = passwordBits(password.replaceAll(extension, ''));
  return bits >= MIN_PASSWORD_BITS ? null : `the password has about ${bits} bits, ${MIN_PASSWORD_BITS} are needed`;
}
