import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dataFolders } from '../../src/cli/folders.ts';
import { houseSecrets } from '../../src/cli/house-secrets.ts';
import { instant } from '../../src/core/time/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { leftMessage } from '../support/left-message.ts';
import { warmCli } from '../support/warm-cli.ts';

// What somebody without a phone does to greetings, notices, PINs and messages; each leaves its reason in the record.

const at = instant(Date.parse('2026-11-23T12:00Z'));
const done = { at, by: '3101' };
const left = { ...leftMessage, mailbox: '3101', callId: null, at, isUrgent: false, callBack: null } as const;

void t.test('greetings, notices, PINs and messages on the command line', async (t) => {
  const data = join(t.testdir({}), 'data');
  const folders = dataFolders(data);
  mkdirSync(folders.messages, { recursive: true, mode: 0o700 });
  await houseSecrets(folders);
  const store = await openStore(folders.store);
  t.teardown(() => store.close());
  const run = async (...args: string[]) => warmCli(['voicemail', ...args, '--data', data]);
  const why = ['--reason', 'she is on leave'];

  t.match(await run('greeting', 'list'), { code: 0, out: /None was recorded/ });
  t.match(await run('greeting', 'until', '3101', 'open', ...why), {
    code: 1,
    err: /has no recorded greeting \(absence\)/,
  });
  store.greetings.set('3101', 'absence', 'greeting-a', done);
  store.greetings.set('3101', 'usual', 'greeting-u', done);
  writeFileSync(join(folders.messages, 'greeting-a.sealed'), 'wrapped key and sound');
  t.match(await run('greeting', 'until', '3101', '2020-01-01', ...why), { code: 2, err: /is over already/ });
  t.match(await run('greeting', 'until', '3101', '2099-01-01 08:00', ...why), {
    code: 0,
    out: /ends at 2099-01-01 08:00/,
  });
  t.match(await run('greeting', 'list', '--mailbox', '3101'), { out: /3101 +absence .*2099-01-01 08:00/ });
  t.match(await run('greeting', 'delete', '3101', 'nonsense', ...why), { code: 2, err: /usual, closed or absence/ });
  t.match(await run('greeting', 'delete', '3101', 'absence', '--reason', ' '), { code: 2, err: /--reason takes/ });
  t.match(await run('greeting', 'delete', '3101', 'absence', ...why), { code: 0 });
  t.notOk(existsSync(join(folders.messages, 'greeting-a.sealed')), 'its sound is gone');
  t.same(store.greetings.of('3101'), { usual: 'greeting-u' });

  const notice = {
    id: 'M1 pager',
    messageId: 'M1',
    mailbox: '3101',
    hook: 'pager',
    to: '77',
    isUrgent: true,
    madeAt: at,
  };
  t.match(await run('notice', 'list'), { code: 0, out: /No notice waits/ });
  await store.saveMessage(left, [notice]);
  store.notices.begun('M1 pager', at);
  store.notices.failed('M1 pager', instant(at + 100 * 365 * 86_400_000), false);
  t.match(await run('notice', 'list'), { out: /M1 +3101 +pager +77 .* 1 +21/ });
  t.match(await run('notice', 'retry', 'M1'), { code: 0, out: /^1 of message M1/ });
  t.equal(store.notices.due(instant(Date.now()), 9).length, 1, 'it is due');
  store.notices.over('M1 pager', '');
  store.notices.recorded('M1 pager');
  t.match(
    await run('notice', 'retry', 'M1'),
    { code: 1, err: /no notice that waits/ },
    'what was sent is not sent again',
  );
  t.match(await run('notice', 'list', '--all'), { out: /over/ });

  t.match(await run('pin', 'unlock', '3101', ...why), { code: 1, err: /no wrong PIN is on record/ });
  store.pins.noteTries('mailbox 3101', { failures: 5, lastAt: at });
  store.pins.noteTries('from 2101', { failures: 5, lastAt: at });
  t.match(await run('pin', 'unlock', '3101', '--from', '2101', ...why), { code: 0 });
  t.same([store.pins.tries('mailbox 3101'), store.pins.tries('from 2101')], [null, null]);

  t.match(await run('save', 'M1', ...why), { code: 0 });
  t.equal((await store.messages.find('M1'))?.state, 'saved');
  t.not((await run('hand-over', 'M1', '--to', 'nobody', ...why)).code, 0);
  await store.saveMessage({ ...left, messageId: 'M2', isPrivate: true }, []);
  t.match(await run('hand-over', 'M2', '--to', 'cardiology', ...why), { code: 1, err: /is private/ });

  const record = (await store.chain.read(0, 1000)).map(({ body }) => body).join('\n');
  for (const word of ['"endSet"', '"deleted"', '"pinUnlocked"', '"saved"']) t.ok(record.includes(word), word);
  t.ok(record.includes('she is on leave'));
});
