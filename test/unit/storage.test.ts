import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Migration } from 'kysely/migration';
import t, { type Test } from 'tap';
import { canonicalBody, type Fact } from '../../src/core/audit/index.ts';
import type { CallId } from '../../src/core/call/index.ts';
import { phi } from '../../src/core/phi/index.ts';
import { instant } from '../../src/core/time/index.ts';
import { SqliteDatabase } from '../../src/storage/database.ts';
import { openStore, type Store, type StoreOptions } from '../../src/storage/index.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { migrations } from '../../src/storage/migrations.ts';
import { OwnerLock } from '../../src/storage/owner-lock.ts';
import { phiSealer } from '../../src/vault/index.ts';

const NUMBER = '+12025550177';
const sealer = phiSealer(Buffer.alloc(32, 9));
const STORAGE = join(process.cwd(), 'src/storage');
const GENESIS = { seq: 0, hash: new Uint8Array(32) };
const row = (seq: number, callId: string | null = null) => ({
  seq,
  at: seq,
  callId,
  body: `{"n":${seq}}`,
  prev: new Uint8Array(32),
  hash: new Uint8Array(32).fill(seq),
});

async function opened(t: Test, path: string, options: StoreOptions = {}): Promise<Store> {
  const store = await openStore(path, { sealer, now: () => 1000, ...options });
  t.teardown(() => store.close());
  return store;
}

/** Runs a module in another process and gives what it prints. */
function inProcess(code: string): { stdout: string; signal: string | null; status: number | null } {
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
}

