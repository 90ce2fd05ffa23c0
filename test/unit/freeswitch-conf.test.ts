import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { freeswitchFindings } from '../../src/cli/doctor/freeswitch-faults.ts';
import { readFreeswitchFiles } from '../../src/cli/doctor/freeswitch-files.ts';
import { type Machine, memoryOnlyFindings, plainSpeech } from '../../src/cli/doctor/memory-only.ts';
import { type SiteOptions, writeSite } from '../../src/cli/freeswitch-site.ts';
import { loadConfig } from '../../src/config/index.ts';
import { asInExamples, folderOf } from '../support/freeswitch-examples.ts';

const OURS = new URL('../../freeswitch-conf', import.meta.url).pathname;

const site: SiteOptions = {
  eventSocket: '127.0.0.1:18021',
  sip: '127.0.0.1:15090',
  rtp: '192.0.2.7',
  rtpPorts: '20000-20999',
  app: '127.0.0.1',
  music: '/srv/music/8000',
};

const checks = (folder: string, siteFile?: string) =>
  freeswitchFindings(folder, siteFile).map(({ check, state }) => `${state} ${check}`);

t.test('the four faults that everybody knows are found, each with its place and its remedy', async (t) => {
  const findings = freeswitchFindings(folderOf(t, asInExamples));
  t.match(findings, [
    {
      state: 'bad',
      says: /event_socket\.conf\.xml:3: the password of the event socket is the well-known ClueCon/,
      remedy: /freeswitch prepare/,
    },
    { state: 'bad', says: /event_socket\.conf\.xml:2: listen-ip is "::"/, remedy: /127\.0\.0\.1/ },
    { state: 'bad', says: /no apply-inbound-acl/, remedy: /default="deny"/ },
    { state: 'bad', says: /default_password is the well-known 1234/, remedy: /directory/ },
  ]);
  t.equal(findings.length, 4, 'and nothing is made up; an order counts in a comment too, as FreeSWITCH has it');
});

t.test('an event socket that is not loaded is no fault, one without a password has a known one', async (t) => {
  const modules = asInExamples['autoload_configs/modules.conf.xml'];
  const none = {
    ...asInExamples,
    'autoload_configs/modules.conf.xml': modules.replace('mod_event_socket', 'mod_sofia'),
  };
  t.same(checks(folderOf(t, none)), ['bad FreeSWITCH passwords']);
  const socket = asInExamples['autoload_configs/event_socket.conf.xml'];
  const empty = { ...asInExamples, 'autoload_configs/event_socket.conf.xml': socket.replace('ClueCon', '') };
  t.match(freeswitchFindings(folderOf(t, empty))[0], { says: /is empty, and so FreeSWITCH takes ClueCon/ });
  const short = {
    ...asInExamples,
    'autoload_configs/event_socket.conf.xml': socket.replace('ClueCon', 'only-15-letters'),
  };
  t.match(freeswitchFindings(folderOf(t, short))[0], { says: /has 15 characters/ });
});

t.test('an ACL that lets strangers in is as good as none', async (t) => {
  const withAcl = (list: string, named = 'app') => ({
    ...asInExamples,
    'autoload_configs/event_socket.conf.xml': `<configuration name="event_socket.conf"><settings>
      <param name="listen-ip" value="127.0.0.1"/>
      <param name="password" value="a-secret-that-is-long-enough"/>
      <param name="apply-inbound-acl" value="${named}"/>
    </settings></configuration>`,
    'autoload_configs/acl.conf.xml': `<configuration name="acl.conf"><network-lists>${list}</network-lists></configuration>`,
    'vars.xml': '<include></include>',
  });
  const allow = (cidr: string) => `<node type="allow" cidr="${cidr}"/>`;
  for (const [list, why] of [
    ['<list name="app" default="deny"></list>', /is empty/],
    ['<list name="app" default="allow"><node type="deny" cidr="10.0.0.1/32"/></list>', /default is not deny/],
    [`<list name="app" default="deny">${allow('0.0.0.0/0')}</list>`, /lets everybody in \(0\.0\.0\.0\/0\)/],
    [`<list name="app" default="deny">${allow('::/0')}</list>`, /lets everybody in/],
    [`<list name="other" default="deny">${allow('10.0.0.1/32')}</list>`, /there is no list "app"/],
  ] as const) {
    const found = freeswitchFindings(folderOf(t, withAcl(list)));
    t.match(found, [{ check: 'FreeSWITCH ACL', state: 'bad', says: why }], list);
    t.equal(found.length, 1);
  }
  t.match(freeswitchFindings(folderOf(t, withAcl('', 'rfc1918.auto'))), [{ says: /lets a whole network in/ }]);
  t.same(checks(folderOf(t, withAcl(`<list name="app" default="deny">${allow('10.0.0.1/32')}</list>`))), [
    'good FreeSWITCH configuration',
  ]);
  t.same(checks(folderOf(t, withAcl('', 'loopback.auto'))), ['good FreeSWITCH configuration']);
});

