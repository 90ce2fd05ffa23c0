import { spawn } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import {
  AuditLog,
  AuditReader,
  Reserve,
  type AuditLogOptions,
  type AuditReaderOptions,
} from '../../src/audit-log/index.ts';
import type { AppendResult, ChainHead, ChainRow, ChainStore, Fact } from '../../src/core/audit/index.ts';
import type { CallId } from '../../src/core/call/index.ts';
import { phi } from '../../src/core/phi/index.ts';
import { instant } from '../../src/core/time/index.ts';
import { type AuditEntry, PortError } from '../../src/engine/ports.ts';
import { createHealth, createLogger, openMetrics } from '../../src/observe/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { phiSealer } from '../../src/vault/index.ts';
import { realClock as clock } from '../support/real-clock.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const NUMBER = '2025550177';
const KEY = Buffer.alloc(32, 7);
const sealer = phiSealer(Buffer.alloc(32, 9));

/** A chain in memory whose disk does what a test tells it. */
class FaultyChain implements ChainStore {
  rows: ChainRow[] = [];
  /** Runs before every append; may throw, or hang. */
  fault: () => Promise<void> | void = () => {};
  /** Runs after every append: committed, but the answer is lost. */
  afterthought: () => void = () => {};
  appends = 0;
  /** One after the other, as a store does. */
  #last: Promise<unknown> = Promise.resolve();

  async head(): Promise<ChainHead> {
    await this.fault();
    return this.#head();
  }
  async append(after: ChainHead, rows: readonly ChainRow[]): Promise<AppendResult> {
    this.appends += 1;
    const result = this.#last.then(() => this.#append(after, rows));
    this.#last = result.catch(() => {});
    return result;
  }
  async #append(after: ChainHead, rows: readonly ChainRow[]): Promise<AppendResult> {
    await this.fault();
    const head = this.#head();
    if (head.seq !== after.seq || Buffer.compare(head.hash, after.hash) !== 0) return { kind: 'headMoved', head };
    this.rows.push(...rows);
    this.afterthought();
    return { kind: 'appended' };
  }
  async read(afterSeq: number, limit: number): Promise<readonly ChainRow[]> {
    return this.rows.filter((row) => row.seq > afterSeq).slice(0, limit);
  }
  async ofCall(callId: string): Promise<readonly ChainRow[]> {
    return this.rows.filter((row) => row.callId === callId);
  }
  async faults(): Promise<readonly string[]> {
    return [];
  }
  /** The same disk for the next process; whoever still uses this one gets no answer any more. */
  afterKill(): FaultyChain {
    const next = new FaultyChain();
    next.rows = [...this.rows];
    this.fault = () => new Promise(() => {});
    return next;
  }
  #head(): ChainHead {
    const last = this.rows.at(-1);
    return last === undefined ? { seq: 0, hash: new Uint8Array(32) } : { seq: last.seq, hash: last.hash };
  }
}

function full(): never {
  throw new PortError('storeUnavailable', { says: 'the disk is full' });
}

interface Bench {
  readonly log: AuditLog;
  readonly reader: AuditReader;
  readonly health: ReturnType<typeof createHealth>;
  readonly lines: string[];
  readonly options: AuditLogOptions;
  readonly signing: AuditReaderOptions['signing'];
}

async function openLog(dir: string, store: ChainStore, more: Partial<AuditLogOptions> = {}): Promise<Bench> {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'debug',
    destination: { write: (line) => void lines.push(line) },
  });
  const health = createHealth();
  const signing = {
    receiptPath: join(dir, 'audit.receipts'),
    checkpointPath: join(dir, 'audit.checkpoints'),
    seed: Buffer.alloc(32, 4),
    checkpointEntries: 64,
    checkpointMinutes: 5,
    anchors: [],
  };
  const options: AuditLogOptions = {
    store,
    headPath: join(dir, 'audit.head'),
    spoolPath: join(dir, 'audit.spool'),
    headKey: KEY,
    seal: (text) => sealer.seal(text),
    bootId: randomBytes(6).toString('base64url'),
    clock,
    // A loaded machine may take its time; only the test of the deadline has one.
    deadlineMs: 60_000,
    logger,
    health,
    metrics: await openMetrics({ process: false }),
    // A command signs nothing.
    signing: more.spoolPath === null ? null : signing,
    ...more,
  };
  const log = await AuditLog.open(options);
  return {
    log,
    reader: new AuditReader({ ...options, signing, open: (sealed) => sealer.open(sealed) }),
    health,
    lines,
    options,
    signing,
  };
}

