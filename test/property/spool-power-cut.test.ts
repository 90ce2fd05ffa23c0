import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Backlog } from '../../src/audit-log/backlog.ts';
import { EntryBodies } from '../../src/audit-log/entry-bodies.ts';
import { GENESIS, link } from '../../src/audit-log/link.ts';
import { lastReceipt, writeReceipt } from '../../src/audit-log/receipts.ts';
import { signingKey, verifyingKey } from '../../src/audit-log/signing-key.ts';
import { SpoolFile } from '../../src/audit-log/spool-file.ts';
import { type ChainRow, readBody } from '../../src/core/audit/index.ts';
import { instant } from '../../src/core/time/index.ts';
import type { DialogSnapshot } from '../../src/sip/index.ts';
import { DialogJournal, type StoredDialog } from '../../src/sipd/dialog-journal.ts';
import { FaultDisk } from '../support/fault-disk.ts';
import { CUTS, cuts, randomFrom } from '../support/power-cut.ts';
import { until } from '../support/processes.ts';
import { realClock as clock } from '../support/real-clock.ts';

/** Power cuts for the files beside the store: facts that wait, receipts for what was pruned, dialogs; as audit-power-cut. */
const KEY = Buffer.alloc(32, 7);
const logger = { info() {}, warn() {}, error() {} };

/** The folder as a power cut has left it. */
function leave(dir: string, files: ReadonlyMap<string, Buffer>): void {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  for (const [name, bytes] of files) writeFileSync(join(dir, name), bytes, { mode: 0o600 });
}

/** A house whose store comes and goes, and the chain in it. */
class House {
  readonly rows: ChainRow[] = [];
  readonly #backlog: Backlog;

  private constructor(spool: SpoolFile, rows: readonly ChainRow[]) {
    this.rows.push(...rows);
    const store = {
      read: async (after: number, limit: number) => this.rows.filter(({ seq }) => seq > after).slice(0, limit),
    };
    const told = { onLost() {}, onUnwritten() {}, logger: logger as never };
    this.#backlog = new Backlog({ spool, store, maxKept: 1000, clock, ...told });
  }

  static async open(path: string, rows: readonly ChainRow[] = []): Promise<House> {
    return new House(await SpoolFile.open(path, KEY), rows);
  }

  get #seq(): number {
    return this.rows.at(-1)?.seq ?? 0;
  }

  /** The store takes no facts: they are kept. */
  keep(bodies: readonly string[]): Promise<void> {
    const about = { at: 0, callId: null, isLate: true, settle: null, sinceMs: 0 };
    return this.#backlog.keep(
      bodies.map((body) => ({ body, ...about })),
      this.#seq,
    );
  }

  /** The store is back: what waits is written, `atOnce` in one commit, and the file has done its work. */
  async merge(atOnce: number, committed: () => void): Promise<void> {
    while (!this.#backlog.isInMemory) await this.#backlog.readOn();
    while (this.#backlog.size > 0) {
      const bodies = this.#backlog.pending.slice(0, atOnce);
      this.rows.push(...link(this.rows.at(-1) ?? GENESIS, bodies));
      committed();
      this.#backlog.done(bodies.length);
    }
    this.#backlog.caughtUp();
    await this.#backlog.clearFile();
  }

  close(): Promise<void> {
    return this.#backlog.close();
  }
}

const stepOf = (body: string): number => {
  const { fact } = readBody(body, () => null);
  return fact.fact === 'stepStarted' ? fact.step : -1;
};

/** Facts of steps, numbered through. */
class Facts {
  readonly #made = new EntryBodies({ seal: (text) => text, bootId: 'boot', logger: logger as never });
  step = 0;

  next(count: number): readonly string[] {
    return Array.from({ length: count }, () => {
      this.step += 1;
      const fact = { fact: 'stepStarted', step: this.step, says: 'Dr Ames', dwellMs: 1000 } as const;
      return this.#made.of({ at: instant(1_790_000_000_000 + this.step), callId: null, fact }).body;
    });
  }
}

void t.test('a file that could not be emptied: what it had is not written a second time', async (t) => {
  const dir = t.testdir({ lived: {} });
  const path = join(dir, 'lived', 'audit.spool');
  const disk = new FaultDisk(join(dir, 'lived'));
  const facts = new Facts();
  const house = await House.open(path);
  try {
    await house.keep(facts.next(9));
    await until('the sync', () => disk.syncs === 1);
    disk.refuse(1, 'EIO');
    await house.merge(9, () => {});
    await house.keep(facts.next(1));
    await house.close();
  } finally {
    disk.restore();
  }
  const next = await House.open(path, house.rows);
  await next.merge(9, () => {});
  await next.close();
  t.same(
    next.rows.map(({ body }) => stepOf(body)),
    Array.from({ length: 10 }, (_, i) => i + 1),
  );
});