t.test('a profile that asks nobody for a password has to know its callers', async (t) => {
  const profile = (params: string) => ({
    ...asInExamples,
    'autoload_configs/sofia.conf.xml': `<configuration name="sofia.conf"><profiles>
      <profile name="outside"><settings>${params}</settings></profile>
    </profiles></configuration>`,
  });
  const of = (params: string) => checks(folderOf(t, profile(params))).filter((check) => /profile/.test(check));
  t.same(of('<param name="auth-calls" value="false"/>'), ['bad FreeSWITCH profile outside']);
  t.same(of('<param name="auth-calls" value="true"/>'), []);
  t.same(of('<param name="auth-calls" value="false"/><param name="apply-inbound-acl" value="loopback.auto"/>'), []);
});

t.test('a folder that is none, that goes round in circles or is too large is refused, not read for ever', async (t) => {
  t.match(freeswitchFindings(join(t.testdirName, 'nowhere')), [{ state: 'bad', says: /there is no configuration/ }]);
  const circle = { 'freeswitch.xml': '<X-PRE-PROCESS cmd="include" data="freeswitch.xml"/>' };
  t.match(freeswitchFindings(folderOf(t, circle)), [{ state: 'bad', says: /more than 20 includes inside each other/ }]);
  const large = { 'freeswitch.xml': `<document>${' '.repeat(1_000_001)}</document>` };
  t.match(freeswitchFindings(folderOf(t, large)), [{ state: 'bad', says: /larger than/ }]);
});

t.test('our own configuration has no fault, and loads what it needs and nothing else', async (t) => {
  const made = writeSite(join(t.testdir(), 'freeswitch'), site);
  t.same(checks(OURS, made.file), ['good FreeSWITCH configuration']);
  const read = readFreeswitchFiles(OURS, { WARDLINE_FREESWITCH_SITE: made.file });
  if (read.kind !== 'read') return t.fail(read.why);
  const { elements } = read.files;
  const modules = elements.filter(({ name }) => name === 'load').map(({ attributes }) => attributes.get('module'));
  t.same(modules.toSorted(), [
    'mod_commands',
    'mod_console',
    'mod_dialplan_xml',
    'mod_dptools',
    'mod_event_socket',
    'mod_local_stream',
    'mod_logfile',
    'mod_sndfile',
    'mod_sofia',
    'mod_tone_stream',
  ]);
  const value = (inside: string, param: string) =>
    elements.find((one) => one.inside === inside && one.attributes.get('name') === param)?.attributes.get('value');
  t.equal(value('event_socket.conf', 'password'), readFileSync(made.secretFile, 'utf8').trim());
  t.equal(value('event_socket.conf', 'listen-port'), '18021');
  t.equal(value('sofia.conf/drachtio_mrf', 'sip-port'), '15090');
  t.equal(value('sofia.conf/drachtio_mrf', 'ext-rtp-ip'), '192.0.2.7');
});

t.test(
  'without its site file ours is refused, and would not come up: no event socket with a known secret',
  async (t) => {
    t.match(freeswitchFindings(OURS, '/nowhere/site.xml'), [
      { state: 'bad', says: /site\.xml is included and cannot be read/ },
    ]);
    const read = readFreeswitchFiles(OURS, { WARDLINE_FREESWITCH_SITE: '/nowhere/site.xml' });
    if (read.kind !== 'read') return t.fail(read.why);
    const loads = read.files.elements.filter(({ name }) => name === 'load').map(({ attributes }) => attributes);
    t.notOk(loads.some((attributes) => attributes.get('module') === 'mod_event_socket'));
    const missing = loads.find((attributes) => attributes.get('module') === 'the_site_file_is_missing');
    t.equal(missing?.get('critical'), 'true', 'a critical module that is not there ends FreeSWITCH at its start');
  },
);

