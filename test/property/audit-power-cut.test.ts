import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AuditLog, AuditReader } from '../../src/audit-log/index.ts';
import { instant } from '../../src/core/time/index.ts';
import { createHealth, createLogger } from '../../src/observe/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { CUTS, cuts, randomFrom, someSectors } from '../support/power-cut.ts';
import { realClock as clock } from '../support/real-clock.ts';

/**
 * Power cuts: of what was written and not synced any sector of 512 bytes may have reached the disk, in any order, and any
 * may not. WARDLINE_POWER_CUTS says how many are tried; the seed of one that fails is in its name.
 */
const SEED = Buffer.alloc(32, 4);
const KEY = Buffer.alloc(32, 7);

/** What had been promised at one moment, and what the disk must have had then. */
interface Moment {
  readonly acknowledged: number;
  readonly walBytes: number;
  readonly checkpointBytes: number;
  readonly head: Buffer;
}

function paths(dir: string) {
  const at = (name: string) => join(dir, name);
  return {
    store: at('w.db'),
    wal: at('w.db-wal'),
    head: at('audit.head'),
    checkpoints: at('audit.checkpoints'),
    spool: at('audit.spool'),
    receipts: at('audit.receipts'),
  };
}

/** `whole` with `synced` bytes for sure and, of those up to `written`, any sectors. */
function cut(whole: Buffer, synced: number, written: number, random: () => number): Buffer {
  const length = random() < 0.5 ? synced + Math.floor(random() * (written - synced + 1)) : written;
  return someSectors(whole.subarray(0, length), synced, random);
}

/** From the byte `from`, where a line ends, up to `to`, where another does. */
function endsOfLines(bytes: Buffer, from: number, to: number): readonly number[] {
  const ends = [from];
  for (let at = bytes.indexOf('\n', from); at !== -1 && at < to; at = bytes.indexOf('\n', at + 1)) ends.push(at + 1);
  return ends;
}

const readOr = (path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
};

void t.test(`${CUTS} power cuts: the chain verifies, up to the last entry that was acknowledged`, async (t) => {
  const dir = t.testdir({ lived: {}, cut: {} });
  const lived = paths(join(dir, 'lived'));
  const store = await openStore(lived.store);
  const log = await AuditLog.open({
    store: store.chain,
    headPath: lived.head,
    spoolPath: lived.spool,
    headKey: KEY,
    seal: (text) => text,
    bootId: 'boot',
    clock,
    deadlineMs: 60_000,
    logger: createLogger({ name: 'test', level: 'error', destination: { write: () => {} } }),
    health: createHealth(),
    signing: {
      checkpointPath: lived.checkpoints,
      seed: SEED,
      checkpointEntries: 16,
      checkpointMinutes: 5,
      anchors: [],
    },
  });
  const moments: Moment[] = [];
  let acknowledged = 0;
  for (let group = 0; group < 40; group++) {
    const facts = Array.from({ length: 1 + ((group * 7) % 9) }, (_, i) => ({
      at: instant(1_790_000_000_000 + acknowledged + i),
      callId: null,
      fact: { fact: 'stepStarted', step: acknowledged + i + 1, says: 'Dr Ames', dwellMs: 1000 } as const,
    }));
    t.equal(await log.attest(facts), 'durable');
    acknowledged += facts.length;
    moments.push({
      acknowledged,
      walBytes: statSync(lived.wal).size,
      checkpointBytes: readOr(lived.checkpoints).lastIndexOf('\n') + 1,
      head: readOr(lived.head),
    });
  }
  const wal = readFileSync(lived.wal);
  const database = readFileSync(lived.store);
  await log.close();
  const checkpoints = readFileSync(lived.checkpoints);
  await store.close();
  t.ok(
    moments.every(({ walBytes }, i) => walBytes > (moments[i - 1]?.walBytes ?? 0)),
    'nothing was written back yet',
  );

  const after = paths(join(dir, 'cut'));
  for (const seed of cuts()) {
    const random = randomFrom(seed);
    const i = Math.floor(random() * (moments.length - 1));
    const [before, now, next] = [moments[i - 1], moments[i] as Moment, moments[i + 1] as Moment];
    rmSync(join(dir, 'cut'), { recursive: true });
    mkdirSync(join(dir, 'cut'));
    writeFileSync(after.store, database, { mode: 0o600 });
    writeFileSync(after.wal, cut(wal, now.walBytes, next.walBytes, random), { mode: 0o600 });
    // Written and synced one by one, beside the commits: one of them may be on its way.
    const ends = endsOfLines(checkpoints, before?.checkpointBytes ?? 0, now.checkpointBytes);
    const onItsWay = Math.floor(random() * ends.length);
    const signed = cut(checkpoints, ends[onItsWay - 1] ?? before?.checkpointBytes ?? 0, ends[onItsWay] ?? 0, random);
    if (signed.length > 0) writeFileSync(after.checkpoints, signed);
    // One sector, never synced but when it was made: any head that was ever there, and none of the next commit.
    const heads = moments.slice(0, i + 1).flatMap(({ head }) => (head.length === 0 ? [] : [head]));
    const head = heads[Math.floor(random() * heads.length)];
    writeFileSync(after.head, head ?? '');
    const reopened = await openStore(after.store, { as: 'guest' });
    const { seq } = await reopened.chain.head();
    const reader = new AuditReader({
      store: reopened.chain,
      headPath: after.head,
      headKey: KEY,
      signing: { seed: SEED, checkpointPath: after.checkpoints, receiptPath: after.receipts },
    });
    const verdict = await reader.verify();
    await reopened.close();
    const isWhole = [now.acknowledged, next.acknowledged].includes(seq);
    if (!isWhole || verdict.kind !== 'intact') {
      t.fail(`seed ${seed}: ${seq} entries of ${now.acknowledged} acknowledged`, { verdict });
    }
  }
  t.pass(`${CUTS} cuts`);
});