function fact(n: number): AuditEntry {
  const facts: Fact[] = [
    {
      fact: 'arrived',
      from: 'carrier',
      number: phi(NUMBER),
      dialled: phi(NUMBER),
      peer: '10.0.0.9:5060/udp',
      sipCallId: `c${n}`,
    },
    { fact: 'stepStarted', step: n, says: 'Dr Ames', dwellMs: 15000 },
    { fact: 'keyPressed', menu: 'main', key: String(n), meaning: 'operator' },
  ];
  return { at: instant(1_700_000_000_000 + n), callId: `CALL-${n % 5}` as CallId, fact: facts[n % 3] as Fact };
}

const steps = (count: number, from = 0): AuditEntry[] =>
  Array.from({ length: count }, (_, i) => ({
    at: instant(i),
    callId: 'CALL-1' as CallId,
    fact: { fact: 'stepStarted', step: from + i, says: '', dwellMs: 1 },
  }));

/** With the sign that stands for what could not be read. */
const odd = { fact: 'stepStarted', step: 20, says: 'Dr \ufffd', dwellMs: 1 } as const;

/** The step numbers in the order they lie in the chain. */
async function stepsIn(reader: AuditReader): Promise<number[]> {
  const records = await reader.list({ afterSeq: 0, limit: 1_000_000 });
  return records.flatMap(({ fact }) => (fact.fact === 'stepStarted' ? [fact.step] : []));
}

/** A caller waits for the spool file only a moment; a busy disk may take longer. */
async function untilSpooled(dir: string, facts: number): Promise<void> {
  await until(() => readFileSync(join(dir, 'audit.spool'), 'utf8').match(/stepStarted/g)?.length === facts);
}

/** The alarm ends when what waited then is written; what came in meanwhile follows. */
async function caughtUp(health: Bench['health'], log: AuditLog): Promise<void> {
  await until(() => health.report().kind === 'ok' && log.waiting === 0);
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setImmediate(resolve));
}

void t.test('facts are durable, chained, read back with names opened only by key', async (t) => {
  const dir = t.testdir({});
  const store = await openStore(join(dir, 'w.db'));
  t.teardown(() => store.close());
  const { log, reader, options, signing } = await openLog(dir, store.chain);
  t.same(await Promise.all(Array.from({ length: 200 }, (_, n) => log.attest([fact(n)]))), Array(200).fill('durable'));
  t.equal(await log.attest([]), 'durable');
  await until(async () => {
    const verdict = await reader.verify();
    return verdict.kind === 'intact' && verdict.entries === 200 && verdict.uncertified === 0;
  });
  const call = await reader.ofCall('CALL-0');
  t.equal(call.length, 40);
  const arrived = call[0];
  t.match(arrived, {
    seq: 1,
    callId: 'CALL-0',
    isLate: false,
    fact: { fact: 'arrived', from: 'carrier', sipCallId: 'c0' },
  });
  t.equal(arrived?.fact.fact === 'arrived' && arrived.fact.number?.reveal(), NUMBER);
  const closed = await new AuditReader({ ...options, signing, open: undefined }).ofCall('CALL-0');
  t.equal(closed[0]?.fact.fact === 'arrived' && closed[0].fact.number?.reveal(), '[sealed]');
  await log.close();
  await store.close();
  for (const file of ['w.db', 'audit.head', 'audit.spool']) {
    t.notOk(readFileSync(join(dir, file)).includes(NUMBER), `${file} names nobody`);
    t.equal(statSync(join(dir, file)).mode & 0o777, 0o600);
  }
});

void t.test('facts that come together are committed together, in order', async (t) => {
  const store = new FaultyChain();
  const { log, reader } = await openLog(t.testdir({}), store);
  await Promise.all(steps(500).map((entry) => log.attest([entry])));
  t.ok(store.appends <= 12, `${store.appends} commits`);
  t.same(
    await stepsIn(reader),
    Array.from({ length: 500 }, (_, i) => i),
  );
  await log.close();
});

