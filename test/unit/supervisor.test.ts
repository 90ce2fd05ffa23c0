import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { HangWatch, MISSES } from '../../src/cli/supervise/hang-watch.ts';
import { backOff } from '../../src/cli/supervise/back-off.ts';
import type { LaunchPlan } from '../../src/cli/supervise/launch-plan.ts';
import { capLog } from '../../src/cli/supervise/log-file.ts';
import { isAlive, startedTicks } from '../../src/cli/supervise/processes.ts';
import { readJson } from '../../src/cli/supervise/run-files.ts';

const support = fileURLToPath(new URL('../support/', import.meta.url));

interface Behaviour {
  refuses?: string;
  drainsMs?: number;
}

/** A house of stand-ins in a folder of its own; whatever is left of it is ended with the test. */
function house(t: Test, how: { sipd?: Behaviour; mediad?: Behaviour; app?: Behaviour; drainMs?: number } = {}) {
  const folder = t.testdir({});
  const plan: LaunchPlan = {
    runFolder: join(folder, 'run'),
    logFolder: join(folder, 'log'),
    drainMs: how.drainMs ?? 20_000,
    isJson: false,
    tellsPasswords: false,
    daemons: (['sipd', 'mediad'] as const).map((name) => ({
      name,
      script: join(support, 'stand-in.ts'),
      optionsFile: join(folder, `${name}.behaviour`),
      options: { kind: 'daemon', ...how[name] },
      pins: [{ option: ['port'], ready: ['ports', 0] }],
      digest: 'one',
      watch: null,
      spoken: [[`${name}'s own word`, `--set ${name}.key`]],
    })),
    app: { script: join(support, 'stand-in.ts'), configFile: join(folder, 'app.behaviour') },
  };
  mkdirSync(plan.logFolder);
  writeFileSync(join(folder, 'app.behaviour'), JSON.stringify({ kind: 'app', ...how.app }));
  const pids = new Set<number>();
  t.teardown(() => {
    // Also those of a test that failed before it looked.
    for (const name of ['app', 'sipd', 'mediad']) {
      const record = readJson(join(plan.runFolder, `${name}.json`)) as { pid: number } | null;
      if (record !== null) pids.add(record.pid);
    }
    for (const pid of pids) if (startedTicks(pid) !== null) process.kill(pid, 'SIGKILL');
  });
  return {
    plan,
    async start(change: Partial<LaunchPlan> = {}, ...more: string[]) {
      writeFileSync(join(folder, 'plan.json'), JSON.stringify({ ...plan, ...change }));
      const child = spawn(process.execPath, [join(support, 'run-supervisor.ts'), join(folder, 'plan.json'), ...more], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      if (child.pid !== undefined) pids.add(child.pid);
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
      }
      const exit = new Promise<number | null>((resolve) => child.on('exit', resolve));
      const supervisor = {
        child,
        exit,
        said: () => said,
        /** Waits for something said; fails with all that was said when the process ends before. */
        async until(words: string): Promise<void> {
          while (!said.includes(words)) {
            if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended, having said: ${said}`);
            await sleep(10);
          }
        },
        /** The banner stands first, then the file that says so; one of an earlier supervisor may still lie there. */
        async up(): Promise<void> {
          await supervisor.until('the banner');
          const file = join(plan.runFolder, 'ready.json');
          while ((readJson(file) as { pid?: number } | null)?.pid !== child.pid) await sleep(10);
        },
        pids(): Pids {
          const text = readFileSync(join(plan.runFolder, 'ready.json'), 'utf8');
          const ready = JSON.parse(text) as { pid: number; appPid: number; pids: { sipd: number; mediad: number } };
          const found = { supervisor: ready.pid, app: ready.appPid, ...ready.pids };
          for (const pid of Object.values(found)) pids.add(pid);
          return found;
        },
      };
      return supervisor;
    },
  };
}

interface Pids {
  supervisor: number;
  app: number;
  sipd: number;
  mediad: number;
}

async function gone(pid: number): Promise<void> {
  while (startedTicks(pid) !== null) await sleep(10);
}

function stop(child: ChildProcess): void {
  child.kill('SIGINT');
}

t.test('an app that is killed comes back, and the daemons do not notice', async (t) => {
  const s = await house(t).start();
  await s.up();
  const before = s.pids();
  process.kill(before.app, 'SIGKILL');
  await s.until('the app is up again');
  const after = s.pids();
  t.not(after.app, before.app);
  t.equal(after.sipd, before.sipd);
  t.equal(after.mediad, before.mediad);
  stop(s.child);
  t.equal(await s.exit, 0);
  for (const pid of [after.app, after.sipd, after.mediad]) t.equal(startedTicks(pid), null, 'nothing is left');
});

t.test('a daemon that is killed comes back, and the app does not notice', async (t) => {
  const h = house(t);
  const s = await h.start();
  await s.up();
  const before = s.pids();
  process.kill(before.sipd, 'SIGKILL');
  await s.until('sipd is up again');
  t.ok(startedTicks(before.app));
  t.match(JSON.parse(readFileSync(h.plan.daemons[0]?.optionsFile ?? '', 'utf8')), { port: 4711 }, 'on the port it had');
  stop(s.child);
  t.equal(await s.exit, 0);
});

t.test('told to stop before it has begun, it ends what an earlier one has left, and starts nothing', async (t) => {
  const h = house(t);
  const first = await h.start();
  await first.up();
  const left = first.pids();
  t.match(first.said(), /2101 {2}Ward {2}wardline phone add 2101 makes a password/, 'a log is no place for passwords');
  t.notMatch(first.said(), /stand-in password/);
  first.child.kill('SIGKILL');
  await first.exit;
  const second = await h.start({}, 'stopped');
  t.equal(await second.exit, 0);
  t.match(second.said(), /Stopping: .*\n.*Stopped\.\n$/s);
  for (const pid of [left.app, left.sipd, left.mediad]) t.equal(startedTicks(pid), null, 'nothing is left');
  const third = await h.start({}, 'stopped');
  t.equal(await third.exit, 0);
  t.same(
    ['sipd.json', 'mediad.json', 'app.json'].filter((name) => existsSync(join(h.plan.runFolder, name))),
    [],
    'nothing was started',
  );
  const shown = await h.start({ tellsPasswords: true });
  await shown.up();
  t.match(shown.said(), /2101 {2}Ward {2}password stand-in password/);
  stop(shown.child);
  t.equal(await shown.exit, 0);
});

t.test('a supervisor that is killed leaves the house running, and the next one finds the daemons again', async (t) => {
  const h = house(t);
  const first = await h.start();
  await first.up();
  const before = first.pids();
  const second = await h.start();
  t.equal(await second.exit, 1, 'two supervisors for one data folder');
  t.match(second.said(), `already up with this data folder (process ${before.supervisor})`);

  first.child.kill('SIGKILL');
  await first.exit;
  t.ok(startedTicks(before.app), 'the app of a dead supervisor goes on');

  const third = await h.start();
  await third.up();
  const after = third.pids();
  t.match(third.said(), `sipd is still running (process ${before.sipd}): used again`);
  t.equal(after.sipd, before.sipd);
  t.equal(after.mediad, before.mediad);
  t.not(after.app, before.app);
  t.equal(startedTicks(before.app), null, 'two apps do not decide for one house');

  third.child.kill('SIGKILL');
  await third.exit;
  const [sipd, mediad] = h.plan.daemons;
  if (sipd === undefined || mediad === undefined) throw new Error('two daemons');
  const fourth = await h.start({ daemons: [{ ...sipd, digest: 'other options' }, mediad] });
  await fourth.up();
  t.not(fourth.pids().sipd, before.sipd, 'a daemon with other options is replaced');
  t.equal(fourth.pids().mediad, before.mediad);
  stop(fourth.child);
  t.equal(await fourth.exit, 0);
});

t.test('what cannot start says why, and nothing is left running', async (t) => {
  for (const [part, reason] of [
    ['mediad', 'UDP 127.0.0.1:5090 is in use'],
    ['app', 'oncall/people.yaml:3:1: no such person'],
  ] as const) {
    const h = house(t, { [part]: { refuses: reason } });
    const s = await h.start();
    t.equal(await s.exit, 1);
    t.match(s.said(), reason);
    t.notMatch(s.said(), /\n\s+at /, 'no stack');
    for (const name of ['sipd', 'mediad', 'app', 'ready', 'supervisor']) {
      t.notOk(existsSync(join(h.plan.runFolder, `${name}.json`)), `${name}.json is gone`);
    }
  }
});

t.test('Ctrl-C drains; npm sends it twice at once; a second one from a person ends at once', async (t) => {
  const s = await house(t, { app: { drainsMs: 100_000 } }).start();
  await s.up();
  const { app, sipd, mediad } = s.pids();
  stop(s.child);
  stop(s.child);
  await s.until('no new calls');
  await sleep(400);
  t.ok(startedTicks(app), 'one key press does not end it');
  stop(s.child);
  t.equal(await s.exit, 0);
  await Promise.all([app, sipd, mediad].map(gone));
  t.match(s.said(), 'Stopped.');
});

t.test('an app that does not end by itself is ended after the drain time', async (t) => {
  const s = await house(t, { app: { drainsMs: 1_000_000 }, drainMs: -14_900 }).start();
  await s.up();
  const { app } = s.pids();
  s.child.kill('SIGTERM');
  t.equal(await s.exit, 0);
  t.equal(startedTicks(app), null);
});

t.test('back-off: at once, then slower; five deaths in a minute are called hopeless', async (t) => {
  const wait = backOff();
  t.same(
    [0, 1, 2, 3].map((at) => wait.died(at).waitMs),
    [0, 250, 500, 1000],
  );
  t.same(wait.died(4), { waitMs: 30_000, isHopeless: true });
  t.same(wait.died(70_000), { waitMs: 0, isHopeless: false }, 'a good minute makes up for it');
});

t.test('who starts at the same moment with the same data: exactly one gets it', async (t) => {
  const folder = t.testdir({});
  const dead = JSON.stringify({ pid: 2 ** 22 + 1, startedTicks: '1' });
  const starters = 6;
  const rounds = 40;
  const shared = new Int32Array(new SharedArrayBuffer(4 * (rounds + 1)));
  const workers = Array.from({ length: starters }, () => {
    return new Worker(fileURLToPath(new URL('../support/lock-starter.ts', import.meta.url)), {
      workerData: { folder, starters, shared, dead },
    });
  });
  const taken = (
    await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number[]))
  ).flat();
  for (let round = 0; round < rounds; round += 1) {
    const winners = taken.filter((one) => one === round).length;
    if (winners !== 1) t.fail(`round ${round}: ${winners} supervisors for one data folder`);
  }
  t.equal(taken.length, rounds);
  t.same(
    readdirSync(join(folder, '0')).filter((name) => name !== 'supervisor.json'),
    [],
    'and nothing is left behind',
  );
});

t.test('a process that hangs is noticed, one that is slow or was asked late is not', async (t) => {
  class Clock {
    ms = 0;
    #due: { at: number; run: () => void }[] = [];
    nowMs = () => this.ms;
    after = (ms: number, run: () => void) => {
      const timer = { at: this.ms + ms, run };
      this.#due.push(timer);
      return { cancel: () => void (this.#due = this.#due.filter((one) => one !== timer)) };
    };
    /** `lateMs`: the machine stood still for so long before the timer ran. */
    round(lateMs = 0): void {
      this.ms += 2000 + lateMs;
      const due = this.#due.filter(({ at }) => at <= this.ms);
      this.#due = this.#due.filter(({ at }) => at > this.ms);
      for (const { run } of due) run();
    }
  }
  const start = () => {
    const clock = new Clock();
    const hung: number[] = [];
    let answers = true;
    let isClosed = false;
    const question = { ask: (answered: () => void) => answers && answered(), close: () => void (isClosed = true) };
    const watch = new HangWatch(question, MISSES.serving, (silentMs) => hung.push(silentMs), clock);
    return { clock, hung, watch, answer: (does: boolean) => void (answers = does), closed: () => isClosed };
  };
  const lively = start();
  for (let i = 0; i < 100; i += 1) lively.clock.round();
  t.same(lively.hung, []);
  lively.watch.close();
  lively.answer(false);
  for (let i = 0; i < 10; i += 1) lively.clock.round();
  t.same(lively.hung, [], 'nobody is judged any more');

  const slow = start();
  for (let i = 0; i < 100; i += 1) {
    slow.answer(i % 4 === 0);
    slow.clock.round();
  }
  t.same(slow.hung, [], 'four answers missing in a row are no proof');

  const asleep = start();
  asleep.answer(false);
  for (let i = 0; i < 40; i += 1) asleep.clock.round(i % 4 === 0 ? 60_000 : 0);
  t.same(asleep.hung, [], 'nor is silence while the watcher itself did not run');

  const hanging = start();
  hanging.clock.round();
  hanging.answer(false);
  for (let i = 0; i < 5; i += 1) hanging.clock.round();
  t.same(hanging.hung, [], 'its last answer counts for the round it came in');
  for (let i = 0; i < 20; i += 1) hanging.clock.round();
  t.same(hanging.hung, [10_000], 'told once');
  t.ok(hanging.closed());
});

t.test('a process number that was given to another process is not the process', async (t) => {
  t.ok(isAlive(process.pid, startedTicks(process.pid) ?? ''));
  t.notOk(isAlive(process.pid, '1'));
});

t.test('a log that is held open is kept under its cap', async (t) => {
  const log = join(t.testdir({}), 'a.log');
  writeFileSync(log, 'x'.repeat(100));
  capLog(log, 100);
  t.notOk(existsSync(`${log}.1`));
  capLog(log, 99);
  t.equal(readFileSync(`${log}.1`, 'utf8').length, 100);
  t.equal(readFileSync(log, 'utf8'), '');
});

t.test('a log on a full disk is cut all the same, and harms nobody', async (t) => {
  const log = join(t.testdir({}), 'a.log');
  writeFileSync(log, 'x'.repeat(100));
  mkdirSync(`${log}.1`);
  capLog(log, 99);
  t.equal(readFileSync(log, 'utf8'), '');
  capLog(join(log, 'no such folder'), -1);
});

t.test('a disk that takes no notes any more: what dies is started again all the same', async (t) => {
  const h = house(t);
  const s = await h.start();
  await s.up();
  const before = s.pids();
  const notes = ['app', 'ready', 'sipd'].map((name) => join(h.plan.runFolder, `${name}.json.${before.supervisor}`));
  // Not chmod: the tests may run as root. Nothing can be written over a folder.
  for (const note of notes) mkdirSync(join(note, 'full'), { recursive: true });
  process.kill(before.app, 'SIGKILL');
  await s.until('the app is up again');
  process.kill(before.sipd, 'SIGKILL');
  await s.until('sipd is up again');
  t.equal(s.child.exitCode, null);
  stop(s.child);
  t.equal(await s.exit, 0);
});

t.test('the supervisor outlives whoever read its words', async (t) => {
  const s = await house(t).start();
  await s.up();
  const { app } = s.pids();
  s.child.stdout?.destroy();
  s.child.stderr?.destroy();
  process.kill(app, 'SIGKILL');
  await gone(app);
  let next = app;
  while (next === app) {
    await sleep(20);
    if (s.child.exitCode !== null || s.child.signalCode !== null) return t.fail('it ended with its terminal');
    next = s.pids().app;
  }
  stop(s.child);
  t.equal(await s.exit, 0);
});

t.test('for programs the banner is one line of JSON, and nothing else is on stdout', async (t) => {
  const s = await house(t).start({ isJson: true });
  let printed = '';
  s.child.stdout?.on('data', (text: string) => {
    printed += text;
  });
  await s.up();
  stop(s.child);
  t.equal(await s.exit, 0);
  t.match(JSON.parse(printed), { site: 'the banner', phones: [], numbers: [] });
  t.match(s.said(), 'Stopped.');
});
