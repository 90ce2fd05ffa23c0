import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { watchKeys } from '../../src/cli/app/keys.ts';
import { Closing } from '../../src/cli/app/closing.ts';
import { type HouseKeys, openHouseKeys } from '../../src/cli/house-keys.ts';
import { makeKeys, retireKeys, type RewrapParts, rewrapMessages } from '../../src/cli/rewrap-messages.ts';
import type { SystemFact } from '../../src/core/audit/index.ts';
import type { Store } from '../../src/storage/index.ts';
import {
  Keyring,
  keyIdOf,
  keyIdsOf,
  newIdentity,
  openMessage,
  rewrapSealed,
  SealedFile,
  SealedWriter,
  shredSealed,
} from '../../src/vault/index.ts';

import { createHealth, createLogger } from '../../src/observe/index.ts';
import { until } from '../support/processes.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const MASTER = Buffer.alloc(32, 7);
const OTHER_MASTER = Buffer.alloc(32, 8);
const officer = newIdentity();
const DAY = 86_400_000;
const audio = Buffer.from(Array.from({ length: 8000 * 3 + 500 }, (_, i) => (i * 31 + (i >> 7)) & 0xff));
const HEADER_BYTES = 18 + 2 * 4096;

async function seal(path: string, recipients: readonly string[]): Promise<string> {
  const format = { encoding: 'PCMU', rate: 8000, channels: 1 } as const;
  const writer = await SealedWriter.open({ sink: await SealedFile.create(path), recipients, format, metadata: {} });
  writer.push(audio);
  await writer.close();
  return path;
}

/** A house with the keys of two mailboxes and a unit, and sealed files in it. */
async function aHouse(t: Test, mailboxOf: Readonly<Record<string, string>> = {}) {
  const dir = t.testdir({ voicemail: {} });
  const secrets = join(dir, 'secrets');
  mkdirSync(secrets, { mode: 0o700 });
  const keys = openHouseKeys({ voicemail: { masterKey: 'secrets', escrow: [officer.recipient] } }, secrets, MASTER);
  const facts: SystemFact[] = [];
  const parts: RewrapParts = {
    keys,
    folder: join(dir, 'voicemail'),
    store: {
      messages: { list: async () => Object.entries(mailboxOf).map(([messageId, mailbox]) => ({ messageId, mailbox })) },
      greetings: { owners: () => [['greeting-1', '3101']] },
    } as unknown as Pick<Store, 'messages' | 'greetings'>,
    unitOf: (mailbox) => (mailbox === '3101' ? 'cardiology' : null),
    attest: async (said) => void facts.push(...said),
    by: 'ames',
    isClosed: () => false,
  };
  await makeKeys(parts, [
    { kind: 'mailbox', id: '3101' },
    { kind: 'mailbox', id: 'ward-4b' },
    { kind: 'unit', id: 'cardiology' },
  ]);
  const sealed = (name: string, mailbox: string | null, unit: string | null = null) =>
    seal(join(parts.folder, `${name}.sealed`), keys.recipientsFor(mailbox, unit));
  const opens = async (path: string) => {
    const opened = await openMessage(path, (ids) => keys.ring.identities(ids));
    return opened.kind === 'opened' && audio.equals(opened.audio) && opened.ending === 'complete';
  };
  return { dir, secrets, keys, parts, facts, sealed, opens };
}

void t.test('a message is sealed to its mailbox, the unit and the privacy officer; each opens it alone', async (t) => {
  const { keys, sealed, opens } = await aHouse(t);
  const path = await sealed('m1', '3101', 'cardiology');
  const ids = await keyIdsOf(path);
  t.same(
    (ids as string[]).map((id) => keys.ring.known(id)).map((key) => key && `${key.kind} ${key.id}`),
    ['mailbox 3101', 'unit cardiology', undefined],
  );
  t.equal((ids as string[])[2], keyIdOf(officer.recipient));
  t.ok(await opens(path));
  t.match(await openMessage(path, [officer.identity]), { kind: 'opened' });
  for (const id of (ids as string[]).slice(0, 2)) {
    t.match(await openMessage(path, keys.ring.identities([id])), { kind: 'opened' });
  }
  t.match(await openMessage(path, [newIdentity().identity]), { kind: 'refused', reason: 'wrongKey' });
  t.same(keys.recipientsFor('nobody', null).length, 2, 'a mailbox without a key: the house and the officer');
});