void t.test(
  'the store is full, then has space again: calls go on, nothing is lost, order is kept, late is said',
  async (t) => {
    const dir = t.testdir({});
    const store = new FaultyChain();
    const { log, reader, health, lines } = await openLog(dir, store);
    t.equal(await log.attest(steps(1)), 'durable');
    store.fault = full;
    t.equal(await log.attest(steps(10, 1)), 'spooled');
    t.match(health.report(), { kind: 'failing', checks: [{ name: 'audit', why: /the disk is full/ }] });
    for (let i = 0; i < 20; i++) t.equal(await log.attest(steps(5, 11 + i * 5)), 'spooled');
    t.match(lines.filter((line) => line.includes('"error"')).join(''), /audit delayed.*|the disk is full/);
    await untilSpooled(dir, 110);
    t.notOk(readFileSync(join(dir, 'audit.spool')).includes(NUMBER));
    store.fault = () => {};
    await caughtUp(health, log);
    t.equal(await log.attest(steps(1, 111)), 'durable');
    t.same(
      await stepsIn(reader),
      Array.from({ length: 112 }, (_, i) => i),
    );
    const records = await reader.list({ afterSeq: 0, limit: 1000 });
    t.same(records.filter((r) => r.isLate).length, 110);
    t.match(records.find((r) => r.fact.fact === 'auditDelayed')?.fact, { facts: 110, because: 'the disk is full' });
    t.equal((await reader.verify()).kind, 'intact');
    t.equal(statSync(join(dir, 'audit.spool')).size, 0);
    await log.close();
  },
);

