import type { ChainStore, Fact } from '../core/audit/index.ts';
import type { AuditEntry, AuditPort, Clock } from '../engine/ports.ts';
import {
  type CounterMetric,
  type GaugeMetric,
  type Health,
  type Logger,
  type Metrics,
  OnceAMinute,
} from '../observe/index.ts';
import { Backlog, isNoRoom, wait } from './backlog.ts';
import { ChainEnd } from './chain-end.ts';
import type { Checkpoints } from './checkpoints.ts';
import { EntryBodies } from './entry-bodies.ts';
import { type Group, Groups } from './groups.ts';
import type { Body } from './link.ts';
import { openCheckpoints, openSpool, type SigningOptions } from './open-parts.ts';
import type { Reserve } from './reserve.ts';
import type { SpoolFile } from './spool-file.ts';

export interface AuditLogOptions {
  readonly store: ChainStore;
  readonly headPath: string;
  /** null for a command, which waits for the store instead. */
  readonly spoolPath: string | null;
  /** 32 bytes, from the vault. */
  readonly headKey: Uint8Array;
  readonly seal: (text: string) => string;
  /** Names this process; together with a counter it makes entry ids unique for ever. */
  readonly bootId: string;
  readonly clock: Clock;
  /** After this the call goes on; 50 unless said otherwise (architecture decision 4). */
  readonly deadlineMs?: number;
  /** Facts kept in memory while the store is away; 100,000 unless said otherwise. More of them wait in the spool file. */
  readonly maxKept?: number;
  readonly logger: Logger;
  readonly health: Health;
  readonly metrics?: Metrics;
  /** Space for when the disk is full. */
  readonly reserve?: Reserve;
  /** null for a command: the running house puts its entries under the next checkpoint. */
  readonly signing: SigningOptions | null;
}

/**
 *              attest                        50 ms, or the store throws
 *   prompt ─────────────▶ prompt     prompt ───────────────────────────▶ delayed
 *     ▲    commit, answer durable                                           │ attest: keep, spool, answer spooled
 *     └───────────── everything kept is written, with `auditDelayed` ◀──────┘ retry with back-off
 */
type Mode =
  | { readonly name: 'prompt' }
  | { readonly name: 'delayed'; readonly because: string; readonly retryMs: number };

/** So many do not wait until everybody has spoken: the store writes them meanwhile. */
const MANY_FACTS = 64;
const DEADLINE_MS = 50;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5000;
const MAX_KEPT = 100_000;
const CLOSE_WAIT_MS = 2000;
const CHECK = 'audit';

/**
 * The audit: facts become canonical bodies, bodies are chained and committed in groups. While the store is away calls go
 * on: facts are kept in order in memory and in a spool file, and written later, flagged.
 */
export class AuditLog implements AuditPort {
  readonly #options: AuditLogOptions;
  readonly #bodies: EntryBodies;
  readonly #end: ChainEnd;
  readonly #backlog: Backlog;
  readonly #checkpoints: Checkpoints | null;
  readonly #deadlineMs: number;
  readonly #groups: Groups;
  #mode: Mode = { name: 'prompt' };
  #lost = 0;
  #isPumping = false;
  #isHeadFailing = false;
  #isStarting = false;
  #deadline: { cancel(): void } | null = null;
  #wakeRetry: (() => void) | null = null;
  #closing = false;
  /** Under load the store is late again and again. */
  readonly #said: OnceAMinute;
  readonly #facts: CounterMetric | undefined;
  readonly #kept: GaugeMetric | undefined;

