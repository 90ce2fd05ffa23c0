import { canonicalBody, markLate, type ChainHead, type ChainStore, type Fact, readBody } from '../core/audit/index.ts';
import type { AuditEntry, AuditPort, Clock } from '../engine/ports.ts';
import type { CounterMetric, GaugeMetric, Health, Logger, Metrics } from '../observe/index.ts';
import { HeadFile, type HeadState } from './head-file.ts';
import { type Body, GENESIS, isSame, link } from './link.ts';
import { SpoolFile } from './spool-file.ts';

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
}

/** A fact on its way; `settle` is gone once its caller has been answered. */
interface Pending extends Body {
  /** Answered with "spooled": it will be flagged as late when it is written. */
  isLate: boolean;
  settle: ((how: 'durable' | 'spooled') => void) | null;
  readonly sinceMs: number;
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

/** One transaction takes what came within this time; less than the 2 ms it may be, since timers are late. */
const GROUP_WAIT_MS = 1;
const GROUP_FACTS = 64;
/** While a commit is under way more facts come in; they go together. */
const MAX_BATCH = 512;
const DEADLINE_MS = 50;
/** How long a caller waits for the spool file on top. */
const SPOOL_WAIT_MS = 10;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5000;
const MAX_KEPT = 100_000;
const MAX_HEAD_MOVES = 20;
const CLOSE_WAIT_MS = 2000;
const CHECK = 'audit';

/**
 * The audit: facts become canonical bodies, bodies are chained and committed in groups. While the store is away calls go
 * on: facts are kept in order in memory and in a spool file, and written later, flagged.
 */
export class AuditLog implements AuditPort {
  readonly #options: AuditLogOptions;
  readonly #headFile: HeadFile;
  readonly #deadlineMs: number;
  readonly #maxKept: number;
  #spool: SpoolFile | null;
  #head: ChainHead | null = null;
  #mode: Mode = { name: 'prompt' };
  /** In order; what is in a commit stays here until it has ended. */
  #queue: Pending[] = [];
  /** Facts beyond what memory keeps, or of an earlier process, are only in the spool file, from here on. */
  #spilledFrom: number | null = null;
  /** Ids that are known to be written although they are in the spool file. */
  #written: ReadonlySet<string> = new Set();
  #lateUnreported = 0;
  #lost = 0;
  #nextId = 0;
  #isPumping = false;
  #isHeadFailing = false;
  #groupTimer: { cancel(): void } | null = null;
  #deadline: { cancel(): void } | null = null;
  #wakeRetry: (() => void) | null = null;
  #closing = false;
  readonly #facts: CounterMetric | undefined;
  readonly #kept: GaugeMetric | undefined;

  private constructor(options: AuditLogOptions, spool: SpoolFile | null) {
    this.#options = options;
    this.#headFile = new HeadFile(options.headPath, options.headKey);
    this.#spool = spool;
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#maxKept = options.maxKept ?? MAX_KEPT;
    this.#facts = options.metrics?.counter('wardline_audit_facts_total', 'Facts by how they were taken.', ['how']);
    this.#kept = options.metrics?.gauge('wardline_audit_facts_waiting', 'Facts that wait for the store.');
  }