void t.test('what opens a message is on record before it is handed on', async (t) => {
  const { keys, sealed } = await aHouse(t);
  const path = await sealed('m1', '3101');
  const order: string[] = [];
  await keys.opening(
    { messageId: 'm1', use: 'heard', by: 'system' },
    async (fact) => void order.push(JSON.stringify(fact)),
    async (identities) => {
      const opened = await openMessage(path, identities);
      order.push(opened.kind);
    },
  );
  order.push('handed on');
  t.match(order, ['opened', /"keyUsed".*"mailbox 3101".*"heard"/, 'handed on']);
});

void t.test('without the master key messages are sealed and cannot be opened; another one opens nothing', async (t) => {
  const { secrets, sealed, parts } = await aHouse(t);
  await sealed('m1', '3101');
  const config = { voicemail: { masterKey: 'secrets', escrow: [] } };
  for (const master of [null, OTHER_MASTER]) {
    const keys = openHouseKeys(config, secrets, master);
    const path = await seal(join(parts.folder, `m${master === null ? 2 : 3}.sealed`), keys.recipientsFor('3101', null));
    t.match(await openMessage(path, (ids) => keys.ring.identities(ids)), { kind: 'refused', reason: 'wrongKey' });
    const [id = ''] = (await keyIdsOf(path)) as string[];
    t.equal(keys.ring.known(id)?.id, '3101', 'sealed to the right key all the same');
    t.equal(keys.ring.foreign().length, 4);
    t.throws(() => keys.ring.make({ kind: 'unit', id: 'x' }, 0), { code: 'keyUnreadable' }, 'and no key is mixed in');
  }
  t.throws(() => openHouseKeys(config, secrets, null).ring.make({ kind: 'unit', id: 'x' }, 0), {
    code: 'keyUnreadable',
  });
});

void t.test('private keys lie on the disk sealed only, and a master key is changed file by file', async (t) => {
  const { secrets, keys } = await aHouse(t);
  const folder = join(secrets, 'voicemail');
  const files = () => readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  t.equal(files().length, 4);
  for (const file of readdirSync(folder)) t.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
  t.notMatch(files().join(), /AGE-SECRET-KEY/);
  const id = keys.ring.newest({ kind: 'mailbox', id: '3101' })?.keyId ?? '';
  const [identity] = keys.ring.identities([id]);
  // Killed after the first file: the rest is still the old one's.
  const [first = ''] = readdirSync(folder);
  const before = readFileSync(join(folder, first));
  t.equal(keys.ring.changeMaster(OTHER_MASTER), 4);
  const after = readFileSync(join(folder, first));
  writeFileSync(join(folder, first), before);
  t.equal(Keyring.open(folder, OTHER_MASTER).foreign().length, 1);
  t.equal(Keyring.open(folder, MASTER).changeMaster(OTHER_MASTER), 1, 'only what is left');
  t.not(readFileSync(join(folder, first), 'utf8'), after.toString('utf8'));
  t.same(Keyring.open(folder, OTHER_MASTER).identities([id]), [identity]);
  t.same(Keyring.open(folder, MASTER).identities([id]), []);
  writeFileSync(join(folder, first), '{"recipient":1}', { mode: 0o600 });
  t.throws(() => Keyring.open(folder, MASTER), { code: 'keyUnreadable', message: /is damaged/ });
});

