import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Question } from './hang-watch.ts';
import type { AppMessage, LaunchPlan } from './launch-plan.ts';
import { questionForApp } from './questions.ts';
import { startNode } from '../../processes/index.ts';
import { endProcess, send, startedTicks } from './processes.ts';
import { notePrivate, readJson } from './run-files.ts';

/** Why an app process is gone. `cannotStart` is a sentence of its own about what the admin has to mend. */
export type AppEnd = { readonly code: number | null; readonly cannotStart: string | null };

export interface AppProcess {
  readonly pid: number;
  /** Null when it ended before it was ready. */
  readonly ready: Promise<Extract<AppMessage, { type: 'ready' }> | null>;
  readonly ended: Promise<AppEnd>;
  /** Whether it still does anything. */
  readonly question: () => Question;
  /** No new calls; ends when the last call has ended, or by itself after the drain time. */
  drain(): void;
  kill(): void;
}

/**
 * An app of a supervisor that died goes on serving calls; it is drained before a new one takes its place, because two
 * apps must not decide for one house.
 */
export async function endOrphan(plan: LaunchPlan, graceMs: number): Promise<void> {
  const recordFile = join(plan.runFolder, 'app.json');
  const old = readJson(recordFile) as { pid?: unknown; startedTicks?: unknown } | null;
  if (typeof old?.pid === 'number') await endProcess(old.pid, String(old.startedTicks), graceMs);
  rmSync(recordFile, { force: true });
}

export function startApp(plan: LaunchPlan): AppProcess {
  const child = startNode(
    plan.app.script,
    [plan.app.configFile],
    ['ignore', 'inherit', 'inherit', 'ipc'],
    ['--max-semi-space-size=8'],
  );
  const pid = child.pid ?? 0;
  if (pid > 0) notePrivate(join(plan.runFolder, 'app.json'), { pid, startedTicks: startedTicks(pid) });
  let cannotStart: string | null = null;
  const ended = new Promise<AppEnd>((resolve) => {
    child.on('error', () => resolve({ code: 1, cannotStart: `${process.execPath} could not be started` }));
    child.on('exit', (code) => resolve({ code, cannotStart }));
  });
  const ready = new Promise<Extract<AppMessage, { type: 'ready' }> | null>((resolve) => {
    child.on('message', (message) => {
      const said = message as AppMessage;
      if (said.type === 'ready') resolve(said);
      if (said.type === 'cannotStart') cannotStart = said.problem;
    });
    void ended.then(() => resolve(null));
  });
  const question = () => questionForApp(child);
  return { pid, ready, ended, question, drain: () => signal(child, 'SIGTERM'), kill: () => signal(child, 'SIGKILL') };
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined && child.exitCode === null) send(child.pid, name);
}