void t.test('what comes during a long commit is under way when the next one begins', async (t) => {
  const chain = new FaultyChain();
  const { log, reader } = await openLog(t.testdir({}), chain);
  await log.attest(steps(1));
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  chain.fault = () => held;
  const before = chain.appends;
  const answers: Promise<string>[] = [];
  for (let i = 0; i < 30; i++) {
    answers.push(log.attest(steps(1, 1 + i)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(chain.appends - before, 30, 'none waits behind a number of others');
  goOn();
  t.same(await Promise.all(answers), Array(30).fill('durable'));
  t.same(
    await stepsIn(reader),
    Array.from({ length: 31 }, (_, i) => i),
  );
  await log.close();
});

void t.test('a full disk: the reserve is freed, the audit goes on, and the reserve is made again', async (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'audit.reserve');
  const virtual = new VirtualClock();
  let leftBytes = 1e9;
  const health = createHealth();
  const reserve = new Reserve({
    path,
    clock: virtual,
    logger: createLogger({ name: 'test', level: 'error', destination: { write: () => {} } }),
    health,
    sizeBytes: 2 * 1024 * 1024,
    leftBytes: async () => leftBytes,
  });
  const isMade = async () => {
    virtual.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
    return health.report().checks.some(({ name, kind }) => name === 'audit reserve' && kind === 'ok');
  };
  virtual.advance(60_000);
  await until(isMade);
  t.equal(statSync(path).size, 2 * 1024 * 1024);
  t.equal(statSync(path).mode & 0o777, 0o600);

  const store = new FaultyChain();
  const { log, reader } = await openLog(dir, store, { reserve });
  store.fault = full;
  await log.attest(steps(1));
  t.ok(existsSync(path), 'a store that fails on a disk with space is helped by nothing that is deleted');
  leftBytes = 0;
  store.fault = () => (existsSync(path) ? full() : undefined);
  await until(() => !existsSync(path));
  await until(() => log.waiting === 0);
  for (let from = 1; from < 10_001; from += 500) t.equal(await log.attest(steps(500, from)), 'durable');
  t.equal((await stepsIn(reader)).length, 10_001);
  t.match(health.report(), { kind: 'failing', checks: [{ name: 'audit reserve', why: /free space/ }] });

  leftBytes = 1e9;
  virtual.advance(60_000);
  await until(isMade);
  t.equal(statSync(path).size, 2 * 1024 * 1024);
  await log.close();
  t.ok(existsSync(path), 'for the next start');
});

void t.test(
  'a store that hangs is answered for within its time; what it takes after all is written once',
  async (t) => {
    const dir = t.testdir({});
    const store = new FaultyChain();
    const { log, reader, health } = await openLog(dir, store, { deadlineMs: 50 });
    let release = (): void => {};
    store.fault = () => new Promise((resolve) => (release = resolve));
    const first = log.attest(steps(3));
    await until(() => store.appends === 1);
    const second = log.attest(steps(3, 3));
    t.same(await Promise.all([first, second]), ['spooled', 'spooled']);
    t.equal(await log.attest(steps(1, 6)), 'spooled');
    store.fault = () => {};
    release();
    await caughtUp(health, log);
    t.same(await stepsIn(reader), [0, 1, 2, 3, 4, 5, 6]);
    const records = await reader.list({ afterSeq: 0, limit: 100 });
    t.same(
      records.map((r) => r.isLate),
      [false, false, false, false, false, false, true, false],
      'late is what the store was given late',
    );
    await log.close();
  },
);

void t.test('a store that dies between commit and answer: nothing is written twice, nothing is lost', async (t) => {
  const store = new FaultyChain();
  const { log, reader, health } = await openLog(t.testdir({}), store);
  await log.attest(steps(2));
  let answers = 0;
  // The first of three groups is committed without an answer, the others never reach the store.
  store.afterthought = () => {
    answers += 1;
    if (answers === 1) full();
  };
  store.fault = () => (answers === 1 ? full() : undefined);
  const groups = [steps(100, 2), steps(100, 102), steps(100, 202)].map((group) => log.attest(group));
  t.same(await Promise.all(groups), ['spooled', 'spooled', 'spooled']);
  store.fault = () => {};
  await caughtUp(health, log);
  t.equal(await log.attest(steps(1, 302)), 'durable');
  t.same(
    await stepsIn(reader),
    Array.from({ length: 303 }, (_, i) => i),
  );
  t.match(await reader.verify(), { kind: 'intact' });
  await log.close();
});

void t.test('killed while the store is away: the next start merges the spool, in order, once', async (t) => {
  const dir = t.testdir({});
  const store = new FaultyChain();
  const killed = await openLog(dir, store);
  t.teardown(() => void killed.log.close());
  await killed.log.attest(steps(2));
  // The commit of these three is done, but its answer never comes; then the disk is gone.
  let hang = false;
  store.afterthought = () => {
    hang = true;
    full();
  };
  store.fault = () => (hang ? new Promise<void>(() => {}) : undefined);
  t.equal(await killed.log.attest(steps(3, 2)), 'spooled');
  t.equal(await killed.log.attest(steps(4, 5)), 'spooled');
  await untilSpooled(dir, 7);

  const next = await openLog(dir, store.afterKill());
  t.equal(await next.log.attest(steps(1, 9)), 'spooled', 'behind what waits already');
  await caughtUp(next.health, next.log);
  t.equal(await next.log.attest(steps(1, 10)), 'durable');
  t.same(await stepsIn(next.reader), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  t.equal((await next.reader.verify()).kind, 'intact');
  await next.log.close();
});

void t.test('no disk takes a fact: it is told at once, and nothing is missing once the store is back', async (t) => {
  // A device that is always full, and one that cannot make anything durable.
  for (const spoolPath of ['/dev/full', '/dev/null']) {
    const chain = new FaultyChain();
    const { log, reader, health, lines } = await openLog(t.testdir({}), chain, { spoolPath });
    await log.attest(steps(1));
    t.ok(log.canKeep, 'the store takes facts');
    chain.fault = full;
    t.equal(await log.attest(steps(3, 1)), 'spooled');
    const told = () => JSON.stringify(health.report());
    await until(() => /facts are in memory alone/.test(told()));
    // No call is refused for a disk that is full: somebody will make room.
    t.equal(log.canKeep, spoolPath === '/dev/full');
    t.match(told(), spoolPath === '/dev/full' ? /free disk space/ : /calls that are not STAT are refused/);
    t.equal(lines.filter((line) => line.includes('facts are in memory alone')).length, 1);
    t.equal(await log.attest(steps(3, 4)), 'spooled', 'who calls still does not wait');
    chain.fault = () => {};
    await caughtUp(health, log);
    t.ok(log.canKeep);
    t.equal(await log.attest(steps(1, 7)), 'durable');
    t.same(await stepsIn(reader), [0, 1, 2, 3, 4, 5, 6, 7]);
    await log.close();
  }
});

void t.test('a spool file that was torn or altered says how much is lost', async (t) => {
  const dir = t.testdir({});
  const store = new FaultyChain();
  const killed = await openLog(dir, store);
  t.teardown(() => void killed.log.close());
  await killed.log.attest(steps(1));
  store.fault = full;
  await killed.log.attest(steps(5, 1));
  await untilSpooled(dir, 5);
  const path = join(dir, 'audit.spool');
  const text = readFileSync(path, 'utf8').replace('"step":2', '"step":7');
  writeFileSync(path, text.slice(0, -20));
  const next = await openLog(dir, store.afterKill());
  await caughtUp(next.health, next.log);
  t.same(await stepsIn(next.reader), [0, 1, 3, 4]);
  const records = await next.reader.list({ afterSeq: 0, limit: 100 });
  t.match(records.find((r) => r.fact.fact === 'auditLost')?.fact, { facts: 2 });
  t.match(next.lines.join(''), /audit facts lost/);
  await next.log.close();
});

void t.test('more facts than memory keeps are read back from the spool file', async (t) => {
  const dir = t.testdir({});
  const store = new FaultyChain();
  const { log, reader, health } = await openLog(dir, store, { maxKept: 1000 });
  await log.attest(steps(1));
  store.fault = full;
  const COUNT = 5400;
  for (let from = 1; from < COUNT; from += 50) await log.attest(steps(Math.min(50, COUNT - from), from));
  t.equal(log.waiting, 1000, 'memory is bounded');
  store.fault = () => {};
  await caughtUp(health, log);
  const found = await stepsIn(reader);
  t.equal(found.length, COUNT);
  t.ok(
    found.every((step, i) => step === i),
    'in order',
  );
  t.equal((await reader.verify()).kind, 'intact');
  await log.close();
});

void t.test('no spool file and no memory left: the loss is counted, said and recorded', async (t) => {
  const store = new FaultyChain();
  const { log, reader, health } = await openLog(t.testdir({}), store, { spoolPath: null, maxKept: 1000 });
  await log.attest(steps(1));
  store.fault = full;
  for (let i = 0; i < 12; i++) await log.attest(steps(100));
  t.match(health.report().checks[0], { why: /facts were lost/ });
  store.fault = () => {};
  await caughtUp(health, log);
  const lost = (await reader.list({ afterSeq: 0, limit: 10_000 })).find((r) => r.fact.fact === 'auditLost');
  t.match(lost?.fact, { facts: 200 });
  await log.close();
});

void t.test('under load the log leaves the delayed state', async (t) => {
  const store = new FaultyChain();
  const { log, health } = await openLog(t.testdir({}), store);
  store.fault = full;
  await log.attest(steps(1));
  store.fault = () => new Promise((resolve) => setImmediate(resolve));
  const load = new AbortController();
  const loaded = (async () => {
    while (!load.signal.aborted) {
      void log.attest(steps(1));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await until(() => health.report().kind === 'ok');
  t.equal(await log.attest(steps(1)), 'durable');
  load.abort();
  await loaded;
  await log.close();
});

void t.test('an owner and commands in other processes append to one chain', async (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'w.db');
  const store = await openStore(path);
  const owner = await openLog(dir, store.chain);
  const guestStore = await openStore(path, { as: 'guest' });
  const guest = await openLog(dir, guestStore.chain, { spoolPath: null });
  const results: string[] = [];
  for (let i = 0; i < 30; i++) {
    results.push(...(await Promise.all([owner.log.attest(steps(2)), guest.log.attest(steps(1))])));
  }
  t.equal(results.length, 60);
  t.same(await guest.log.close(), { unwritten: 0 });
  await guestStore.close();
  await owner.log.attest(steps(1));
  // Whoever finds the store locked for longer than a call may wait spools its facts, and they follow.
  t.same(await owner.log.close(), { unwritten: 0 });
  t.match(await owner.reader.verify(), { kind: 'intact' });
  t.equal((await stepsIn(owner.reader)).length, 91);
  await store.close();
});

void t.test(
  'the chain was cut while Wardline was down: recorded, alarmed, evidence kept, never repaired in silence',
  async (t) => {
    const dir = t.testdir({});
    const store = new FaultyChain();
    const before = await openLog(dir, store);
    await before.log.attest(steps(10));
    await before.log.close();
    store.rows.length = 7;
    const after = await openLog(dir, store);
    await after.log.attest(steps(1));
    t.match(after.lines.join(''), /audit chain differs from its certified head/);
    const records = await after.reader.list({ afterSeq: 7, limit: 5 });
    t.match(records[0]?.fact, {
      fact: 'auditBroken',
      certifiedEntries: 10,
      foundEntries: 7,
      because: /entries 8 to 10 are missing/,
    });
    const verdict = await after.reader.verify();
    t.equal(verdict.kind, 'broken');
    // The very entries that were cut are named, though the chain has gone on over them.
    t.match(verdict.kind === 'broken' && verdict.problems, [
      { what: 'rewritten', seq: 8 },
      { what: 'removed', seq: 10 },
      { what: 'headSetAside', says: /audit\.head\.broken-/ },
    ]);
    await after.log.close();
  },
);

void t.test('a head file that was replaced, forged, deleted, or cannot be written', async (t) => {
  const dir = t.testdir({});
  const store = new FaultyChain();
  const { log, reader, options, signing } = await openLog(dir, store);
  await log.attest(steps(3));
  await log.attest(steps(2));
  await log.close();
  const whole = readFileSync(options.headPath);
  const forged = Buffer.from(whole.toString('latin1').replace(/[0-9a-f]{64}/g, 'ab'.repeat(32)));
  writeFileSync(options.headPath, forged);
  t.match(await reader.verify(), { kind: 'broken', problems: [{ what: 'headForged' }] });
  const otherKey = new AuditReader({ ...options, signing, headKey: Buffer.alloc(32, 1) });
  writeFileSync(options.headPath, whole);
  t.match(await otherKey.verify(), { problems: [{ what: 'headForged' }] }, 'written without the key');
  t.match(await reader.verify(), { kind: 'intact' });
  const torn = Buffer.from(whole);
  torn.fill(0, 300, 400);
  writeFileSync(options.headPath, torn);
  t.match(await reader.verify(), { kind: 'intact' }, 'one torn slot costs at most one commit');

  const elsewhere = await openLog(dir, new FaultyChain(), { headPath: join(dir, 'none', 'audit.head') });
  t.equal(await elsewhere.log.attest(steps(1)), 'durable', 'the entry itself is safe');
  const why = () => JSON.stringify(elsewhere.health.report());
  await until(() => /audit\.head cannot be written/.test(why()));
  mkdirSync(join(dir, 'none'));
  await elsewhere.log.attest(steps(1));
  await until(() => existsSync(join(dir, 'none', 'audit.head')));
  await elsewhere.log.close();
});

void t.test('a fact that cannot be written is shown, not left out', async (t) => {
  const { log, reader } = await openLog(t.testdir({}), new FaultyChain());
  const wrong = { fact: 'stepStarted', step: 1, says: '', dwellMs: 1.5 } as const;
  t.equal(await log.attest([{ at: instant(1), callId: 'CALL-1' as CallId, fact: wrong }]), 'durable');
  t.match((await reader.ofCall('CALL-1'))[0]?.fact, { fact: 'factUnwritable', kind: 'stepStarted', because: /1\.5/ });
  await log.close();
});

void t.test('a stop while the store is away leaves everything in the spool file', async (t) => {
  const dir = t.testdir({});
  const store = new FaultyChain();
  const first = await openLog(dir, store);
  await first.log.attest(steps(1));
  store.fault = full;
  await first.log.attest(steps(5, 1));
  const { unwritten } = await first.log.close();
  t.equal(unwritten, 5);
  store.fault = () => {};
  const next = await openLog(dir, store);
  await caughtUp(next.health, next.log);
  t.same(await stepsIn(next.reader), [0, 1, 2, 3, 4, 5]);
  await next.log.close();
});

void t.test('a copy made under load, heads first and then the store, is an intact record', async (t) => {
  const dir = t.testdir({ copy: {} });
  const path = join(dir, 'w.db');
  const store = await openStore(path);
  const { log, options, signing } = await openLog(dir, store.chain);
  await log.attest(steps(200));
  let isOver = false;
  const load = (async () => {
    for (let i = 200; !isOver; i += 8) await log.attest(steps(8, i));
  })();
  const hasCheckpoint = (): boolean =>
    existsSync(signing.checkpointPath) && readFileSync(signing.checkpointPath, 'utf8').includes('\n');
  await until(hasCheckpoint);
  const into = (name: string) => join(dir, 'copy', name);
  for (const name of ['audit.head', 'audit.checkpoints']) copyFileSync(join(dir, name), into(name));
  const running = new Database(path, { readonly: true });
  await running.backup(into('w.db'));
  running.close();
  isOver = true;
  await load;
  await log.close();
  await store.close();
  const restored = await openStore(into('w.db'), { as: 'reader' });
  const reader = new AuditReader({
    ...options,
    store: restored.chain,
    headPath: into('audit.head'),
    signing: { ...signing, checkpointPath: into('audit.checkpoints') },
  });
  const verdict = await reader.verify();
  t.match(verdict, { kind: 'intact' });
  t.ok(verdict.kind === 'intact' && verdict.entries >= 200 && verdict.signedUpTo >= 64);
  await restored.close();
});

void t.test('the store is locked by another process for a while: no call waits, nothing is lost', async (t) => {
  const dir = t.testdir({});
  const store = await openStore(join(dir, 'w.db'));
  const { log, reader, health } = await openLog(dir, store.chain);
  await log.attest(steps(1));
  const other = new Database(join(dir, 'w.db'));
  other.exec('BEGIN IMMEDIATE');
  for (let i = 0; i < 10; i++) t.equal(await log.attest(steps(10, 1 + i * 10)), 'spooled');
  t.match(health.report().checks[0], { why: /locked by another process/ });
  other.exec('COMMIT');
  other.close();
  await caughtUp(health, log);
  t.same(
    await stepsIn(reader),
    Array.from({ length: 101 }, (_, i) => i),
  );
  t.equal((await reader.verify()).kind, 'intact');
  await log.close();
  await store.close();
});

void t.test('one byte changed in the file of the store is found at its entry', async (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'w.db');
  const store = await openStore(path);
  const { log, options, signing } = await openLog(dir, store.chain);
  await log.attest(steps(300));
  await log.close();
  await store.close();
  const bytes = readFileSync(path);
  bytes.write('6', bytes.indexOf('"step":173}') + 7);
  writeFileSync(path, bytes);
  const harmed = await openStore(path, { as: 'reader' });
  const verdict = await new AuditReader({ ...options, signing, store: harmed.chain }).verify();
  t.match(verdict, { kind: 'broken', problems: [{ what: 'edited', seq: 174, callId: 'CALL-1' }] });
  t.equal(verdict.kind === 'broken' && verdict.problems.length, 1);
  await harmed.close();
});

void t.test('whoever can write any SQL is found at the entry, whatever it is that is put there', async (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'w.db');
  const store = await openStore(path);
  const { log, options, signing } = await openLog(dir, store.chain);
  await log.attest([...steps(20), ...steps(1).map((entry) => ({ ...entry, fact: { ...odd } })), ...steps(279, 21)]);
  await log.close();
  await store.close();
  const whole = readFileSync(path);
  const noKey =
    'create table other as select * from audit_entries; drop table audit_entries; alter table other rename to audit_entries;';
  const harms: Readonly<Record<string, readonly [sql: string, seq: number]>> = {
    'a body of bytes': ['update audit_entries set body = cast(body as blob) where seq = 150', 150],
    'other bytes that read the same': [
      "update audit_entries set body = cast(replace(cast(body as blob), x'efbfbd', x'f09f98') as text) where seq = 21",
      21,
    ],
    'a hash that is a text': ['update audit_entries set hash = cast(hash as text) where seq = 151', 151],
    'a back link that is a text': ['update audit_entries set prev = cast(prev as text) where seq = 152', 152],
    'a longer hash': ["update audit_entries set hash = cast(hash || x'00' as blob) where seq = 153", 153],
    'a time with a fraction': ['update audit_entries set at = at + 0.25 where seq = 155', 155],
    'a call that is bytes': ['update audit_entries set call_id = cast(call_id as blob) where seq = 156', 156],
    'a huge body': ['update audit_entries set body = body || hex(zeroblob(3000000)) where seq = 157', 157],
    'an entry twice': [`${noKey} insert into audit_entries select * from audit_entries where seq = 158`, 158],
    'a column that is computed': [
      `${noKey} alter table audit_entries rename to kept;
       create view audit_entries as select seq, at, call_id, iif(seq = 159, replace(body, '"step"', '"Step"'), body) as body, prev, hash from kept`,
      159,
    ],
  };
  for (const [name, [sql, seq]] of Object.entries(harms)) {
    writeFileSync(path, whole);
    const db = new Database(path);
    db.exec(sql);
    db.close();
    const harmed = await openStore(path, { as: 'reader' });
    const verdict = await new AuditReader({ ...options, signing, store: harmed.chain }).verify();
    await harmed.close();
    t.equal(verdict.kind === 'broken' && verdict.problems[0]?.seq, seq, name);
  }
});

void t.test('killed at any moment, again and again: what was acknowledged is there', { timeout: 60_000 }, async (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'w.db');
  const source = (name: string) => JSON.stringify(join(process.cwd(), 'src', name, 'index.ts'));
  const code = `
    const { openStore } = await import(${source('storage')});
    const { AuditLog } = await import(${source('audit-log')});
    const { createHealth, createLogger } = await import(${source('observe')});
    const store = await openStore(${JSON.stringify(path)});
    const log = await AuditLog.open({
      store: store.chain, headPath: ${JSON.stringify(join(dir, 'audit.head'))}, spoolPath: ${JSON.stringify(join(dir, 'audit.spool'))},
      headKey: Buffer.alloc(32, 7), seal: String, bootId: String(process.pid), health: createHealth(), deadlineMs: 60_000,
      clock: { now: Date.now, monotonicMs: () => performance.now(), after: (ms, run) => { const x = setTimeout(run, ms); return { cancel: () => clearTimeout(x) }; } },
      logger: createLogger({ name: 'child', level: 'error', destination: process.stderr }),
      signing: { checkpointPath: ${JSON.stringify(join(dir, 'audit.checkpoints'))}, seed: Buffer.alloc(32, 4), checkpointEntries: 64, checkpointMinutes: 5, anchors: [] },
    });
    let step = Number(process.argv[1]);
    for (let caller = 0; caller < 8; caller++) void (async () => {
      for (;;) {
        const mine = step++;
        const how = await log.attest([{ at: Date.now(), callId: 'CALL-1', fact: { fact: 'stepStarted', step: mine, says: '', dwellMs: 1 } }]);
        process.stdout.write(mine + ' ' + how + '\\n');
      }
    })();
  `;
  const acknowledged: number[] = [];
  for (let round = 1; round <= 3; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, String(round * 1_000_000)]);
    const exited = once(child, 'exit');
    let out = '';
    const enough = 20 + Math.floor(Math.random() * 400);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (out.split('\n').length > enough) child.kill('SIGKILL');
    });
    await exited;
    acknowledged.push(...[...out.matchAll(/^(\d+) durable\n/gm)].map((match) => Number(match[1])));
  }
  t.ok(acknowledged.length > 60, `${acknowledged.length} acknowledged`);
  const store = await openStore(path);
  const { log, reader } = await openLog(dir, store.chain);
  const found = new Set(await stepsIn(reader));
  t.same(
    acknowledged.filter((step) => !found.has(step)),
    [],
    'nothing that was acknowledged is lost',
  );
  t.match(await reader.verify(), { kind: 'intact' });
  await log.close();
  await store.close();
});