void t.test(
  'a rotation wraps everything anew without a byte of sound touched, and then shreds the old key',
  async (t) => {
    const { keys, parts, facts, sealed, opens, secrets } = await aHouse(t, { m1: '3101', m2: 'ward-4b' });
    const paths = [
      await sealed('m1', '3101', 'cardiology'),
      await sealed('m2', 'ward-4b'),
      await sealed('greeting-1', '3101', 'cardiology'),
      await sealed('late', null),
    ];
    const sound = () => paths.map((path) => readFileSync(path).subarray(HEADER_BYTES));
    const before = sound();
    const old = keys.ring.newest({ kind: 'mailbox', id: '3101' });
    facts.length = 0;
    await makeKeys(parts, [{ kind: 'mailbox', id: '3101' }]);
    const done = await rewrapMessages(parts);
    t.same([done.rewrapped, done.asTheyWere, done.left], [2, 2, []]);
    t.same(sound(), before);
    for (const path of paths) t.ok(await opens(path), path);
    t.notOk((await keyIdsOf(paths[0] ?? ''))?.includes(old?.keyId ?? ''));
    t.match(await openMessage(paths[0] ?? '', [officer.identity]), { kind: 'opened' });
    const used = facts.filter(({ fact }) => fact === 'keyUsed');
    t.match(used, [{ key: 'mailbox 3101', use: 'rotated', by: 'ames' }, { use: 'rotated' }]);
    t.same(await retireKeys(parts, done, { now: Date.now(), leastAgeMs: DAY }), [], 'a house may not know yet');
    t.same(
      (await retireKeys(parts, done, { now: Date.now() + DAY, leastAgeMs: DAY })).map(({ keyId }) => keyId),
      [old?.keyId],
    );
    t.match(facts.at(-1), { fact: 'keyShredded', key: 'mailbox 3101', keyId: old?.keyId });
    t.notOk(existsSync(join(secrets, 'voicemail', 'mailbox.3101.1.key')));
    for (const path of paths) t.ok(await opens(path), path);
    t.match(await rewrapMessages(parts), { rewrapped: 0, asTheyWere: 4 }, 'nothing is left to do');
  },
);

void t.test('an old key stays while any file needs it, or cannot be looked into', async (t) => {
  const { keys, parts, sealed } = await aHouse(t, { m1: '3101' });
  await sealed('m1', '3101', 'cardiology');
  await makeKeys(parts, [{ kind: 'mailbox', id: '3101' }]);
  writeFileSync(join(parts.folder, 'odd.sealed'), 'not sealed at all');
  const done = await rewrapMessages(parts);
  t.same(done.left, [{ file: 'odd.sealed', why: 'notSealed' }]);
  t.same(await retireKeys(parts, done, { now: Date.now() + DAY, leastAgeMs: 0 }), []);
  t.equal(keys.ring.keys.filter(({ id }) => id === '3101').length, 2);
});

void t.test('a rotation that is stopped anywhere is finished by the next', async (t) => {
  const { keys, parts, sealed, opens } = await aHouse(t, { m1: 'ward-4b', m2: 'ward-4b', m3: 'ward-4b' });
  const paths = [await sealed('m1', 'ward-4b'), await sealed('m2', 'ward-4b'), await sealed('m3', 'ward-4b')];
  await makeKeys(parts, [{ kind: 'mailbox', id: 'ward-4b' }]);
  const attest = () => Promise.reject(new Error('the audit is gone'));
  await t.rejects(rewrapMessages({ ...parts, attest }), /the audit is gone/, 'what cannot be recorded is not done');
  await rewrapSealed(paths[0] ?? '', (ids) => keys.ring.identities(ids), keys.recipientsFor('ward-4b', null));
  const done = await rewrapMessages(parts);
  t.same([done.rewrapped, done.asTheyWere], [2, 1]);
  for (const path of paths) t.ok(await opens(path));
});

/** The house that keeps its keys in step, on a clock of its own. */
function watched(
  t: Test,
  house: Awaited<ReturnType<typeof aHouse>>,
  keys: HouseKeys = house.keys,
  masterKey = 'secrets',
) {
  const clock = new VirtualClock(Date.now());
  const closing = new Closing();
  const health = createHealth();
  const plan = { source: { mailboxes: [{ id: '3101' }, { id: 'ward-4b' }] }, extension: () => undefined };
  const documents = { plan: { ...plan, mailbox: () => undefined }, roster: { unitByPhone: () => undefined } };
  watchKeys(
    {
      config: { voicemail: { masterKey, escrow: [officer.recipient] } },
      secrets: { voicemailMasterKey: MASTER },
      store: house.parts.store,
      log: createLogger({ name: 'test', level: 'error', destination: { write: () => {} } }),
      health,
      folders: { secrets: house.secrets, messages: house.parts.folder },
      keys,
      audit: {
        attest: async (said: readonly { fact: SystemFact }[]) => void house.facts.push(...said.map(({ fact }) => fact)),
      },
    } as unknown as Parameters<typeof watchKeys>[0],
    { documents: () => documents as unknown as ReturnType<Parameters<typeof watchKeys>[1]['documents']>, clock },
    closing,
  );
  t.teardown(() => closing.close());
  const passing = (what: string, look: () => boolean | Promise<boolean>) =>
    until(what, async () => {
      clock.advance(5_000);
      return look();
    });
  return { clock, health, passing };
}

