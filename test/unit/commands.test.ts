import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { masked } from '../../src/cli/call.ts';
import { instantFrom, showTime } from '../../src/cli/site-time.ts';
import { instant } from '../../src/core/time/index.ts';

const CHICAGO = 'America/Chicago';

/** The instant, and what was assumed. */
function read(text: string, zone = CHICAGO): readonly [string, string] {
  let assumed = '';
  const at = instantFrom(text, zone, (words) => (assumed += words));
  return [new Date(at).toISOString(), assumed];
}

void t.test('--at takes any date and time of ISO 8601, at the site or with an offset', async (t) => {
  for (const text of [
    '2026-11-23T08:00',
    '2026-11-23 08:00',
    '2026-11-23T08:00:00.000',
    '20261123T0800',
    '2026-W48-1T08:00',
    '2026-327T08',
    '2026-11-23T08:00-06:00',
    '2026-11-23T14:00Z',
    '2026-11-23T15:00:00+01:00',
    '2026-11-23 14:00 +00:00',
  ]) {
    t.same(read(text), ['2026-11-23T14:00:00.000Z', ''], text);
  }
  t.same(read('2026-11-23'), ['2026-11-23T06:00:00.000Z', ''], 'midnight at the site');
  t.same(read('2026-11-23T08:00', 'UTC'), ['2026-11-23T08:00:00.000Z', '']);
  for (const text of [
    '',
    '08:00',
    'T08:00',
    '2026-02-30',
    '2026-11-23T25:00',
    'monday',
    `2026-11-23${' '.repeat(1e5)}`,
  ]) {
    t.throws(() => read(text), { exitCode: 2, message: /must read like 2026-11-23T08:00/ }, text.slice(0, 20));
  }
});

void t.test('a list of calls names nobody from outside', async (t) => {
  const names = { extension: (number: string) => (number === '210100' ? 'Ward 4B' : null) };
  const shown: readonly (readonly [string, string])[] = [
    ['2101', '2101'],
    ['210100', '210100'],
    ['trunk carrier', 'trunk carrier'],
    ['+12025550177', '…77'],
    ['12025550177', '…77'],
    ['Jane Roe', '[phi]'],
    ['jane.roe', '[phi]'],
  ];
  for (const [from, says] of shown) t.equal(masked(from, names), says);
});

void t.test('a time that the wall clock shows twice, or never, says how it was read', async (t) => {
  t.same(read('2026-03-08T02:30'), [
    '2026-03-08T08:00:00.000Z',
    `--at 2026-03-08T02:30: clocks in ${CHICAGO} jump over that time; 2026-03-08 03:00 is meant`,
  ]);
  t.same(read('2026-11-01T01:30'), [
    '2026-11-01T06:30:00.000Z',
    `--at 2026-11-01T01:30: clocks in ${CHICAGO} show that time twice; the first, 2026-11-01 01:30 CDT, is meant`,
  ]);
  t.same(read('2026-11-01T01:30-06:00'), ['2026-11-01T07:30:00.000Z', ''], 'an offset says which');
  t.equal(showTime(instant(Date.parse('2026-11-01T07:30Z')), CHICAGO), '2026-11-01 01:30 CST');
  t.equal(showTime(instant(Date.parse('2026-11-01T08:30Z')), CHICAGO), '2026-11-01 02:30');
});

function wardline(args: readonly string[], input = '') {
  return spawnSync(process.execPath, ['src/main.ts', ...args], { encoding: 'utf8', input });
}

void t.test('a data folder that everybody may write to is refused', async (t) => {
  const data = t.testdir({});
  chmodSync(data, 0o777);
  const { status, stderr } = wardline(['up', '--data', data]);
  t.equal(status, 1);
  t.match(stderr, /everybody on this machine may write to .*: use another folder, or chmod o-w it/);
  t.notOk(existsSync(join(data, 'secrets')), 'and nothing was put into it');
});

void t.test('a password that is there already comes from a file or a pipe, never from the command line', async (t) => {
  const data = t.testdir({});
  const file = join(data, 'password');
  const password = 'kV7#pQ2x!mZ9rT4w';
  writeFileSync(file, `${password}\nnot this\n`, { mode: 0o600 });
  const add = (extension: string, ...more: string[]) => ['phone', 'add', extension, '--json', '--data', data, ...more];
  const fromFile = wardline(add('2101', '--password-file', file));
  t.match(JSON.parse(fromFile.stdout), { extension: '2101', password });
  const fromPipe = wardline(add('2102', '--password-file', '-'), `${password}\n`);
  t.match(JSON.parse(fromPipe.stdout), { extension: '2102', password });
  t.match(wardline(add('3101', '--password-file', join(data, 'none'))), {
    status: 1,
    stdout: /cannot be read \(ENOENT\)/,
  });
  t.match(wardline(add('3101', '--password', password)), { status: 2, stderr: /unknown option '--password'/ });
});

void t.test('phone add says what a person types into the softphone', async (t) => {
  const house = ['--data', t.testdir({}), '--set', 'sip.listen=[udp/192.0.2.7:5070, tcp/192.0.2.7:5070]'];
  const { stdout } = wardline(['phone', 'add', '2101', ...house]);
  const says = [
    'Phone 2101 was added. Type into it:',
    '  SIP server   192.0.2.7:5070  (udp or tcp)',
    '  user         2101',
    /^ {2}password {5}\S{14,}$/,
  ];
  t.match(stdout.split('\n').slice(0, 4), says);
  const anyPort = ['--data', t.testdir({}), '--set', 'sip.listen=[udp/127.0.0.1:0]'];
  t.match(wardline(['phone', 'add', '2101', ...anyPort]).stdout, /SIP server {3}as the house says when it starts/);
});

void t.test(
  'a --set that cannot be read is a slip of the pen, one that is refused a wrong configuration',
  async (t) => {
    for (const text of ['sip.realm', '=1', 'sip..realm=x']) {
      t.match(wardline(['phone', 'list', '--set', text]), { status: 2, stderr: /must read path=value/ }, text);
    }
    t.match(wardline(['phone', 'list', '--set', 'sip.realmm=x']), { status: 1, stderr: /there is no such key/ });
    t.match(wardline(['up', '--set', 'sip.realm']), { status: 2, stderr: /must read path=value/ });
  },
);
