import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { banner } from '../app/banner.ts';
import { type AppProcess, endOrphan, startApp } from './app-process.ts';
import { backOff } from './back-off.ts';
import { runningDaemon, startDaemon, stopDaemon } from './daemon.ts';
import { HangWatch, MISSES } from './hang-watch.ts';
import type { DaemonPlan, DaemonRecord, LaunchPlan, Serves } from './launch-plan.ts';
import { capLog } from './log-file.ts';
import { isAlive, send } from './processes.ts';
import { questionFor } from './questions.ts';
import { notePrivate, takeLock } from './run-files.ts';

/**
 * Starts sipd, mediad and the app, starts again what dies, and ends all of it on Ctrl-C. Resolves with the exit code.
 *
 *   starting ──all ready──▶ up ──Ctrl-C, SIGTERM──▶ draining ──app gone, second Ctrl-C──▶ stopped
 *       └──something cannot start──▶ stopped, exit code 1
 *
 * `isStopped`: it was told to stop before. Then it ends what an earlier supervisor has left, and starts nothing.
 */
export async function supervise(plan: LaunchPlan, isStopped = false): Promise<number> {
  // A terminal or pipe that is gone must not end the one who ends the others in good order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const lock = takeLock(plan.runFolder);
  if (lock.kind === 'held') {
    say(`Wardline is already up with this data folder (process ${lock.pid}): stop that one, or give another --data`);
    return 1;
  }
  try {
    return await new House(plan).run(isStopped);
  } finally {
    lock.release();
  }
}

export const STOPS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A daemon knows its options file only; the admin knows these. */
const CHOSEN_BY = {
  sipd: 'its ports are chosen by --set sip.listen=… and --set signalling.port=…',
  mediad: 'its ports are chosen by --set media.port=…, media.sip=…, media.rtpFirst=… and media.rtpLast=…',
} as const;
const LOOK_EVERY_MS = 200;
const CAP_LOGS_EVERY_MS = 60_000;
/** npm hands on the Ctrl-C that the terminal has already sent to everybody; two so close together are one key press. */
const SAME_KEY_PRESS_MS = 300;
/** What an app that is draining may take beyond the drain time: the last words of calls (7 s), and writing everything. */
const OVERTIME_MS = 15_000;

class House {
  readonly #plan: LaunchPlan;
  readonly #daemons = new Map<DaemonPlan, DaemonRecord>();
  readonly #foundAgain = new Set<DaemonPlan>();
  readonly #stop = new AbortController();
  readonly #hurry = new AbortController();
  #app: AppProcess | null = null;
  #serves: Serves | null = null;
  #stoppedAtMs = 0;

  constructor(plan: LaunchPlan) {
    this.#plan = plan;
  }

