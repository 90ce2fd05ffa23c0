/**
 * How fast the audit is: facts per second grouped and one by one, the delay it adds to a call's step, and verifying.
 * `node test/bench/audit.ts [entries to verify]` prints a table and JSON; `benchAudit` is for the bench runner.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AuditLog, AuditReader } from '../../src/audit-log/index.ts';
import type { CallId } from '../../src/core/call/index.ts';
import { phi } from '../../src/core/phi/index.ts';
import { instant } from '../../src/core/time/index.ts';
import type { AuditEntry } from '../../src/engine/ports.ts';
import { createHealth, createLogger } from '../../src/observe/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { phiSealer } from '../../src/vault/index.ts';
import { realClock as clock } from '../support/real-clock.ts';

export interface AuditFigures {
  readonly groupedFactsPerSecond: number;
  readonly singleFactsPerSecond: number;
  /** From attest to its answer at 200 calls/s, six facts each in four steps. */
  readonly addedMs: Spread;
  /** Of the same moments: a thread is asked and answers, and nothing is written. What this machine takes whatever we do. */
  readonly bareThreadMs: Spread;
  /** Both with 5 ms added to every commit, in the thread that writes. */
  readonly addedWithSlowDiskMs: Spread;
  readonly bareThreadWithSlowDiskMs: Spread;
  readonly spooled: number;
  /** CPU beside the clock: on a machine that is shared only the first tells something. */
  readonly verify: {
    readonly entries: number;
    readonly cpuSeconds: number;
    readonly seconds: number;
    readonly verdict: string;
  };
}

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const SECONDS = 3;
/** Where throughput is asked for, a slow moment must not turn into spooling. */
const PATIENT = { deadlineMs: 60_000 };
export async function benchAudit(options: { readonly verifyEntries: number }): Promise<AuditFigures> {
  const groupedFactsPerSecond = await withLog(grouped, PATIENT);
  const singleFactsPerSecond = await withLog(oneByOne, PATIENT);
  const normal = await withLog((log) => addedDelay(log, 0));
  const slow = await withLog((log) => addedDelay(log, 5), { slowMs: 5 });
  const verify = await withLog((log, reader) => fillAndVerify(log, reader, options.verifyEntries), PATIENT);
  return {
    groupedFactsPerSecond,
    singleFactsPerSecond,
    addedMs: normal.added,
    bareThreadMs: normal.bare,
    addedWithSlowDiskMs: slow.added,
    bareThreadWithSlowDiskMs: slow.bare,
    spooled: normal.spooled + slow.spooled,
    verify,
  };
}

/** As many facts as the log takes, from 64 callers that each wait for their answer. */
async function grouped(log: AuditLog): Promise<number> {
  let facts = 0;
  const until = performance.now() + SECONDS * 1000;
  const caller = async (n: number) => {
    while (performance.now() < until) {
      await log.attest(Array.from({ length: 8 }, (_, i) => fact(n, i)));
      facts += 8;
    }
  };
  await Promise.all(Array.from({ length: 64 }, (_, n) => caller(n)));
  return Math.round(facts / SECONDS);
}

/** One fact, its answer, the next fact: a commit each. */
async function oneByOne(log: AuditLog): Promise<number> {
  let facts = 0;
  const until = performance.now() + SECONDS * 1000;
  while (performance.now() < until) {
    await log.attest([fact(facts, 1)]);
    facts += 1;
  }
  return Math.round(facts / SECONDS);
}

async function addedDelay(log: AuditLog, slowMs: number) {
  const bare = new BareThread(slowMs);
  await bare.answer();
  const tookMs: number[] = [];
  const bareMs: number[] = [];
  let spooled = 0;
  const step = async (n: number, facts: number) => {
    const start = performance.now();
    const attested = log.attest(Array.from({ length: facts }, (_, i) => fact(n, i))).then((how) => {
      if (how === 'spooled') spooled += 1;
      tookMs.push(performance.now() - start);
    });
    await Promise.all([attested, bare.answer().then(() => bareMs.push(performance.now() - start))]);
  };
  const begin = performance.now();
  const running: Promise<void>[] = [];
  for (let steps = 0; steps < 800 * SECONDS; ) {
    // A timer of one millisecond is late by chance, so whatever is due is started together.
    const due = Math.floor((performance.now() - begin) * 0.8);
    for (; steps < due; steps++) running.push(step(steps, (steps % 2) + 1));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
  await bare.close();
  return { added: spread(tookMs), bare: spread(bareMs), spooled };
}

function spread(times: readonly number[]): Spread {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

class BareThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, () => void>();
  #next = 0;

  constructor(slowMs: number) {
    this.#worker = new Worker(new URL('./bare-thread.ts', import.meta.url), { workerData: { slowMs }, execArgv: [] });
    this.#worker.on('message', (ids: readonly number[]) => {
      for (const id of ids) this.#waiting.get(id)?.();
    });
  }

  answer(): Promise<void> {
    const id = this.#next++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage(id);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

async function fillAndVerify(log: AuditLog, reader: AuditReader, entries: number) {
  for (let done = 0; done < entries; done += 512) {
    await log.attest(Array.from({ length: Math.min(512, entries - done) }, (_, i) => fact(done + i, i)));
  }
  const start = performance.now();
  const cpuBefore = process.cpuUsage();
  const verdict = await reader.verify();
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    entries: verdict.entries,
    cpuSeconds: round((user + system) / 1_000_000),
    seconds: round((performance.now() - start) / 1000),
    verdict: verdict.kind,
  };
}