void t.test('what is kept comes back: phones, registrations, documents, messages, calls', async (t) => {
  const path = join(t.testdir({}), 'w.db');
  const store = await opened(t, path);
  const phone = { extension: '2101', ha1Md5: 'm', ha1Sha256: 's', createdAt: 5 };
  t.equal(await store.phones.insert(phone), true);
  t.equal(await store.phones.insert({ ...phone, ha1Md5: 'other' }), false);
  t.same(await store.phones.list(), [phone]);
  const before = await store.phones.revision();
  await store.phones.insert({ ...phone, extension: '2102', createdAt: 6 });
  t.not(await store.phones.revision(), before);

  const message = {
    messageId: 'M1',
    mailbox: 'cardiology',
    callId: 'C1',
    at: instant(7),
    durationMs: 900,
    isUrgent: false,
    path: 'messages/M1.sealed',
    sentBy: null,
    copyOf: null,
    exportedAt: null,
    isPrivate: false,
    callBack: null,
    service: null,
    urgency: null,
  };
  await store.messages.save(message);
  await store.messages.save({ ...message, messageId: 'M2', at: instant(9), isUrgent: true });
  await store.messages.save({ ...message, durationMs: 1200 });
  t.same(
    (await store.messages.list('cardiology')).map((m) => m.messageId),
    ['M2', 'M1'],
    'urgent first',
  );
  t.same(await store.messages.list('office'), []);
  t.equal(await store.messages.exported('M1', instant(8)), true);
  t.equal(await store.messages.exported('nope', instant(8)), false);
  t.match(await store.messages.find('M1'), { ...message, durationMs: 1200, exportedAt: 8 });
  t.equal(await store.messages.find('nope'), null);

  t.equal(store.documents.lastGood(), null);
  const files = [{ kind: 'plan', path: 'dialplans/a.yaml', text: 'site: ü\n' }] as const;
  await store.documents.save({ plan: 'sha256:1', roster: 'sha256:2', at: instant(1), files });
  await store.documents.save({ plan: 'sha256:3', roster: 'sha256:2', at: instant(1), files });
  t.same(store.documents.lastGood(), { plan: 'sha256:3', roster: 'sha256:2', at: 1, files });

  store.calls.callStarted({ callId: 'C1' as CallId, at: instant(1), from: phi(NUMBER), dialled: '7011' });
  store.calls.callStarted({ callId: 'C2' as CallId, at: instant(2), from: '2101', dialled: '7012' });
  const ended = { callId: 'C1' as CallId, at: instant(3), cause: 'busy', acceptedBy: 'dr-ames', service: 'cardiology' };
  store.calls.callEnded(ended);
  // A change goes along with the next entry of the audit: whoever finds the one finds the other.
  await store.chain.append(GENESIS, [row(1)]);
  t.same(store.calls.unfinished(), ['C2']);
  const list = await store.calls.list({ limit: 10 });
  t.same(
    list.map((call) => [call.callId, call.from.reveal(), call.endedAt, call.cause]),
    [
      ['C2', '2101', null, null],
      ['C1', NUMBER, 3, 'busy'],
    ],
  );
  t.same(
    (await store.calls.list({ limit: 10, before: list[0]! })).map((call) => call.callId),
    ['C1'],
  );
  store.calls.callStarted({ callId: 'C3' as CallId, at: instant(2), from: '2101', dialled: '7012' });
  await store.chain.append({ seq: 1, hash: row(1).hash }, [row(2)]);
  const [newest] = await store.calls.list({ limit: 1 });
  t.same(
    (await store.calls.list({ limit: 10, before: newest! })).map((call) => call.callId),
    ['C2', 'C1'],
    'none of the same millisecond is left out',
  );
  const keyless = await opened(t, path, { as: 'reader', sealer: undefined });
  t.equal((await keyless.calls.list({ limit: 1 }))[0]?.from.reveal(), '[sealed]');

  const bindings = store.bindings<{ extension: string; uri: string; expiresAt: number; q: number }>();
  await bindings.save({ extension: '2101', uri: 'sip:2101@10.0.0.9', expiresAt: 2000, q: 1 });
  await bindings.save({ extension: '2101', uri: 'sip:2101@10.0.0.9', expiresAt: 3000, q: 5 });
  await bindings.save({ extension: '2101', uri: 'sip:2101@10.0.0.7', expiresAt: 3000, q: 5 });
  await bindings.remove('2101', 'sip:2101@10.0.0.7');
  await bindings.save({ extension: '2102', uri: 'sip:2102@10.0.0.9', expiresAt: 999, q: 1 });
  await bindings.save({ extension: '9999', uri: 'sip:9999@10.0.0.9', expiresAt: 5000, q: 1 });
  await store.chain.append({ seq: 2, hash: row(2).hash }, [row(3)]);
  t.same(await bindings.load(), [{ extension: '2101', uri: 'sip:2101@10.0.0.9', expiresAt: 3000, q: 5 }]);
  t.equal(await store.phones.remove('2101'), true);
  t.equal(await store.phones.remove('2101'), false);
  t.same(await bindings.load(), [], 'registrations go with their phone');

  for (const file of ['w.db', 'w.db-wal', 'w.db.lock', 'w.db.pid']) {
    t.equal(statSync(join(path, '..', file)).mode & 0o777, 0o600, file);
  }
  await keyless.close();
  await store.close();
  await store.close();
  t.notOk(readFileSync(path).includes(NUMBER), 'no caller is readable in the file');
});

void t.test('changes are written after a moment, also without an audit entry, and at the end', async (t) => {
  const path = join(t.testdir({}), 'w.db');
  const store = await opened(t, path);
  store.calls.callStarted({ callId: 'C1' as CallId, at: instant(1), from: NUMBER, dialled: '7011' });
  while (store.calls.unfinished().length === 0) await new Promise((resolve) => setImmediate(resolve));
  store.calls.callStarted({ callId: 'C2' as CallId, at: instant(2), from: NUMBER, dialled: '7011' });
  await store.close();
  const next = await opened(t, path);
  t.same(next.calls.unfinished(), ['C1', 'C2']);
});