void t.test('the house shreds an old key an hour after its successor came, when nothing needs it', async (t) => {
  const house = await aHouse(t, { m1: '3101', m2: 'ward-4b' });
  const [first, second] = [await house.sealed('m1', '3101'), await house.sealed('m2', 'ward-4b')];
  const old = house.keys.ring.newest({ kind: 'mailbox', id: '3101' });
  await makeKeys(house.parts, [{ kind: 'mailbox', id: '3101' }]);
  const file = join(house.secrets, 'voicemail', 'mailbox.3101.1.key');
  const { clock, passing } = watched(t, house);
  const needs = async (path: string) => (await keyIdsOf(path)).includes(old?.keyId ?? '');
  await until('the message is wrapped to the new key', async () => !(await needs(first)));
  t.ok(existsSync(file), 'somebody may not know the new key yet');
  clock.advance(58 * 60_000);
  t.ok(existsSync(file));
  t.notOk(house.facts.some(({ fact }) => fact === 'keyShredded'));
  await passing('an hour is over', () => !existsSync(file));
  t.match(house.facts.at(-1), { fact: 'keyShredded', key: 'mailbox 3101', keyId: old?.keyId, by: 'system' });
  t.ok((await house.opens(first)) && (await house.opens(second)));
  t.equal(house.keys.ring.keys.filter(({ id }) => id === '3101').length, 1);
});

void t.test('a master key that cannot be had is asked for again while the house is up', async (t) => {
  const house = await aHouse(t, { m1: '3101' });
  const path = await house.sealed('m1', '3101');
  const place = join(house.dir, 'master');
  const keys = openHouseKeys({ voicemail: { masterKey: '', escrow: [] } }, house.secrets, null);
  const opens = async () => (await openMessage(path, (ids) => keys.ring.identities(ids))).kind === 'opened';
  t.notOk(await opens());
  const { health, passing } = watched(t, house, keys, `command:cat ${place}`);
  const told = () => health.report().checks.find(({ name }) => name === 'voicemail keys');
  await passing('it is told', () => told()?.kind === 'failing');
  t.match(told(), { why: /messages are taken, and nobody can hear any.*cat ended with code 1/ });
  writeFileSync(place, 'not a key');
  await passing('it is told what is wrong now', () => /gives no key/.test(JSON.stringify(told())));
  writeFileSync(place, OTHER_MASTER.toString('base64url'));
  await passing('another key is here', () => /belong to another master key/.test(JSON.stringify(told())));
  t.notOk(await opens());
  // Whoever sees that puts the right one there, and need not start anything again.
  writeFileSync(place, MASTER.toString('base64url'));
  await passing('the right one is here', () => told()?.kind === 'ok');
  t.ok(await opens());
});

void t.test('shredding leaves nothing that any of the keys opens', async (t) => {
  const { sealed } = await aHouse(t);
  const path = await sealed('m1', '3101', 'cardiology');
  const file = readFileSync(path);
  const alive = `${path}.link`;
  // A second name for the same blocks: what somebody finds on the disk after the file is removed.
  const { linkSync } = await import('node:fs');
  linkSync(path, alive);
  t.match(await shredSealed(path), /^[0-9a-f]{64}$/);
  const left = readFileSync(alive);
  t.equal(left.length, file.length);
  t.equal(left.indexOf('age-encryption.org'), -1, 'neither slot is left');
  t.same(await openMessage(alive, [officer.identity]), { kind: 'refused', reason: 'notSealed' });
});