void t.test(`${CUTS} power cuts: what waited durably is in the record, once, and in its order`, async (t) => {
  const dir = t.testdir({ lived: {} });
  const disk = new FaultDisk(join(dir, 'lived'));
  const facts = new Facts();
  const house = await House.open(join(dir, 'lived', 'audit.spool'));
  const synced = (count: number) => until('the syncs', () => disk.syncs === count);
  try {
    // A long absence of the store and shorter ones: what the file held before lies behind what it holds then.
    for (const keeps of [[3, 9, 20], [2], [1, 1, 6], [4], [12, 12]]) {
      for (const count of keeps) {
        const syncs = disk.syncs;
        await house.keep(facts.next(count));
        disk.say(`kept ${facts.step}`);
        await synced(syncs + 1);
        disk.say(`durable ${facts.step}`);
      }
      await house.merge(5, () => disk.say(`rows ${house.rows.length}`));
    }
    await house.close();
  } finally {
    disk.restore();
  }
  t.equal(house.rows.length, facts.step, 'nothing is lost without a power cut');
  const promised = (said: readonly string[], what: string): number =>
    Math.max(0, ...said.flatMap((word) => (word.startsWith(`${what} `) ? [Number(word.slice(what.length))] : [])));
  let waited = 0;
  for (const seed of cuts()) {
    const random = randomFrom(seed);
    const { files, said } = disk.cut(Math.floor(random() * (disk.steps + 1)), random);
    leave(join(dir, 'cut'), files);
    const inStore = promised(said, 'rows');
    const next = await House.open(join(dir, 'cut', 'audit.spool'), house.rows.slice(0, inStore));
    await next.merge(5, () => {});
    await next.close();
    const steps = next.rows.map(({ body }) => stepOf(body));
    const atLeast = Math.max(inStore, promised(said, 'durable'));
    const isInOrder = steps.every((one, i) => i === 0 || one > (steps[i - 1] ?? 0));
    if (!isInOrder || steps.filter((one) => one <= atLeast).length !== atLeast) {
      t.fail(`seed ${seed}: ${atLeast} were durable`, { steps: steps.join(), said: said.slice(-3) });
    }
    if (steps.length > inStore) waited += 1;
  }
  t.ok(waited > CUTS / 5, `${waited} cuts while something waited`);
});

void t.test(`${CUTS} power cuts: a receipt that was given is there, and none that was not`, async (t) => {
  const dir = t.testdir({ lived: {} });
  const key = signingKey(Buffer.alloc(32, 4));
  const disk = new FaultDisk(join(dir, 'lived'));
  const hash = 'ab'.repeat(32);
  try {
    for (let to = 10; to <= 80; to += 10) {
      disk.say(`asked ${to}`);
      await writeReceipt(join(dir, 'lived', 'audit.receipts'), key, { at: to, before: 9, by: 'o', from: 1, to, hash });
      disk.say(`given ${to}`);
    }
  } finally {
    disk.restore();
  }
  for (const seed of cuts()) {
    const random = randomFrom(seed);
    const { files, said } = disk.cut(Math.floor(random() * (disk.steps + 1)), random);
    leave(join(dir, 'cut'), files);
    const last = await lastReceipt(join(dir, 'cut', 'audit.receipts'), verifyingKey(key.publicKey));
    const [given = 0, asked = 0] = ['given', 'asked'].map((what) => 10 * said.filter((w) => w.startsWith(what)).length);
    const found = last?.to ?? 0;
    if (found < given || found > asked) t.fail(`seed ${seed}: ${found} of ${given}`, { said: said.slice(-3) });
  }
  t.ok(disk.steps > 30, `${CUTS} cuts over ${disk.steps} steps`);
});

void t.test(`${CUTS} power cuts: a dialog that is found is one that there was`, async (t) => {
  const dir = t.testdir({ lived: {} });
  const secret = 'the secret of the control port';
  const disk = new FaultDisk(join(dir, 'lived'));
  const dialogs = new Map<number, StoredDialog>();
  const ever = new Map<string, number>();
  const stored = (n: number, atMs: number): StoredDialog => {
    const dialog = { callId: `c${n}`, localTag: 'l', remoteTag: 'r', route: 'x'.repeat(n * 9) } as unknown;
    return { tag: 'pbx', atMs, dialog: dialog as DialogSnapshot };
  };
  const all = () => dialogs.values();
  const opened = (path: string) => DialogJournal.open({ path, secret, nowMs: 1000, logger, all });
  try {
    const { journal } = opened(join(dir, 'lived', 'dialogs'));
    journal.rewrite();
    for (let n = 1; n <= 60; n++) {
      const change = stored(n % 17, n);
      const before = disk.steps;
      if (n % 5 === 0) {
        dialogs.delete(n % 17);
        journal.forget(change.dialog);
      } else {
        dialogs.set(n % 17, change);
        ever.set(JSON.stringify(change), disk.steps);
        journal.keep(change);
      }
      if (n % 20 === 0) journal.rewrite();
      // Some changes go with the one before, in one write.
      else if (n % 3 === 0 && dialogs.size > 0) await until('the write', () => disk.steps > before || n % 5 === 0);
    }
    journal.close();
  } finally {
    disk.restore();
  }
  let hadSome = 0;
  for (const seed of cuts()) {
    const random = randomFrom(seed);
    const end = Math.floor(random() * (disk.steps + 1));
    leave(join(dir, 'cut'), disk.cut(end, random).files);
    try {
      const { found } = opened(join(dir, 'cut', 'dialogs'));
      const never = found.filter((one) => (ever.get(JSON.stringify(one)) ?? Infinity) > end);
      if (never.length > 0) t.fail(`seed ${seed}: dialogs that there never were`, { never });
      if (found.length > 0) hadSome += 1;
    } catch (error) {
      t.fail(`seed ${seed}: ${String(error)}`);
    }
  }
  t.ok(hadSome > CUTS / 10, `${hadSome} cuts left dialogs`);
});