void t.test('a call that had ended before the kill is not lost in a restart', async (t) => {
  const path = join(t.testdir({}), 'w.db');
  const store = await opened(t, path);
  const fact = (seq: number, callId: string, fact: Fact) => {
    return { ...row(seq, callId), body: canonicalBody({ id: String(seq), at: seq, callId, fact, seal: String }) };
  };
  for (const callId of ['C1', 'C2', 'C3'] as CallId[]) {
    store.calls.callStarted({ callId, at: instant(1), from: NUMBER, dialled: '7011' });
  }
  await store.chain.append(GENESIS, [
    fact(1, 'C1', { fact: 'escalationStarted', service: 'cardiology', urgency: 'stat', chain: 'c', steps: 1 }),
    fact(2, 'C1', { fact: 'accepted', leg: '1', person: 'ames', how: 'answeredDesk', step: 1 }),
    fact(3, 'C2', { fact: 'bridged', leg: '1' }),
    { ...row(4, 'C3'), body: '{"damaged' },
    fact(5, 'C1', { fact: 'ended', cause: 'callerHungUp', fault: 'nobody', talkedMs: 9 }),
  ]);
  // Nobody comes to say in the index that C1 is over.
  await store.close();
  const next = await opened(t, path);
  t.same(next.calls.unfinished(), ['C2', 'C3']);
  t.match(
    (await next.calls.list({ limit: 3 })).find(({ callId }) => callId === 'C1'),
    { endedAt: 5, cause: 'callerHungUp', acceptedBy: 'ames', service: 'cardiology' },
  );
});

void t.test('the chain takes rows only behind its last link, all or none', async (t) => {
  const store = await opened(t, join(t.testdir({}), 'w.db'));
  t.same(await store.chain.head(), GENESIS);
  t.same(await store.chain.append(GENESIS, [row(1, 'A'), row(2, 'B'), row(3, 'A')]), { kind: 'appended' });
  t.match(await store.chain.append(GENESIS, [row(4)]), { kind: 'headMoved', head: { seq: 3 } });
  const unwritable = { ...row(5), at: null as never };
  await t.rejects(store.chain.append({ seq: 3, hash: row(3).hash }, [row(4), unwritable]), {
    code: 'storeUnavailable',
  });
  t.equal((await store.chain.head()).seq, 3);
  t.same(
    (await store.chain.ofCall('A', 10)).map((r) => r.seq),
    [1, 3],
  );
  t.same(
    (await store.chain.read(1, 1)).map((r) => r.seq),
    [2],
  );
  t.same(await store.chain.faults(), []);
});

void t.test('an older schema is migrated with its data; a newer one refuses, whoever asks', async (t) => {
  const path = join(t.testdir({}), 'w.db');
  const [first] = Object.entries(migrations);
  for (const as of ['reader', 'guest', 'owner'] as const) {
    for (const file of ['w.db', 'w.db-wal', 'w.db-shm']) rmSync(join(path, '..', file), { force: true });
    const older = new SqliteDatabase(path, { readonly: false, busyMs: 0 });
    await migrate(older, Object.fromEntries(first === undefined ? [] : [first]));
    older.exec(`insert into phones values ('2101', 'm', 's', 5)`);
    older.close();
    // The Wardline of before the upgrade runs on: nobody changes the store under its feet, and a command says what to do.
    const running = OwnerLock.take(path);
    await t.rejects(
      openStore(path, { as }),
      as === 'owner'
        ? { code: 'storeInUse' }
        : { code: 'storeVersion', message: /restart the Wardline that is running/ },
      as,
    );
    running.release();
    const store = await openStore(path, { as });
    t.equal((await store.phones.list()).length, 1, as);
    t.equal(store.documents.lastGood(), null);
    await store.close();
  }
  const raw = new Database(path);
  raw.exec(`insert into kysely_migration values ('0099-from-the-future', 'now')`);
  raw.close();
  for (const as of ['owner', 'guest', 'reader'] as const) {
    await t.rejects(
      openStore(path, { as }),
      { code: 'storeVersion', message: /newer Wardline \(0099-from-the-future\)/ },
      as,
    );
  }
});

void t.test('a migration that fails leaves the older schema as it was', async (t) => {
  const path = join(t.testdir({}), 'w.db');
  const db = new SqliteDatabase(path, { readonly: false, busyMs: 0 });
  t.teardown(() => db.close());
  await migrate(db);
  const half: Migration = {
    up: async (on) => {
      await on.schema.createTable('half').addColumn('a', 'text').execute();
      throw new Error('in the middle');
    },
  };
  await t.rejects(migrate(db, { ...migrations, '9999-half': half }), /in the middle/);
  t.equal(db.prepare(`select 1 from sqlite_master where name = 'half'`).all().length, 0);
  await migrate(db);
});

/** What a kill leaves: what the process had given to the files by then, and nothing that it had in memory. */
function filesOf(path: string): readonly [suffix: string, bytes: Buffer][] {
  return ['', '-wal'].flatMap((suffix) => {
    const name = `${path}${suffix}`;
    return existsSync(name) ? [[suffix, readFileSync(name)] as [string, Buffer]] : [];
  });
}