  /**
   * Compares the chain with its certified head (a difference is recorded, alarmed and never repaired in silence) and
   * merges what an earlier process has spooled. Never rejects: a store that is away is what the spool is for.
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const spool = await openSpool(options);
    const log = new AuditLog(options, spool);
    options.health.ok(CHECK);
    try {
      await log.#learnHead();
    } catch (error) {
      log.#delay(reason(error));
    }
    if (spool !== null && spool.size > 0) {
      log.#spilledFrom = 0;
      log.#delay('an earlier process ended while the store was away');
    }
    if (log.#mode.name === 'delayed') log.#startPump();
    return log;
  }

  attest(entries: readonly AuditEntry[]): Promise<'durable' | 'spooled'> {
    if (entries.length === 0) return Promise.resolve('durable');
    const bodies = entries.map((entry) => this.#body(entry));
    return this.#mode.name === 'prompt' ? this.#attestPromptly(bodies) : this.#attestLate(bodies);
  }

  /** Facts that wait for the store. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Gives the store a moment to take what waits. `unwritten` facts are in the spool file, if there is one. */
  async close(): Promise<{ readonly unwritten: number }> {
    const { clock, health } = this.#options;
    const until = clock.monotonicMs() + CLOSE_WAIT_MS;
    this.#closing = true;
    this.#startPump();
    while ((this.#isPumping || this.#queue.length > 0) && clock.monotonicMs() < until) {
      this.#wakeRetry?.();
      await wait(clock, 5);
    }
    this.#groupTimer?.cancel();
    this.#deadline?.cancel();
    const unwritten = this.#queue.length;
    if (unwritten > 0) this.#delay('Wardline is stopping');
    await this.#spool?.close();
    this.#spool = null;
    await this.#headFile.close();
    health.forget(CHECK);
    return { unwritten };
  }

  #attestPromptly(bodies: readonly Body[]): Promise<'durable' | 'spooled'> {
    const sinceMs = this.#options.clock.monotonicMs();
    const last = bodies.length - 1;
    return new Promise((resolve) => {
      // Facts of one attest are committed in order, so the last one answers for all.
      for (const [i, body] of bodies.entries()) {
        this.#queue.push({ ...body, isLate: false, settle: i === last ? resolve : null, sinceMs });
      }
      this.#deadline ??= this.#options.clock.after(this.#deadlineMs, () => this.#deadlinePassed());
      if (this.#queue.length >= GROUP_FACTS) this.#startPump();
      else this.#groupTimer ??= this.#options.clock.after(GROUP_WAIT_MS, () => this.#startPump());
    });
  }

  async #attestLate(bodies: readonly Body[]): Promise<'spooled'> {
    const sinceMs = this.#options.clock.monotonicMs();
    const pending = bodies.map((body) => ({ ...body, isLate: true, settle: null, sinceMs }));
    this.#facts?.inc({ how: 'spooled' }, bodies.length);
    await this.#keep(pending);
    return 'spooled';
  }