t.test('prepare makes a secret of 256 bits for the owner alone, and keeps it', async (t) => {
  const folder = join(t.testdir(), 'freeswitch');
  const first = writeSite(folder, site);
  const secret = readFileSync(first.secretFile, 'utf8').trim();
  t.match(secret, /^[A-Za-z0-9_-]{43}$/);
  for (const file of [first.file, first.secretFile]) t.equal(statSync(file).mode & 0o777, 0o600, file);
  for (const dir of ['', 'log', 'db']) t.equal(statSync(join(folder, dir)).mode & 0o777, 0o700, dir);
  writeSite(folder, { ...site, sip: '127.0.0.1:15091' });
  t.equal(readFileSync(first.secretFile, 'utf8').trim(), secret);
  t.match(readFileSync(first.file, 'utf8'), /sip_port=15091/);
  writeFileSync(first.secretFile, 'ClueCon\n');
  t.throws(() => writeSite(folder, site), { message: /is damaged: remove it/ });
});

t.test('prepare refuses what would open the media server or break out of its files', async (t) => {
  const folder = join(t.testdir(), 'freeswitch');
  for (const [change, why] of [
    [{ eventSocket: '0.0.0.0:8021' }, /--event-socket .*never on all addresses/],
    [{ eventSocket: '127.0.0.1:0' }, /must read address:port/],
    [{ sip: '[::]:5090' }, /--sip .*never on all addresses/],
    [{ rtp: '0.0.0.0' }, /--rtp .*one machine/],
    [{ app: '10.0.0.5/8' }, /--app .*IPv4/],
    [{ rtpPorts: '20000-20001' }, /--rtp-ports .*ten ports/],
    [{ rtpPorts: '80-2000' }, /--rtp-ports/],
    [{ music: '/srv/"/><load module="mod_lua"' }, /--music .*letters/],
  ] as const) {
    t.throws(() => writeSite(folder, { ...site, ...change }), { message: why, exitCode: 2 }, JSON.stringify(change));
  }
  t.throws(() => writeSite('/proc/nowhere', site), { message: /cannot be written/ });
});

const machine = (change: Partial<Machine> = {}): Machine => ({
  swaps: 'Filename\tType\tSize\tUsed\tPriority\n',
  safeDevices: new Set(['dm-1', 'mapper/swap', 'zram0']),
  fileSystemOf: () => ({ isTmpfs: true, sizeBytes: 256 * 2 ** 20 }),
  ...change,
});

t.test('speech in clear may lie in memory only', async (t) => {
  const look = (change: Partial<Machine>) => memoryOnlyFindings('/run/wardline/plain', 4 * 2 ** 30, machine(change));
  t.match(look({}), [
    { state: 'good', says: /at most 256 MB/ },
    { state: 'good', says: 'is off' },
  ]);
  t.match(look({ fileSystemOf: () => null }), [{ state: 'bad', says: /is not there/, remedy: /mount -t tmpfs/ }]);
  t.match(look({ fileSystemOf: () => ({ isTmpfs: false, sizeBytes: 1 }) }), [{ state: 'bad', says: /is not a tmpfs/ }]);
  t.match(look({ fileSystemOf: () => ({ isTmpfs: true, sizeBytes: 3 * 2 ** 30 }) }), [{ state: 'note', says: /half/ }]);
  const swaps = (...devices: string[]) =>
    ['Filename Type Size', ...devices.map((d) => `${d} partition 1 0 -2`)].join('\n');
  t.match(look({ swaps: swaps('/dev/sda2') })[1], {
    state: 'bad',
    says: /\/dev\/sda2 is not encrypted/,
    remedy: /swapoff/,
  });
  t.match(look({ swaps: swaps('/dev/dm-1', '/dev/mapper/swap', '/dev/zram0') })[1], {
    state: 'good',
    says: /encrypted/,
  });
  t.match(look({ swaps: swaps('/dev/dm-1', '/swapfile') })[1], { state: 'bad', says: /^\/swapfile is not/ });
});

t.test('doctor looks where every FreeSWITCH records to', async (t) => {
  const server = (more: object) => ({ host: '10.0.0.21', secret: 'x', ...more });
  const look = (...servers: object[]) => {
    const loaded = loadConfig({ set: [`media.servers=${JSON.stringify(servers)}`] });
    if (loaded.kind === 'bad') throw new Error(loaded.problems.join());
    return plainSpeech(loaded.value);
  };
  t.match(look(), [{ check: 'swap' }], 'memory in clear on a disk concerns every house');
  t.match(look(server({ kind: 'mediad' })), [{ check: 'swap' }], 'our own seals by itself');
  t.match(look(server({})), [
    { check: 'media 10.0.0.21:8021', state: 'bad', says: /nobody can leave a message/ },
    { check: 'swap' },
  ]);
  const [folder, swap] = look(server({ plain: t.testdir() }));
  t.match(folder, { check: 'plain recordings', state: 'bad', says: /is not a tmpfs/ });
  t.equal(swap?.check, 'swap');
});