const schemaOf = (db: SqliteDatabase): string =>
  db
    .prepare<[], { sql: string | null }>('select sql from sqlite_master order by name')
    .all()
    .map(({ sql }) => sql)
    .join('\n');

void t.test(
  'killed at any statement of a migration: the older schema or the new one, and the next start goes on',
  async (t) => {
    const dir = t.testdir({ cut: {} });
    const open = (at: string, onStatement?: () => void) =>
      new SqliteDatabase(at, { readonly: false, busyMs: 0, ...(onStatement === undefined ? {} : { onStatement }) });
    const found = { older: 0, newer: 0 };
    // The first version, and one of later.
    for (const version of [1, 14]) {
      const path = join(dir, `${version}.db`);
      const before = open(path);
      await migrate(before, Object.fromEntries(Object.entries(migrations).slice(0, version)));
      before.exec(`insert into phones values ('2101', 'm', 's', 5)`);
      const older = schemaOf(before);
      before.close();
      const kills: ReturnType<typeof filesOf>[] = [];
      const lived = open(path, () => kills.push(filesOf(path)));
      await migrate(lived);
      kills.push(filesOf(path));
      const newer = schemaOf(lived);
      lived.close();
      for (const [i, files] of kills.entries()) {
        const cut = join(dir, 'cut', `${version}-${i}.db`);
        for (const [suffix, bytes] of files) writeFileSync(`${cut}${suffix}`, bytes);
        const db = open(cut);
        const schema = schemaOf(db);
        if (schema !== older && schema !== newer) t.fail(`half a schema at statement ${i}`, { schema });
        found[schema === older ? 'older' : 'newer'] += 1;
        await migrate(db);
        if (schemaOf(db) !== newer || db.faults().length > 0) t.fail(`not finished after statement ${i}`);
        if (db.prepare('select 1 from phones').all().length !== 1) t.fail(`data is lost at statement ${i}`);
        db.close();
      }
    }
    t.ok(found.older >= 100 && found.newer >= 2, `${found.older} kills before the end, ${found.newer} behind it`);
  },
);

void t.test('a process that is killed in the middle of a migration: the next start finishes it', async (t) => {
  const path = join(t.testdir({}), 'w.db');
  const { signal } = inProcess(`
    const { SqliteDatabase } = await import(${JSON.stringify(join(STORAGE, 'database.ts'))});
    const { migrate } = await import(${JSON.stringify(join(STORAGE, 'migrate.ts'))});
    let left = 60;
    const onStatement = () => { if (left-- === 0) process.kill(process.pid, 'SIGKILL'); };
    await migrate(new SqliteDatabase(${JSON.stringify(path)}, { readonly: false, busyMs: 0, onStatement }));
  `);
  t.equal(signal, 'SIGKILL');
  const db = new SqliteDatabase(path, { readonly: false, busyMs: 0 });
  t.equal(schemaOf(db), '', 'nothing of it');
  await migrate(db);
  t.same(db.faults(), []);
  db.close();
});

void t.test('one owner; commands and readers beside it; a dead owner holds nothing', async (t) => {
  const path = join(t.testdir({}), 'w.db');
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `const { openStore } = await import(${JSON.stringify(join(STORAGE, 'index.ts'))});
     await openStore(${JSON.stringify(path)});
     console.log('open');
     setInterval(() => {}, 1000);`,
  ]);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const says = new RegExp(`in use by process ${child.pid}; stop that`);
  await t.rejects(openStore(path), { code: 'storeInUse', message: says });
  const guest = await openStore(path, { as: 'guest' });
  t.equal(await guest.phones.insert({ extension: '2101', ha1Md5: 'm', ha1Sha256: 's', createdAt: 5 }), true);
  t.same(await guest.chain.append(GENESIS, [row(1)]), { kind: 'appended' });
  await guest.close();
  const reader = await openStore(path, { as: 'reader' });
  t.equal((await reader.phones.list()).length, 1);
  await t.rejects(reader.phones.remove('2101'), { code: 'storeUnavailable' });
  await t.rejects(reader.chain.append(GENESIS, [row(1)]), /opened for reading/);
  await reader.close();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const next = await openStore(path);
  t.equal((await next.chain.head()).seq, 1);
  await t.rejects(openStore(path), { code: 'storeInUse' }, 'also within one process');
  await next.close();
});

