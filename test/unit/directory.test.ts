import { randomBytes, randomInt } from 'node:crypto';
import t from 'tap';
import type { AuditEntry, Clock } from '../../src/engine/ports.ts';
import type { SystemFact } from '../../src/core/audit/index.ts';
import { Logins, PhoneDirectory } from '../../src/directory/index.ts';
import { passwordBits } from '../../src/directory/password.ts';
import type { PhoneRepository, PhoneRow } from '../../src/directory/ports.ts';
import { createLogger } from '../../src/observe/index.ts';
import { instant } from '../../src/core/time/index.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

class MemoryPhones implements PhoneRepository {
  rows = new Map<string, PhoneRow>();
  isAway = false;
  changes = 0;
  async insert(row: PhoneRow): Promise<boolean> {
    if (this.rows.has(row.extension)) return false;
    this.changes += 1;
    return this.rows.set(row.extension, row) !== undefined;
  }
  async remove(extension: string): Promise<boolean> {
    this.changes += 1;
    return this.rows.delete(extension);
  }
  async list(): Promise<readonly PhoneRow[]> {
    return [...this.rows.values()];
  }
  async revision(): Promise<string> {
    if (this.isAway) throw new Error('the store is away');
    return String(this.changes);
  }
}

async function house(watch = false) {
  const phones = new MemoryPhones();
  const facts: AuditEntry[] = [];
  const lines: string[] = [];
  const timers: (() => void)[] = [];
  const clock: Clock = {
    now: () => instant(1000),
    monotonicMs: () => 0,
    after: (_ms, run) => {
      timers.push(run);
      return { cancel: () => void timers.splice(timers.indexOf(run), 1) };
    },
  };
  const options = {
    phones,
    audit: {
      attest: async (entries: readonly AuditEntry[]) => {
        facts.push(...entries);
        return 'durable' as const;
      },
    },
    clock,
    random: { below: (n: number) => randomInt(n), bytes: (n: number) => randomBytes(n) },
    logger: createLogger({ name: 'test', level: 'debug', destination: { write: (line) => void lines.push(line) } }),
    realm: 'lakeside',
    isExtension: (extension: string) => /^[12]\d{3}$/.test(extension),
  };
  return { directory: await PhoneDirectory.open(options, { watch }), options, phones, facts, lines, timers };
}

const STRONG = 'kV7#pQ2x!mZ9rT4w';

void t.test(
  'a phone is added with a password, known by its hashes, listed, removed; each is in the audit',
  async (t) => {
    const { directory, facts, phones } = await house();
    const added = await directory.add('2101', 'root');
    if (added.kind !== 'added') return t.fail(added.says);
    t.match(added.password, /^[a-km-np-z2-9]{26}$/);
    t.match(await directory.add('2102', 'root', STRONG), { kind: 'added', password: STRONG });
    // From an independent implementation: printf %s '2102:lakeside:kV7#pQ2x!mZ9rT4w' | md5sum, sha256sum
    t.same(directory.ha1('2102'), {
      md5: 'a82bc982a21e85db8da73e85cccd490e',
      sha256: '35d094d301e39ca1c07dadaf8ed1d250ee5a93c73aa7c00ba3f7b0e27316eac0',
    });
    t.equal(directory.ha1('2103'), undefined);
    t.same(await directory.list(), [
      { extension: '2101', addedAt: 1000 },
      { extension: '2102', addedAt: 1000 },
    ]);
    t.notOk(JSON.stringify([...phones.rows.values()]).includes(added.password), 'the password is kept nowhere');
    t.same(await directory.remove('2101', 'root'), { kind: 'removed' });
    t.match(await directory.remove('2101', 'root'), { kind: 'refused', reason: 'notThere' });
    t.equal(directory.ha1('2101'), undefined);
    t.same(
      facts.map(({ at, callId, fact }) => [at, callId, fact]),
      [
        [1000, null, { fact: 'phoneAdded', extension: '2101', by: 'root' }],
        [1000, null, { fact: 'phoneAdded', extension: '2102', by: 'root' }],
        [1000, null, { fact: 'phoneRemoved', extension: '2101', by: 'root' }],
      ],
    );
  },
);

void t.test('refused: an extension that the plan does not know, one that has a phone, a weak password', async (t) => {
  const { directory, facts } = await house();
  t.match(await directory.add('9999', 'root'), { kind: 'refused', reason: 'unknownExtension', says: /dialplans/ });
  await directory.add('2101', 'root');
  t.match(await directory.add('2101', 'root'), { kind: 'refused', reason: 'alreadyThere', says: /phone remove 2101/ });
  for (const weak of [
    '',
    '2101',
    'password',
    '123456789012345678901234567890',
    'a'.repeat(100),
    'Password123!Password123!',
    `${STRONG} `,
    'x'.repeat(129),
  ]) {
    t.match(await directory.add('2102', 'root', weak), { kind: 'refused', reason: 'weakPassword' }, weak);
  }
  t.equal(facts.length, 1, 'a refusal changes nothing');
});