  private constructor(options: AuditLogOptions, spool: SpoolFile | null, checkpoints: Checkpoints | null) {
    this.#options = options;
    const { store, headPath, headKey, maxKept = MAX_KEPT, clock, logger } = options;
    this.#bodies = new EntryBodies(options);
    this.#checkpoints = checkpoints;
    this.#end = new ChainEnd({ store, headPath, headKey, clock, onAppended: (rows) => checkpoints?.took(rows) });
    const onLost = (facts: number, because: string) => this.#lose(facts, because);
    const onUnwritten = (error: unknown) => this.#inMemoryAlone(error);
    this.#backlog = new Backlog({ spool, store, maxKept, clock, logger, onLost, onUnwritten });
    this.#groups = new Groups({
      end: this.#end,
      backlog: this.#backlog,
      report: (late) => this.#report(late),
      isOrdinary: () => this.#lost === 0 && this.#mode.name === 'prompt',
    });
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#said = new OnceAMinute(options.clock);
    this.#facts = options.metrics?.counter('wardline_audit_facts_total', 'Facts by how they were taken.', ['how']);
    this.#kept = options.metrics?.gauge('wardline_audit_facts_waiting', 'Facts that wait for the store.');
  }

  /**
   * Compares the chain with its certified head (a difference is recorded, alarmed and never repaired in silence) and
   * merges what an earlier process has spooled. Never rejects: a store that is away is what the spool is for.
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const spool = await openSpool(options);
    const log = new AuditLog(options, spool, await openCheckpoints(options));
    options.health.ok(CHECK);
    try {
      await log.#learnEnd();
    } catch (error) {
      log.#delay(reason(error));
    }
    if (!log.#backlog.isInMemory) log.#delay('an earlier process ended while the store was away');
    if (log.#mode.name === 'delayed') log.#startPump();
    return log;
  }

  attest(entries: readonly AuditEntry[]): Promise<'durable' | 'spooled'> {
    if (entries.length === 0) return Promise.resolve('durable');
    const bodies = entries.map((entry) => this.#bodies.of(entry));
    return this.#mode.name === 'prompt' ? this.#attestPromptly(bodies) : this.#attestLate(bodies);
  }

  /** Whether a fact comes to lie on a disk: in the store, while that is away in the spool file, or as soon as a full disk has room. */
  get canKeep(): boolean {
    return this.#mode.name === 'prompt' || this.#backlog.isOnDisk || this.#backlog.waitsForRoom;
  }

  /** Facts that wait for the store. */
  get waiting(): number {
    return this.#backlog.size;
  }

  /** Gives the store a moment to take what waits. `unwritten` facts are in the spool file, if there is one. */
  async close(): Promise<{ readonly unwritten: number }> {
    const { clock, health } = this.#options;
    const until = clock.monotonicMs() + CLOSE_WAIT_MS;
    this.#closing = true;
    this.#startPump();
    while ((this.#isPumping || this.#backlog.size > 0) && clock.monotonicMs() < until) {
      this.#wakeRetry?.();
      await wait(clock, 5);
    }
    this.#deadline?.cancel();
    const unwritten = this.#backlog.size;
    if (unwritten > 0) this.#delay('Wardline is stopping');
    await this.#backlog.close();
    await this.#end.close();
    await this.#checkpoints?.close();
    await this.#options.reserve?.close();
    this.#said.close();
    health.forget(CHECK);
    return { unwritten };
  }

  #attestPromptly(bodies: readonly Body[]): Promise<'durable' | 'spooled'> {
    const sinceMs = this.#options.clock.monotonicMs();
    const last = bodies.length - 1;
    return new Promise((resolve) => {
      // Facts of one attest are committed in order, so the last one answers for all.
      for (const [i, body] of bodies.entries()) {
        this.#backlog.add({ ...body, isLate: false, settle: i === last ? resolve : null, sinceMs });
      }
      this.#deadline ??= this.#options.clock.after(this.#deadlineMs, () => this.#deadlinePassed());
      this.#sendSoon();
    });
  }

  async #attestLate(bodies: readonly Body[]): Promise<'spooled'> {
    const sinceMs = this.#options.clock.monotonicMs();
    const pending = bodies.map((body) => ({ ...body, isLate: true, settle: null, sinceMs }));
    this.#facts?.inc({ how: 'spooled' }, bodies.length);
    const isKept = this.#backlog.keep(pending, this.#end.seq);
    this.#kept?.set(this.#backlog.size);
    await isKept;
    return 'spooled';
  }

  #lose(facts: number, because: string): void {
    this.#lost += facts;
    this.#facts?.inc({ how: 'lost' }, facts);
    this.#options.logger.error({ facts, because }, 'audit facts lost');
    this.#options.health.failing(
      CHECK,
      `${this.#lost} facts were lost: ${because}; free disk space and check the store`,
    );
  }

  #inMemoryAlone(error: unknown): void {
    const { logger, health } = this.#options;
    logger.error({ err: error }, 'audit spool not written, facts are in memory alone');
    const what = isNoRoom(error) ? 'free disk space' : 'calls that are not STAT are refused: mend the disk';
    health.failing(CHECK, `facts are in memory alone (${reason(error)}); ${what} at once`);
  }

  #deadlinePassed(): void {
    this.#deadline = null;
    const oldest = this.#backlog.pending.find((pending) => pending.settle !== null);
    if (oldest === undefined) return;
    const leftMs = oldest.sinceMs + this.#deadlineMs - this.#options.clock.monotonicMs();
    if (leftMs <= 0) this.#delay(`the store did not answer within ${this.#deadlineMs} ms`);
    else this.#deadline = this.#options.clock.after(leftMs, () => this.#deadlinePassed());
  }

  /** From now on calls do not wait for the store. Whoever waits is answered, and what waits is spooled. */
  #delay(because: string): void {
    if (this.#mode.name === 'delayed') return;
    this.#mode = { name: 'delayed', because, retryMs: FIRST_RETRY_MS };
    const facts = this.#backlog.size;
    this.#said.say(because, (again) => this.#options.logger.error({ because, facts, ...again }, 'audit delayed'));
    this.#options.health.failing(CHECK, `facts are kept aside, calls go on: ${because}`);
    this.#backlog.copyToFile(this.#end.seq);
    for (const pending of this.#backlog.pending) {
      // Those in a commit under way are flagged only if it fails and they are written again.
      pending.isLate = true;
      if (pending.settle !== null) this.#facts?.inc({ how: 'spooled' });
      pending.settle?.('spooled');
      pending.settle = null;
    }
    this.#startPump();
  }

  /** Once everybody who is speaking right now has spoken, or at once when that is much already. */
  #sendSoon(): void {
    if (this.#backlog.size - this.#groups.underWay >= MANY_FACTS) return this.#sendNow();
    if (this.#isStarting) return;
    this.#isStarting = true;
    queueMicrotask(() => {
      this.#isStarting = false;
      this.#sendNow();
    });
  }

  #sendNow(): void {
    if (this.#mode.name === 'prompt') this.#groups.send();
    this.#startPump();
  }

  #startPump(): void {
    if (!this.#isPumping) void this.#pump();
  }

  /** Writes whatever waits, one commit after the other. Never rejects. */
  async #pump(): Promise<void> {
    this.#isPumping = true;
    while (await this.#hasWork()) {
      try {
        await this.#commit();
      } catch (error) {
        this.#delay(reason(error));
        await this.#options.reserve?.release();
        if (!(await this.#waitForRetry())) break;
      }
    }
    this.#isPumping = false;
    // A fact may have come in between the last look and this line.
    if (this.#backlog.size > 0 && !this.#closing) this.#startPump();
  }

  async #hasWork(): Promise<boolean> {
    while (this.#backlog.size === 0 && !this.#backlog.isInMemory) await this.#readOn();
    return this.#backlog.size > 0;
  }

  async #readOn(): Promise<void> {
    try {
      await this.#backlog.readOn();
      if (this.#backlog.size > 0 || !this.#backlog.isInMemory) return;
      this.#caughtUp();
      await this.#backlog.clearFile();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'audit spool not readable');
      if (!(await this.#waitForRetry())) this.#backlog.forgetFile();
    }
  }

  async #commit(): Promise<void> {
    if (!this.#end.isKnown) await this.#learnEnd();
    for (const group of await this.#groups.written()) await this.#written(group);
  }

  async #written({ facts, report, isAll }: Group): Promise<void> {
    if (report.length > 0) this.#lost = 0;
    for (const pending of facts) {
      pending.settle?.('durable');
      pending.settle = null;
    }
    this.#end.certify((error) => this.#headWritten(error));
    this.#facts?.inc({ how: 'written' }, facts.length);
    this.#kept?.set(this.#backlog.size);
    if (isAll && this.#mode.name === 'delayed') this.#caughtUp();
    if (this.#mode.name === 'prompt') await this.#backlog.clearFile();
  }

  /** What the record says about itself once everything that waited is in it. */
  #report(late: number): readonly Body[] {
    const because = this.#mode.name === 'delayed' ? this.#mode.because : 'the store was away';
    const facts: Fact[] = [];
    if (late > 0) facts.push({ fact: 'auditDelayed', facts: late, because });
    if (this.#lost > 0) facts.push({ fact: 'auditLost', facts: this.#lost, because });
    return facts.map((fact) => this.#bodies.of({ at: this.#options.clock.now(), callId: null, fact }));
  }

  /**
   * What waited is written. Facts that came in during the last commit were answered with "spooled" and are still in the
   * queue, but that is no reason to stay delayed: under load there are always some.
   */
  #caughtUp(): void {
    this.#mode = { name: 'prompt' };
    this.#backlog.caughtUp();
    this.#options.logger.info({}, 'audit caught up');
    if (!this.#isHeadFailing) this.#options.health.ok(CHECK);
  }

  /** A chain that is not the one that was certified is recorded and alarmed, and never repaired in silence. */
  async #learnEnd(): Promise<void> {
    const { clock, logger } = this.#options;
    const byHead = await this.#end.learn(String(clock.now()));
    const byCheckpoint = await this.#checkpoints?.learn();
    const broken = byHead ?? byCheckpoint ?? null;
    if (broken === null) return;
    logger.error(broken, 'audit chain differs from its certified head');
    const body = this.#bodies.of({ at: clock.now(), callId: null, fact: { fact: 'auditBroken', ...broken } });
    this.#backlog.insert(this.#groups.underWay, { ...body, isLate: false, settle: null, sinceMs: clock.monotonicMs() });
    this.#sendSoon();
  }

  #headWritten(error: unknown): void {
    const { headPath, logger, health } = this.#options;
    if (error !== null) {
      if (!this.#isHeadFailing) logger.error({ err: error }, 'audit head not written');
      health.failing(CHECK, `${headPath} cannot be written: ${reason(error)}`);
    }
    this.#isHeadFailing = error !== null;
  }

  /** False when there is no more waiting, because the log is closing. */
  async #waitForRetry(): Promise<boolean> {
    if (this.#closing) return false;
    const retryMs = this.#mode.name === 'delayed' ? this.#mode.retryMs : FIRST_RETRY_MS;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(retryMs, resolve);
      this.#wakeRetry = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#wakeRetry = null;
    if (this.#mode.name === 'delayed') this.#mode = { ...this.#mode, retryMs: Math.min(retryMs * 2, MAX_RETRY_MS) };
    return true;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