/** `slowMs`: added to every commit, in the thread that writes. */
async function withLog<T>(
  run: (log: AuditLog, reader: AuditReader) => Promise<T>,
  how: { readonly slowMs?: number; readonly deadlineMs?: number } = {},
): Promise<T> {
  const { slowMs = 0, deadlineMs } = how;
  const dir = mkdtempSync(join(tmpdir(), 'wardline-bench-'));
  const sealer = phiSealer(Buffer.alloc(32, 1));
  const { NODE_OPTIONS: options } = process.env;
  if (slowMs > 0)
    process.env['NODE_OPTIONS'] = `--import=${new URL(`slow-commits.ts?ms=${slowMs}`, import.meta.url).href}`;
  const store = await openStore(join(dir, 'wardline.db'));
  if (options === undefined) delete process.env['NODE_OPTIONS'];
  else process.env['NODE_OPTIONS'] = options;
  const checkpointPath = join(dir, 'audit.checkpoints');
  const signing = {
    receiptPath: join(dir, 'audit.receipts'),
    checkpointPath,
    seed: Buffer.alloc(32, 3),
    checkpointEntries: 1000,
    checkpointMinutes: 5,
    anchors: [],
  };
  const paths = { headPath: join(dir, 'audit.head'), headKey: Buffer.alloc(32, 2), signing };
  const log = await AuditLog.open({
    ...paths,
    store: store.chain,
    spoolPath: join(dir, 'audit.spool'),
    seal: (text) => sealer.seal(text),
    bootId: 'bench',
    clock,
    deadlineMs,
    logger: createLogger({ name: 'bench', level: 'error', destination: process.stderr }),
    health: createHealth(),
  });
  try {
    return await run(log, new AuditReader({ ...paths, store: store.chain }));
  } finally {
    await log.close();
    await store.close();
    rmSync(dir, { recursive: true });
  }
}

function fact(call: number, i: number): AuditEntry {
  const at = instant(1_790_000_000_000 + call);
  const callId = `K${call % 100_000}` as CallId;
  if (i === 0 && call % 4 === 0) {
    const number = phi('+12025550177');
    const arrived = { fact: 'arrived', from: 'carrier', number, dialled: '7011', peer: '10.0.0.9:5060/udp' } as const;
    return { at, callId, fact: { ...arrived, sipCallId: `call-${call}@10.0.0.9` } };
  }
  const because =
    'weekly rotation since 2026-01-05 08:00, on duty until 2026-11-23 08:00; desk 3101 and mobile rung together';
  return {
    at,
    callId,
    fact: {
      fact: 'considered',
      step: i,
      tier: 'primary',
      person: 'dr-ames',
      device: 'desk',
      verdict: 'rung',
      because,
      duty: because,
    },
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

if (import.meta.main) {
  const figures = await benchAudit({ verifyEntries: Number(process.argv[2] ?? 1_000_000) });
  console.table({
    'grouped, facts/s': figures.groupedFactsPerSecond,
    'one by one, facts/s': figures.singleFactsPerSecond,
    'added, p50 ms': figures.addedMs.p50,
    'added, p99 ms': figures.addedMs.p99,
    'a bare thread, p99 ms': figures.bareThreadMs.p99,
    'added with 5 ms fsync, p50 ms': figures.addedWithSlowDiskMs.p50,
    'added with 5 ms fsync, p99 ms': figures.addedWithSlowDiskMs.p99,
    'a bare thread with 5 ms, p50 ms': figures.bareThreadWithSlowDiskMs.p50,
    'a bare thread with 5 ms, p99 ms': figures.bareThreadWithSlowDiskMs.p99,
    'answered "spooled"': figures.spooled,
    [`verify ${figures.verify.entries} entries, s`]: figures.verify.seconds,
    [`verify ${figures.verify.entries} entries, CPU s`]: figures.verify.cpuSeconds,
  });
  console.log(JSON.stringify({ bench: 'audit', ...figures }));
}