void t.test('the estimate of a password is suspicious', async (t) => {
  for (const common of [
    'ClueCon',
    '1234',
    'qwertyuiop',
    'letmein2024',
    'correcthorse',
    'Summer2026!',
    'abcdefghijklmnopqrstuvwxyz',
    '01234567890123456789',
    'abcabcabcabcabcabcabcabcabcabc',
    'Wardline2026!!',
  ]) {
    t.ok(passwordBits(common) < 80, `${common}: ${passwordBits(common)}`);
  }
  t.ok(passwordBits(STRONG) >= 80);
  for (let i = 0; i < 200; i++) t.ok(passwordBits(randomBytes(16).toString('hex')) >= 80);
});

void t.test('passwords that are made do not repeat and use every sign', async (t) => {
  const { directory } = await house();
  const made = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const added = await directory.add(String(1000 + i), 'root');
    if (added.kind === 'added') made.add(added.password);
  }
  t.equal(made.size, 200);
  t.equal(new Set([...made].join('')).size, 32);
});

void t.test('what another process does is known at the next look; a store that is away changes nothing', async (t) => {
  const { directory, options, phones, lines, timers } = await house(true);
  const turn = async () => {
    timers.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const other = await PhoneDirectory.open(options, { watch: false });
  await other.add('2101', 'root', STRONG);
  t.equal(directory.ha1('2101'), undefined);
  await turn();
  t.ok(directory.ha1('2101'));
  phones.isAway = true;
  await turn();
  await turn();
  t.ok(directory.ha1('2101'), 'still known');
  t.equal(lines.filter((line) => line.includes('phones not refreshed')).length, 1, 'said once');
  phones.isAway = false;
  await other.remove('2101', 'root');
  await turn();
  t.equal(directory.ha1('2101'), undefined);
  directory.close();
  t.equal(timers.length, 0);
});

void t.test('what cannot be put on record is not done', async (t) => {
  const { directory, options, phones } = await house();
  await directory.add('2101', 'root');
  const refuse = async () => {
    throw new Error('the audit could not take this');
  };
  const unheard = await PhoneDirectory.open({ ...options, audit: { attest: refuse } }, { watch: false });
  await t.rejects(unheard.add('2102', 'root'), { message: 'the audit could not take this' });
  await t.rejects(unheard.remove('2101', 'root'), { message: 'the audit could not take this' });
  t.same([...phones.rows.keys()], ['2101']);
});

void t.test('logins: the first at once, further ones counted, and nobody fills the record', async (t) => {
  const clock = new VirtualClock(Date.parse('2026-11-22T08:00:00Z'));
  const facts: SystemFact[] = [];
  const logins = new Logins({ clock, record: (fact) => facts.push(fact) });
  const seen = () => facts.splice(0) as Extract<SystemFact, { fact: 'loginsSeen' }>[];
  for (let i = 0; i < 20; i++) {
    logins.right('phone', '2101', '10.0.0.7');
    logins.wrong('phone', '2101', '10.0.0.66');
    await clock.pass(1000);
  }
  t.match(seen(), [
    { door: 'phone', who: '2101', address: '10.0.0.7', result: 'right', times: 1, from: '2026-11-22T08:00:00.000Z' },
    { who: '2101', address: '10.0.0.66', result: 'wrong', times: 1 },
  ]);
  await clock.pass(600_000);
  t.match(seen(), [
    { result: 'wrong', times: 19, from: '2026-11-22T08:00:01.000Z', until: '2026-11-22T08:00:19.000Z' },
  ]);
  await clock.pass(600_000);
  logins.wrong('phone', '2101', '10.0.0.66');
  t.match(seen(), [{ result: 'wrong', times: 1 }], 'who had given up and comes again is told at once');
  await clock.pass(86_400_000);
  t.match(seen(), [{ result: 'right', times: 19 }], 'right ones once a day');

  for (let i = 0; i < 3000; i++) logins.wrong('phone', '', `10.1.${i >> 8}.${i & 255}`);
  t.equal(seen().length, 201, 'whoever makes up addresses fills no more than this');
  logins.close();
  const [others, ...more] = seen();
  t.match(others, { who: '', address: '', result: 'wrong', times: 2799 });
  t.same(more, []);
  logins.wrong('phone', '2101', '10.0.0.66');
  logins.close();
  t.same(seen(), [], 'behind the end nothing is said');
  t.equal(clock.pending, 0);
});

void t.test('who loses a phone, or gets another password, is told', async (t) => {
  const { directory, options, phones } = await house();
  const gone: string[] = [];
  directory.onGone((extension) => gone.push(extension));
  const other = await PhoneDirectory.open(options, { watch: false });
  await other.add('2101', 'root', STRONG);
  await other.add('2102', 'root');
  await directory.refresh();
  t.same(gone, []);
  await other.remove('2101', 'root');
  await directory.refresh();
  t.same(gone, ['2101']);
  await other.remove('2102', 'root');
  await other.add('2102', 'root');
  await directory.refresh();
  t.same(gone, ['2101', '2102'], 'a phone that was lost must not ring on, also when there is a new one at once');
  phones.changes += 1;
  await directory.refresh();
  t.equal(gone.length, 2);
});