  async run(isStopped: boolean): Promise<number> {
    for (const signal of STOPS) process.on(signal, () => this.#onSignal());
    if (isStopped) this.#onSignal();
    const caps = setInterval(() => this.#capLogs(), CAP_LOGS_EVERY_MS);
    try {
      const problem = await this.#start();
      if (problem !== null && !this.#stop.signal.aborted) {
        for (const line of problem) say(line);
        return 1;
      }
      await Promise.all([this.#keepApp(), ...this.#plan.daemons.map((daemon) => this.#keepDaemon(daemon))]);
      return 0;
    } finally {
      clearInterval(caps);
      await this.#end();
    }
  }

  /** Null when everything is up, else what to tell the admin. */
  async #start(): Promise<readonly string[] | null> {
    await endOrphan(this.#plan, this.#plan.drainMs + OVERTIME_MS);
    if (this.#stop.signal.aborted) {
      for (const daemon of this.#plan.daemons) {
        const left = runningDaemon(daemon, this.#plan.runFolder);
        if (left !== null) this.#daemons.set(daemon, left);
      }
      return null;
    }
    const starts = await Promise.all(
      this.#plan.daemons.map(async (daemon) => {
        return [daemon, await startDaemon(daemon, { run: this.#plan.runFolder, log: this.#plan.logFolder })] as const;
      }),
    );
    for (const [daemon, start] of starts) {
      if (start.kind === 'failed') continue;
      this.#daemons.set(daemon, start.record);
      if (start.kind === 'foundAgain') {
        this.#foundAgain.add(daemon);
        say(`${daemon.name} is still running (process ${start.record.pid}): used again`);
      }
    }
    for (const [{ name, spoken }, start] of starts) {
      if (start.kind !== 'failed') continue;
      const said = start.said.map((line) => `  ${wordsOf(line, spoken)}`);
      return [`${name} could not start:`, ...said, `  (${CHOSEN_BY[name]})`];
    }
    if (this.#stop.signal.aborted) return null;
    const app = startApp(this.#plan);
    this.#app = app;
    const ready = await this.#ready(app);
    if (ready === null) {
      const { code, cannotStart } = await app.ended;
      if (this.#stop.signal.aborted) return null;
      return [
        cannotStart ?? `the app ended while it started (code ${code}): see ${join(this.#plan.logFolder, 'app.log')}`,
      ];
    }
    this.#serves = ready.serves;
    console.log(
      this.#plan.isJson ? JSON.stringify(ready.banner) : banner(ready.banner, this.#plan.tellsPasswords).join('\n'),
    );
    this.#writeReady();
    return null;
  }

  /** As the app itself says; from now on it is ended when it stops doing anything. */
  async #ready(app: AppProcess): Promise<Awaited<AppProcess['ready']>> {
    const watch = (misses: number): HangWatch =>
      new HangWatch(app.question(), misses, (silentMs) => {
        say(`the app has not answered for ${silentMs / 1000} s: it hangs and is ended`);
        app.kill();
      });
    const starting = watch(MISSES.starting);
    const ready = await app.ready;
    starting.close();
    if (ready !== null) {
      const serving = watch(MISSES.serving);
      void app.ended.then(() => serving.close());
    }
    return ready;
  }

  async #keepApp(): Promise<void> {
    const wait = backOff();
    for (;;) {
      const ended = this.#app?.ended;
      const end = await Promise.race([ended, aborted(this.#stop.signal)]);
      if (this.#stop.signal.aborted) return;
      const { waitMs, isHopeless } = wait.died(performance.now());
      say(`the app ended (${end?.cannotStart ?? `code ${end?.code ?? 'unknown'}`}); ${next(waitMs)}`);
      if (isHopeless) say(`THE APP KEEPS DYING: calls are refused; look at ${join(this.#plan.logFolder, 'app.log')}`);
      if (!(await this.#pause(waitMs))) return;
      this.#app = startApp(this.#plan);
      const ready = await this.#ready(this.#app);
      if (ready !== null) {
        this.#serves = ready.serves;
        this.#writeReady();
        say('the app is up again');
      }
    }
  }

  /** A daemon found again is not our child, so all of them are watched by looking. */
  async #keepDaemon(daemon: DaemonPlan): Promise<void> {
    const wait = backOff();
    let watch = this.#watch(daemon);
    this.#stop.signal.addEventListener('abort', () => watch?.close(), { once: true });
    while (await this.#pause(LOOK_EVERY_MS)) {
      const record = this.#daemons.get(daemon);
      if (record !== undefined && isAlive(record.pid, record.startedTicks)) continue;
      watch?.close();
      const { waitMs, isHopeless } = wait.died(performance.now());
      say(`${daemon.name} ended; ${next(waitMs)}`);
      if (isHopeless)
        say(`${daemon.name.toUpperCase()} KEEPS DYING: look at ${join(this.#plan.logFolder, `${daemon.name}.log`)}`);
      if (!(await this.#pause(waitMs))) return;
      const start = await startDaemon(daemon, { run: this.#plan.runFolder, log: this.#plan.logFolder });
      if (start.kind === 'failed') {
        this.#daemons.delete(daemon);
        for (const line of start.said) say(`${daemon.name}: ${wordsOf(line, daemon.spoken)}`);
      } else {
        this.#daemons.set(daemon, start.record);
        if (!this.#stop.signal.aborted) watch = this.#watch(daemon);
        this.#writeReady();
        say(`${daemon.name} is up again`);
      }
    }
  }

  #watch(daemon: DaemonPlan): HangWatch | null {
    const record = this.#daemons.get(daemon);
    const question = record === undefined ? null : questionFor(daemon, record);
    if (record === undefined || question === null) return null;
    return new HangWatch(question, MISSES.serving, (silentMs) => {
      if (!isAlive(record.pid, record.startedTicks)) return;
      say(`${daemon.name} has not answered for ${silentMs / 1000} s: it hangs and is ended`);
      send(record.pid, 'SIGKILL');
    });
  }

  #onSignal(): void {
    const nowMs = performance.now();
    if (!this.#stop.signal.aborted) {
      this.#stoppedAtMs = nowMs;
      console.error('');
      say(
        `Stopping: no new calls, running calls have ${this.#plan.drainMs / 1000} s (Ctrl-C again ends them at once) …`,
      );
      this.#stop.abort();
    } else if (nowMs - this.#stoppedAtMs > SAME_KEY_PRESS_MS) {
      this.#hurry.abort();
    }
  }

  /** The app first, so that it can say goodbye through the daemons. */
  async #end(): Promise<void> {
    const app = this.#app;
    if (app !== null) {
      app.drain();
      const late = new AbortController();
      const isGone = await Promise.race([
        app.ended.then(() => true),
        aborted(this.#hurry.signal).then(() => false),
        sleep(this.#plan.drainMs + OVERTIME_MS, false, { signal: late.signal }).catch(() => false),
      ]);
      late.abort();
      if (!isGone) app.kill();
      await app.ended;
    }
    // A start that failed ends what it started, but not a daemon that was there before and may carry conversations.
    const isStopped = this.#stop.signal.aborted;
    const mine = [...this.#daemons].filter(([daemon]) => isStopped || !this.#foundAgain.has(daemon));
    await Promise.all(mine.map(([daemon, record]) => stopDaemon(daemon, record, this.#plan.runFolder)));
    for (const name of ['app.json', 'ready.json']) rmSync(join(this.#plan.runFolder, name), { force: true });
    if (isStopped) say('Stopped.');
  }

  /** False when the house is being stopped. */
  async #pause(ms: number): Promise<boolean> {
    if (ms > 0) await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
    return !this.#stop.signal.aborted;
  }

  /** For whoever waits for the house, or looks for its parts. */
  #writeReady(): void {
    if (this.#serves === null) return;
    notePrivate(join(this.#plan.runFolder, 'ready.json'), {
      ready: true,
      pid: process.pid,
      appPid: this.#app?.pid,
      daemonPids: [...this.#daemons.values()].map((record) => record.pid),
      pids: Object.fromEntries([...this.#daemons].map(([daemon, record]) => [daemon.name, record.pid])),
      ...this.#serves,
    });
  }

  #capLogs(): void {
    for (const name of ['sipd.log', 'mediad.log', 'app.log']) capLog(join(this.#plan.logFolder, name));
  }
}

function next(waitMs: number): string {
  return waitMs === 0 ? 'starting it again' : `starting it again in ${waitMs / 1000} s`;
}

function aborted(signal: AbortSignal): Promise<null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
}

/** Daemons log JSON and speak of their options; for a terminal the message is enough, in the words of the admin. */
function wordsOf(line: string, spoken: DaemonPlan['spoken']): string {
  return spoken.reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), messageOf(line));
}

function messageOf(line: string): string {
  try {
    const said = JSON.parse(line) as { msg?: unknown; error?: unknown; reason?: unknown };
    const words = [said.msg, said.error, said.reason].filter((part) => typeof part === 'string');
    return words.length > 0 ? words.join(': ') : line;
  } catch {
    return line;
  }
}

/** Not to stdout, which is for the banner: a program may read that. */
function say(line: string): void {
  console.error(`wardline: ${line}`);
}
