import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { House } from '../support/house.ts';
import { housesAtOnce, notOnDrachtioServer, notOnFreeswitch, notOnRunning } from '../support/left-out.ts';
import { ended, scratch, until } from '../support/processes.ts';
import { RawPhone } from '../support/raw-phone.ts';
import { RtpPhone } from '../support/rtp-phone.ts';

// The running program: what an admin types, and what happens when a process dies.

// Each story has houses of its own.
t.jobs = housesAtOnce(2);

interface Ready {
  pid: number;
  appPid: number;
  daemonPids: number[];
  pids: { sipd: number; mediad: number };
  sip: string[];
}

function isRunning(pid: number): boolean {
  try {
    // A process that ended and was not yet asked for is a zombie: over all the same.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

t.test('a house that loses its parts, and is stopped', async (t) => {
  const house = await House.start(t);
  const ready = () => house.readyNow() as unknown as Ready;
  const first = ready();

  await t.test('the banner is enough to make a call, and fits the screen', async (t) => {
    const lines = house.terminal().split('\n');
    const banner = lines.slice(lines.findIndex((line) => line.includes('is up:')));
    const text = banner.join('\n');
    t.match(text, house.sip);
    t.match(text, /2101 +Ward 4B +password [a-z0-9]{20,}/);
    t.match(text, /310[12] +Dr (Ames|Bell) +password [a-z0-9]{20,}/);
    for (const number of ['7011', '1500']) t.match(text, new RegExp(`\\b${number} `));
    t.match(text, house.data);
    t.match(text, 'Ctrl-C');
    t.same(
      banner.filter((line) => line.length > 80 && !line.includes(house.data)),
      [],
    );
  });

  await t.test('nobody else can read what it keeps', async (t) => {
    for (const folder of ['', 'secrets', 'run', 'log', 'voicemail']) {
      t.equal(statSync(join(house.data, folder)).mode & 0o077, 0, folder);
    }
    for (const folder of ['secrets', 'run', 'log']) {
      for (const name of readdirSync(join(house.data, folder))) {
        t.equal(statSync(join(house.data, folder, name)).mode & 0o077, 0, name);
      }
    }
    const log = readFileSync(join(house.data, 'log/app.log'), 'utf8') + house.terminal();
    const secret = readFileSync(join(house.data, 'secrets/control.secret'), 'utf8').trim();
    t.notOk(log.includes(secret));
  });

  await t.test('commands beside the running house', async (t) => {
    t.match(await house.cli('doctor'), { code: 0, out: /Nothing is wrong/ });
    t.match(await house.cli('call', 'show', 'xxxx-xxxx'), { code: 1, err: /no call XXXX-XXXX/ });
    const example = /2101 +Ward 4B +password (\S+)/.exec(house.terminal())?.[1];
    const replaced = await house.json<{ password: string }>('phone', 'add', '2101');
    t.not(replaced.password, example, 'an example phone is replaced');
    t.match(await house.cli('phone', 'add', '2101'), { code: 1, err: /already has a phone/ });
    t.match(await house.cli('phone', 'add', '4711'), { code: 1, err: /not an extension of the plan/ });
    t.match(await house.cli('phone', 'remove', '2101'), { code: 0 });
    const { phones } = await house.json<{ phones: { extension: string }[] }>('phone', 'list');
    t.same(
      phones.map(({ extension }) => /^310[12]$/.test(extension)),
      [true],
    );
    t.match(await house.cli('oncall', 'show', 'cardiolgy'), { code: 1, err: /there are cardiology, neurology/ });
    t.match(await house.cli('oncall', 'show'), { code: 2 });
    t.match(await house.cli('call', 'list'), { code: 0, out: 'No calls yet.' });
    t.match(await house.cli('voicemail', 'list', '--json'), { code: 0, out: /"messages": \[\]/ });
    t.match(await house.cli('audit', 'verify'), { code: 0, out: /intact/ });
    const simulated = await house.cli('plan', 'simulate', '--from', '2101', '--to', '7011', '--at', '2026-11-23T09:00');
    t.match(simulated, {
      code: 0,
      out: /Step 1: primary.*\n +Dr (Ames|Bell) \(primary\)[^\n]*\n(?: +[^\n]*\n)*? +ring: desk phone 310[12]/,
    });
  });

  await t.test('kill -9 of the app: a new one, the daemons do not notice', async (t) => {
    process.kill(first.appPid, 'SIGKILL');
    await until('another app', () => ready().appPid !== first.appPid);
    t.same(ready().pids, first.pids);
    t.equal((await fetch(`http://${String(house.readyNow()['admin'])}/readyz`)).status, 200);
  });

  const endsDaemon = notOnRunning('signalling');
  await t.test('kill -9 of a daemon: it is back on the same port, and the app finds it', endsDaemon, async (t) => {
    process.kill(first.pids.sipd, 'SIGKILL');
    await until('another sipd', () => ready().pids.sipd !== first.pids.sipd);
    t.same(ready().sip, first.sip, 'phones know no other address');
    const admin = String(house.readyNow()['admin']);
    await until('the app to be ready', async () => (await fetch(`http://${admin}/readyz`)).status === 200);
  });

  await t.test('a house that is stopping says so, for as long as a call runs', async (t) => {
    const [, user = '', password = ''] = /(310[12]) +Dr \w+ +password (\S+)/.exec(house.terminal()) ?? [];
    const phone = await RawPhone.open(user, { udp: Number(house.sip.split(':')[1]), tcp: 0 });
    const rtp = await RtpPhone.open();
    t.teardown(() => [phone, rtp].forEach((one) => one.close()));
    const { call } = await phone.invite('1500', { password, body: rtp.sdp });
    const answer = await phone.nextResponse(call, 'INVITE');
    t.equal(answer.status, 200);
    phone.acknowledge(call, answer);
    house.child.kill('SIGINT');
    const stopping = await until('the house to say that it stops', async () => {
      const answer = await fetch(`http://${String(house.readyNow()['admin'])}/readyz`);
      return answer.status === 503 && (await answer.text());
    });
    t.match(stopping, /stopping: no new calls/);
    process.kill(ready().appPid, 'SIGTERM');
    await until('the app to have heard it twice', async () => {
      return (await fetch(`http://${String(house.readyNow()['admin'])}/readyz`)).status === 503;
    });
    phone.inDialog(call, 'BYE');
    await phone.nextResponse(call, 'BYE');
  });

  const { appPid, daemonPids } = ready();
  t.equal(await ended(house.child), 0, 'stopped in good order');
  for (const pid of [appPid, ...daemonPids]) t.notOk(isRunning(pid), `${pid} is gone`);
  t.notOk(existsSync(join(house.data, 'run/ready.json')));

  await t.test('the same data again: no new passwords, the audit goes on', async (t) => {
    const again = await House.start(t, { data: house.data });
    t.match(again.terminal(), /310[12] +Dr (Ames|Bell) +password/);
    t.notMatch(again.terminal(), /2101 +Ward 4B/, 'what was removed does not come back');
    t.match(await again.cli('audit', 'verify'), { code: 0 });
    t.equal(await again.close(), 0);
  });
});

const losesSipd = notOnRunning('signalling');
t.test('a terminal that goes away takes nobody along, and the house is stopped in good order', losesSipd, async (t) => {
  const house = await House.start(t);
  const { appPid, pids, daemonPids } = house.readyNow() as unknown as Ready;
  house.child.stdout?.destroy();
  house.child.stderr?.destroy();
  // Something to say: the first line finds out that nobody reads, the next ones must not end the supervisor.
  process.kill(pids.sipd, 'SIGKILL');
  const again = await until('another sipd', () => {
    const now = house.readyNow() as unknown as Ready;
    return now.pids.sipd !== pids.sipd && now.pids.sipd;
  });
  process.kill(again, 'SIGKILL');
  await until('a third sipd', () => {
    const now = house.readyNow() as unknown as Ready;
    return now.pids.sipd !== again && now.pids.sipd !== pids.sipd;
  });
  house.child.kill('SIGTERM');
  t.equal(await ended(house.child), 0);
  const left = [appPid, ...daemonPids].filter(isRunning);
  t.same(left, [], 'no process is left');
});

// Anew for each story: tap writes into the options of a test, and stories that share one object tell each other's results.
const startsBoth = () => ({
  ...notOnDrachtioServer('the house starts no signalling server of its own'),
  ...notOnFreeswitch('the house starts no media server of its own'),
});

t.test('a start that cannot work says what to do and leaves nothing running', startsBoth(), async (t) => {
  const house = await House.start(t);
  const udp = (house.readyNow()['sip'] as string[])[0] ?? '';
  const admin = String(house.readyNow()['admin']);
  const broken = scratch(t, 'broken');
  writeFileSync(join(broken, 'a.yaml'), 'people: [\n');
  const taken = join(scratch(t, 'taken'), 'data');
  mkdirSync(join(taken, 'run/config.json'), { recursive: true });
  const table: readonly (readonly [Record<string, string>, number, RegExp])[] = [
    [{ 'sip.listen': `["${udp}"]` }, 1, /the port is in use by another program.*\n.*sip\.listen/],
    [{ 'admin.listen': admin }, 1, /admin\.listen: TCP \S+ is in use by another program: .*--set admin\.listen=/],
    [{ 'admin.listen': '0.0.0.0:0' }, 78, /can be reached from other machines/],
    [{ oncall: broken }, 1, /a\.yaml:\d+:\d+: not valid YAML/],
    [{ data: '/proc/none' }, 1, /data: \/proc\/none cannot be made/],
    [{ data: taken }, 1, /run\/config\.json cannot be written \(E[A-Z]+\): check who owns the folder, and the disk/],
    [{ 'trunks.carrier.target': 'tel:1' }, 78, /--set trunks\.carrier\.target: "tel:1": must read like sip:/],
  ];
  for (const [{ data = join(scratch(t, 'fails'), 'data'), ...set }, code, says] of table) {
    const failed = await House.start(t, { set, data }).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    t.match(failed, new RegExp(`ended with ${code}`), JSON.stringify(set));
    t.match(failed, says);
    t.notMatch(failed.split('\n').slice(1).join('\n').split('wardline up ended')[0], /\n\s+at .*\.ts:\d+/, 'no stack');
    const left = existsSync(join(data, 'run')) ? readdirSync(join(data, 'run')) : [];
    t.same(
      left.filter((name) => !/^((config|sipd\.options|mediad\.options)\.json|sipd\.dialogs)$/.test(name)),
      [],
      'no process is on record',
    );
  }
  const second = await House.start(t, { data: house.data }).then(
    () => 'it started',
    (error: Error) => error.message,
  );
  t.match(second, `already up with this data folder (process ${house.child.pid})`);
  house.child.kill('SIGTERM');
  t.equal(await ended(house.child), 0);
});

t.test(
  'kill -9 of the supervisor: the doctor tells whose ports are taken, and the next start takes over',
  startsBoth(),
  async (t) => {
    const house = await House.start(t);
    const { pids } = house.readyNow() as unknown as Ready;
    house.child.kill('SIGKILL');
    await ended(house.child);
    t.match(await house.cli('doctor'), { code: 1, out: /supervisor is gone, sipd, mediad, app run on.*\n.*npm start/ });
    const again = await House.start(t, { data: house.data });
    t.same((again.readyNow() as unknown as Ready).pids, pids, 'sound and signalling went on');
    t.match(await again.cli('doctor'), { code: 0 });
    t.equal(await again.close(), 0);
  },
);
