import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import type { Baresip } from '../support/baresip.ts';
import { heardWithin, House, PROMPTS } from '../support/house.ts';
import { housesAtOnce } from '../support/left-out.ts';
import { scratch, until } from '../support/processes.ts';
import { heardFor } from '../support/sound.ts';

// The machine under the house fails: its disk is full, its data are of another time, its keys are gone.

t.jobs = housesAtOnce(2);

/** A disk of its own for the data, where this user may mount one. */
function smallDisk(t: { teardown(fn: () => unknown): void }): string | null {
  const at = scratch(t, 'disk');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', at], { stdio: 'ignore' });
  } catch {
    return null;
  }
  t.teardown(() => execFileSync('umount', ['--lazy', at]));
  return at;
}

/** Writes until there is no room for one byte more. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  for (let size = 1024 * 1024; size >= 1; ) {
    try {
      writeSync(file, Buffer.alloc(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
  closeSync(file);
}

t.test('the disk is full: calls go on, voicemail says so, and the record catches up', async (t) => {
  const disk = smallDisk(t);
  if (disk === null) return t.pass('a full disk', { skip: 'nobody here may mount a file system (it needs root)' });
  const house = await House.start(t, { phones: ['2101', '2102'], data: join(disk, 'data') });
  const [ward, icu] = (await Promise.all([house.desk(t, '2101', 440), house.desk(t, '2102', 660)])) as [
    Baresip,
    Baresip,
  ];
  fill(join(disk, 'ballast'));

  await ward.dial(house.uri('2102'));
  await icu.event('CALL_INCOMING');
  await icu.accept();
  await until('both to talk', () => {
    const [atWard, atIcu] = [ward.heard()[0], icu.heard()[0]];
    return atWard && atIcu && heardFor(atWard, 660) > 0.5 && heardFor(atIcu, 440) > 0.5;
  });
  await ward.hangUp();
  await icu.event('CALL_CLOSED');

  const w = ward.mark();
  await ward.nextFile();
  await ward.dial(house.uri('7013'));
  await ward.event('CALL_ESTABLISHED', w);
  await until(
    '"the mailbox cannot be used"',
    () => heardWithin(ward.heard().at(-1)!, PROMPTS.wardline('voicemail-unavailable')) > 0.8,
  ).catch(async (error: Error) => {
    rmSync(join(disk, 'ballast'));
    throw new Error(`${error.message}\n${(await house.cli('call', 'list')).out}\n${house.terminal()}`);
  });
  await ward.event('CALL_CLOSED', w);
  const ready = await fetch(`http://${house.admin}/readyz`).then((answer) => answer.text());
  t.match(ready, /disk|space|audit/i, 'whoever watches is told');
  t.match(readFileSync(join(house.documents, 'terminal'), 'utf8') + ready, /disk|space/i);

  rmSync(join(disk, 'ballast'));
  const facts = await until('the record to catch up', async () => {
    const { calls } = await house.json<{ calls: { callId: string }[] }>('call', 'list');
    const all = await Promise.all(calls.map(({ callId }) => house.facts(callId))).catch(() => []);
    return all.length === 2 && all.every((call) => call.has('ended')) && all;
  });
  t.same(facts.map(({ ending }) => ending).sort(), ['callerHungUp', 'recordingFailed']);
  const verified = await house.cli('audit', 'verify');
  t.equal(verified.code, 0, verified.out + verified.err);
  const shown = await house.cli('call', 'show', facts[0]?.callId ?? '');
  t.match(shown.out, /written late/);
  t.same((await house.json<{ messages: unknown[] }>('voicemail', 'list')).messages, []);
});

t.test('data that this version cannot use: one sentence, nothing changed', async (t) => {
  const house = await House.start(t);
  await house.close();
  const restart = (): Promise<string> =>
    House.start(t, { data: house.data }).then(
      () => 'it started',
      (error: Error) => error.message,
    );

  await t.test('a key that cannot be read', async (t) => {
    const key = join(house.data, 'secrets/phi.key');
    const kept = readFileSync(key);
    rmSync(key);
    mkdirSync(key);
    const said = await restart();
    t.match(said, /ended with 1/);
    t.match(said, /secrets\/phi\.key is not a key file; restore the whole folder from a backup/);
    t.notMatch(said.split('ended with')[1], /\n\s+at .*\.ts:\d+/, 'no stack trace');
    rmSync(key, { recursive: true });
    writeFileSync(key, kept, { mode: 0o600 });
  });

  await t.test('a store of a newer version', async (t) => {
    const store = join(house.data, 'wardline.db');
    const db = new Database(store);
    const table = 'kysely_migration';
    db.exec(`insert into ${table} select '9999-from-the-future', max(timestamp) from ${table}`);
    db.close();
    const said = await restart();
    t.match(said, /ended with 1/);
    t.match(said, /newer/);
    t.notMatch(said.split('ended with')[1], /\n\s+at .*\.ts:\d+/, 'no stack trace');
  });
});