void t.test('docs/reference/audit-chain.md is enough to check a chain', async (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'w.db');
  const store = await openStore(path);
  const { log, options } = await openLog(dir, store.chain);
  await log.attest(Array.from({ length: 20 }, (_, n) => fact(n)));
  await log.close();
  await store.close();
  // From here on only what the page says.
  const sqlite = new Database(path, { readonly: true });
  const rows = sqlite.prepare('select seq, body, prev, hash from audit_entries order by seq').all() as {
    seq: number;
    body: string;
    prev: Buffer;
    hash: Buffer;
  }[];
  let prev = Buffer.alloc(32);
  for (const [i, row] of rows.entries()) {
    t.equal(row.seq, i + 1);
    t.same(row.prev, prev);
    prev = createHash('sha256').update(prev).update(row.body).digest();
    t.same(row.hash, prev);
    t.same(Object.keys(JSON.parse(row.body) as object), ['at', 'callId', 'fact', 'id']);
  }
  sqlite.close();
  const head = readFileSync(options.headPath, 'latin1');
  const slots = [head.slice(0, 256), head.slice(256)].map((slot) => slot.trim().split(' '));
  const [seq, hash, mac] = slots.sort((one, other) => Number(other[0]) - Number(one[0]))[0] ?? [];
  t.same([seq, hash], ['20', prev.toString('hex')]);
  t.equal(mac, createHmac('sha256', KEY).update(`wardline audit head 1\n${seq}\n${hash}`).digest('hex'));
  const page = readFileSync('docs/reference/audit-chain.md', 'utf8');
  const verify = readFileSync('src/audit-log/problem.ts', 'utf8');
  const kinds = /export type ProblemKind =([^;]+);/.exec(verify)?.[1]?.match(/\w+/g) ?? [];
  t.equal(kinds.length, 11);
  for (const kind of kinds) t.ok(page.includes(`\`${kind}\``), kind);
});

void t.test('a store that is late again and again is one line in the log', async (t) => {
  const dir = t.testdir({});
  const store = new FaultyChain();
  const { log, health, lines } = await openLog(dir, store);
  for (let i = 0; i < 5; i++) {
    store.fault = full;
    t.equal(await log.attest(steps(1, i)), 'spooled');
    store.fault = () => {};
    await caughtUp(health, log);
  }
  const delayed = () => lines.filter((line) => line.includes('audit delayed'));
  t.equal(delayed().length, 1);
  await log.close();
  t.match(JSON.parse(delayed()[1] ?? '{}'), { because: 'the disk is full', times: 4 }, 'with how often, in the end');
});