  /** Behind everything that waits already: in memory while there is room, and in the spool file in any case. */
  #keep(pending: readonly Pending[]): Promise<void> {
    const offset = this.#spool?.size ?? 0;
    const isInMemory = this.#spilledFrom === null && this.#queue.length + pending.length <= this.#maxKept;
    if (isInMemory) this.#queue.push(...pending);
    const isOnDisk = this.#writeSpool(pending).then((done) => {
      if (!done && !isInMemory) this.#lose(pending.length, 'the spool file could not be written and memory is full');
    });
    // Without a spool file there is nothing to read back; the loss is reported above.
    if (!isInMemory && this.#spool !== null) this.#spilledFrom ??= offset;
    this.#kept?.set(this.#queue.length);
    return Promise.race([isOnDisk, wait(this.#options.clock, SPOOL_WAIT_MS)]);
  }

  async #writeSpool(pending: readonly Pending[]): Promise<boolean> {
    if (this.#spool === null) return false;
    try {
      await this.#spool.append(
        this.#head?.seq ?? 0,
        pending.map(({ body }) => body),
      );
      return true;
    } catch (error) {
      this.#options.logger.warn({ err: error, facts: pending.length }, 'audit spool not written');
      return false;
    }
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

  #deadlinePassed(): void {
    this.#deadline = null;
    const oldest = this.#queue.find((pending) => pending.settle !== null);
    if (oldest === undefined) return;
    const leftMs = oldest.sinceMs + this.#deadlineMs - this.#options.clock.monotonicMs();
    if (leftMs <= 0) this.#delay(`the store did not answer within ${this.#deadlineMs} ms`);
    else this.#deadline = this.#options.clock.after(leftMs, () => this.#deadlinePassed());
  }

  /** From now on calls do not wait for the store. Whoever waits is answered, and what waits is spooled. */
  #delay(because: string): void {
    if (this.#mode.name === 'delayed') return;
    this.#mode = { name: 'delayed', because, retryMs: FIRST_RETRY_MS };
    this.#options.logger.error({ because, facts: this.#queue.length }, 'audit delayed');
    this.#options.health.failing(CHECK, `facts are kept aside, calls go on: ${because}`);
    void this.#writeSpool(this.#queue);
    for (const pending of this.#queue) {
      // Those in a commit under way are flagged only if it fails and they are written again.
      pending.isLate = true;
      if (pending.settle !== null) this.#facts?.inc({ how: 'spooled' });
      pending.settle?.('spooled');
      pending.settle = null;
    }
    this.#startPump();
  }

  #startPump(): void {
    this.#groupTimer?.cancel();
    this.#groupTimer = null;
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
        if (!(await this.#waitForRetry())) break;
      }
    }
    this.#isPumping = false;
    // A fact may have come in between the last look and this line.
    if (this.#queue.length > 0 && !this.#closing) this.#startPump();
  }

  async #hasWork(): Promise<boolean> {
    while (this.#queue.length === 0 && this.#spilledFrom !== null) await this.#refill(this.#spilledFrom);
    return this.#queue.length > 0;
  }

  /** Reads on in the spool file where memory ended. */
  async #refill(from: number): Promise<void> {
    if (this.#spool === null) {
      this.#spilledFrom = null;
      return;
    }
    try {
      if (from === 0) this.#written = await this.#idsBehind((await this.#spool.afterSeq()) ?? 0);
      const { bodies, damaged, next, isEnd } = await this.#spool.read(from);
      if (damaged > 0) this.#lose(damaged, 'lines of the spool file are torn or were altered');
      const sinceMs = this.#options.clock.monotonicMs();
      for (const body of bodies) {
        const { id, at, callId } = readBody(body, () => null);
        if (!this.#written.has(id)) this.#queue.push({ at, callId, body, isLate: true, settle: null, sinceMs });
      }
      // Nothing has been spooled since the end was read, so memory has everything again.
      this.#spilledFrom = isEnd && next >= this.#spool.size ? null : next;
      if (this.#spilledFrom === null && this.#queue.length === 0) {
        this.#caughtUp();
        await this.#clearSpool();
      }
    } catch (error) {
      this.#options.logger.error({ err: error }, 'audit spool not readable');
      if (!(await this.#waitForRetry())) this.#spilledFrom = null;
    }
  }

  async #idsBehind(seq: number): Promise<ReadonlySet<string>> {
    const ids = new Set<string>();
    for (let after = seq; ; ) {
      const rows = await this.#options.store.read(after, 1000);
      for (const row of rows) ids.add(readBody(row.body, () => null).id);
      const last = rows.at(-1);
      if (last === undefined) return ids;
      after = last.seq;
    }
  }

  async #commit(): Promise<void> {
    const head = this.#head ?? (await this.#learnHead());
    const batch = this.#queue.slice(0, MAX_BATCH);
    const isAll = batch.length === this.#queue.length && this.#spilledFrom === null;
    const late = this.#lateUnreported + batch.filter((pending) => pending.isLate).length;
    const bodies: Body[] = batch.map(({ at, callId, body, isLate }) => ({
      at,
      callId,
      body: isLate ? markLate(body) : body,
    }));
    const report = isAll ? this.#report(late) : [];
    const written = await this.#append(head, [...bodies, ...report]);
    this.#head = written;
    this.#queue.splice(0, batch.length);
    this.#lateUnreported = report.length > 0 ? 0 : late;
    if (report.length > 0) this.#lost = 0;
    await this.#certify(written);
    for (const pending of batch) {
      pending.settle?.('durable');
      pending.settle = null;
    }
    this.#facts?.inc({ how: 'written' }, bodies.length);
    this.#kept?.set(this.#queue.length);
    if (isAll && this.#mode.name === 'delayed') this.#caughtUp();
    await this.#clearSpool();
  }

  /** What the record says about itself once everything that waited is in it. */
  #report(late: number): readonly Body[] {
    const because = this.#mode.name === 'delayed' ? this.#mode.because : 'the store was away';
    const facts: Fact[] = [];
    if (late > 0) facts.push({ fact: 'auditDelayed', facts: late, because });
    if (this.#lost > 0) facts.push({ fact: 'auditLost', facts: this.#lost, because });
    return facts.map((fact) => this.#body({ at: this.#options.clock.now(), callId: null, fact }));
  }

  /** Chains and appends; starts again when another process was faster. */
  async #append(after: ChainHead, bodies: readonly Body[]): Promise<ChainHead> {
    let head = after;
    for (let tries = 0; tries < MAX_HEAD_MOVES; tries++) {
      const rows = link(head, bodies);
      const result = await this.#options.store.append(head, rows);
      if (result.kind === 'appended') {
        const last = rows.at(-1);
        return last === undefined ? head : { seq: last.seq, hash: last.hash };
      }
      head = result.head;
    }
    throw new Error('other processes append without a pause');
  }

  /**
   * What waited is written. Facts that came in during the last commit were answered with "spooled" and are still in the
   * queue, but that is no reason to stay delayed: under load there are always some.
   */
  #caughtUp(): void {
    this.#mode = { name: 'prompt' };
    this.#written = new Set();
    this.#options.logger.info({}, 'audit caught up');
    if (!this.#isHeadFailing) this.#options.health.ok(CHECK);
  }

  /** The spool file has done its work when nothing that is in it waits any more. */
  async #clearSpool(): Promise<void> {
    if (this.#spool === null || this.#spool.size === 0 || this.#mode.name === 'delayed') return;
    if (this.#queue.some((pending) => pending.isLate)) return;
    await this.#spool.clear().catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'audit spool not cleared');
    });
  }

  /** The chain's last link, compared with what was certified last. */
  async #learnHead(): Promise<ChainHead> {
    const { store, clock, logger } = this.#options;
    const certified = await this.#headFile.read();
    const head = await store.head();
    const because = await difference(certified, head, store);
    this.#head = head;
    if (because === null) return head;
    const certifiedEntries = certified.kind === 'certified' ? certified.head.seq : 0;
    logger.error({ because, certifiedEntries, foundEntries: head.seq }, 'audit chain differs from its certified head');
    if (certified.kind !== 'missing') await this.#headFile.setAside(String(clock.now()));
    const fact: Fact = { fact: 'auditBroken', certifiedEntries, foundEntries: head.seq, because };
    const body = this.#body({ at: clock.now(), callId: null, fact });
    this.#queue.unshift({ ...body, isLate: false, settle: null, sinceMs: clock.monotonicMs() });
    this.#groupTimer ??= clock.after(GROUP_WAIT_MS, () => this.#startPump());
    return head;
  }

  async #certify(head: ChainHead): Promise<void> {
    try {
      await this.#headFile.write(head);
      this.#isHeadFailing = false;
    } catch (error) {
      if (!this.#isHeadFailing) this.#options.logger.error({ err: error }, 'audit head not written');
      this.#isHeadFailing = true;
      this.#options.health.failing(CHECK, `${this.#options.headPath} cannot be written: ${reason(error)}`);
    }
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

  /** Never throws: what cannot be written is shown as such. */
  #body(entry: AuditEntry): Body {
    const { seal, bootId, logger } = this.#options;
    const { at, callId, fact } = entry;
    const id = `${bootId}-${(this.#nextId++).toString(36)}`;
    try {
      return { at, callId, body: canonicalBody({ id, at, callId, fact, seal }) };
    } catch (error) {
      logger.error({ err: error, kind: fact.fact }, 'fact not writable');
      const instead: Fact = { fact: 'factUnwritable', kind: fact.fact, because: reason(error) };
      return { at, callId, body: canonicalBody({ id, at, callId, fact: instead, seal }) };
    }
  }
}

async function openSpool(options: AuditLogOptions): Promise<SpoolFile | null> {
  if (options.spoolPath === null) return null;
  try {
    return await SpoolFile.open(options.spoolPath, options.headKey);
  } catch (error) {
    options.logger.error({ err: error, path: options.spoolPath }, 'audit spool not opened');
    return null;
  }
}

/** null when the chain bears out what was certified. */
async function difference(certified: HeadState, head: ChainHead, store: ChainStore): Promise<string | null> {
  switch (certified.kind) {
    case 'missing':
      return head.seq === GENESIS.seq ? null : 'the certified head is missing';
    case 'forged':
      return 'the certified head is damaged, or was made without the key';
    case 'certified': {
      const { seq, hash } = certified.head;
      if (seq === 0) return null;
      if (head.seq < seq) return `the chain was cut: entries ${head.seq + 1} to ${seq} are missing`;
      const [row] = await store.read(seq - 1, 1);
      return row !== undefined && row.seq === seq && isSame(row.hash, hash)
        ? null
        : `entry ${seq} is not the one that was certified`;
    }
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