void t.test('a command before the first start makes the store', async (t) => {
  const path = join(t.testdir({}), 'w.db');
  const guest = await openStore(path, { as: 'guest' });
  await guest.phones.insert({ extension: '2101', ha1Md5: 'm', ha1Sha256: 's', createdAt: 5 });
  const owner = await openStore(path);
  t.equal((await owner.phones.list()).length, 1, 'an owner can start meanwhile');
  await guest.close();
  await owner.close();
});

void t.test('locked by another process: appends fail at once, and work again afterwards', async (t) => {
  const path = join(t.testdir({}), 'w.db');
  const store = await opened(t, path);
  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  store.calls.callStarted({ callId: 'C1' as CallId, at: instant(1), from: '2101', dialled: '7011' });
  await t.rejects(store.chain.append(GENESIS, [row(1)]), {
    code: 'storeUnavailable',
    message: /locked by another process/,
  });
  other.exec('COMMIT');
  other.close();
  t.same(await store.chain.append(GENESIS, [row(1)]), { kind: 'appended' });
  t.same(store.calls.unfinished(), ['C1'], 'what waited was kept');
});

void t.test('files that are no store, are damaged, or cannot be reached are named with the remedy', async (t) => {
  const dir = t.testdir({ 'text.db': 'this is not a database, and long enough to be read'.repeat(20), folder: {} });
  await t.rejects(openStore(join(dir, 'text.db')), {
    code: 'storeDamaged',
    message: /text\.db is not a Wardline store; move it away/,
  });
  const nowhere = { code: 'storeUnavailable', message: /check that its folder exists/ };
  await t.rejects(openStore(join(dir, 'none', 'w.db')), nowhere);
  await t.rejects(openStore(join(dir, 'none.db'), { as: 'reader' }), nowhere);
  await t.rejects(openStore(join(dir, 'folder')), nowhere);
  t.notOk(existsSync(join(dir, 'none')));
  const path = join(dir, 'w.db');
  await (await openStore(path)).close();
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 100, 4096);
  writeFileSync(path, bytes);
  await t.rejects(openStore(path), { code: 'storeDamaged', message: /damaged; keep a copy/ });
});

const notRoot = process.getuid?.() !== 0 && 'needs root to become somebody else';

void t.test('a store that this user may not read', { skip: notRoot }, async (t) => {
  const dir = t.testdir({});
  const path = join(dir, 'w.db');
  await (await openStore(path)).close();
  chmodSync(dir, 0o755);
  const { stdout } = inProcess(`
    const { openStore } = await import(${JSON.stringify(join(STORAGE, 'index.ts'))});
    process.setgid(65534); process.setuid(65534);
    for (const as of ['owner', 'reader']) {
      await openStore(${JSON.stringify(path)}, { as }).catch((e) => console.log(e.code, e.message));
    }
  `);
  t.equal(stdout.match(/^storeUnavailable .*(check|who owns)/gm)?.length, 2, stdout);
});

void t.test('a full disk, with space again later', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'wardline-full-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', dir]);
  if (status !== 0) return t.pass('a full disk', { skip: 'it needs the right to mount a small file system' });
  try {
    const store = await openStore(join(dir, 'w.db'));
    const fill = join(dir, 'fill');
    spawnSync('dd', ['if=/dev/zero', `of=${fill}`, 'bs=4096']);
    const big = (seq: number) => ({ ...row(seq), body: 'x'.repeat(100_000) });
    const rows = Array.from({ length: 9 }, (_, i) => big(i + 1));
    await t.rejects(store.chain.append(GENESIS, rows), {
      code: 'storeUnavailable',
      message: /no space left.*free space/,
    });
    writeFileSync(fill, '');
    t.same(await store.chain.append(GENESIS, [big(1)]), { kind: 'appended' });
    t.same(await store.chain.faults(), []);
    await store.close();
  } finally {
    spawnSync('umount', [dir]);
    rmdirSync(dir);
  }
});
