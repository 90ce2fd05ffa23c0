import { closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DaemonPlan, DaemonRecord, ReadyLine } from './launch-plan.ts';
import { openLog, readSince, sizeOf } from './log-file.ts';
import { startNode } from '../../processes/index.ts';
import { endProcess, isAlive, startedTicks } from './processes.ts';
import { notePrivate, readJson, writePrivate } from './run-files.ts';

const READY_WITHIN_MS = 15_000;
const GRACE_MS = 3_000;

export type DaemonStart =
  | { readonly kind: 'started' | 'foundAgain'; readonly record: DaemonRecord }
  | { readonly kind: 'failed'; readonly said: readonly string[] };

/**
 * sipd and mediad outlive the supervisor: a conversation must not end because a terminal was closed. A living daemon
 * with the same options is used again, one with other options is replaced.
 */
export async function startDaemon(plan: DaemonPlan, folders: { run: string; log: string }): Promise<DaemonStart> {
  const recordFile = recordFileOf(plan, folders.run);
  const old = readJson(recordFile) as DaemonRecord | null;
  if (old !== null && isAlive(old.pid, old.startedTicks)) {
    if (old.digest === plan.digest) return { kind: 'foundAgain', record: old };
    await endProcess(old.pid, old.startedTicks, GRACE_MS);
  }
  try {
    // A daemon that died an hour ago is found by the ports it had.
    writePrivate(plan.optionsFile, pinned(plan, old?.digest === plan.digest ? old.ready : null));
  } catch (error) {
    return { kind: 'failed', said: [`its options cannot be written: ${(error as Error).message}`] };
  }

  const logFile = join(folders.log, `${plan.name}.log`);
  const from = sizeOf(logFile);
  const log = openLog(logFile);
  const child = startNode(plan.script, [plan.optionsFile], ['ignore', log, log], ['--max-semi-space-size=4']);
  closeSync(log);
  child.on('error', () => {});
  child.unref();
  const pid = child.pid;
  if (pid === undefined) return { kind: 'failed', said: [`${process.execPath} could not be started`] };
  const ticks = startedTicks(pid) ?? '';
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    const lines = readSince(logFile, from).split('\n').slice(0, -1);
    const ready = lines.map(asReadyLine).find((line) => line !== null);
    if (ready) {
      const record: DaemonRecord = { pid, startedTicks: ticks, digest: plan.digest, ready };
      notePrivate(recordFile, record);
      return { kind: 'started', record };
    }
    if (!isAlive(pid, ticks)) return { kind: 'failed', said: lastWords(readSince(logFile, from)) };
    await sleep(20);
  }
  await endProcess(pid, ticks, GRACE_MS);
  return { kind: 'failed', said: ['it did not get ready in 15 s', ...lastWords(readSince(logFile, from))] };
}

/** One that an earlier supervisor has left, with whatever options; null when there is none. */
export function runningDaemon(plan: DaemonPlan, runFolder: string): DaemonRecord | null {
  const left = readJson(recordFileOf(plan, runFolder)) as DaemonRecord | null;
  return left !== null && isAlive(left.pid, left.startedTicks) ? left : null;
}

export async function stopDaemon(
  plan: DaemonPlan,
  record: DaemonRecord,
  runFolder: string,
  graceMs = GRACE_MS,
): Promise<void> {
  await endProcess(record.pid, record.startedTicks, graceMs);
  rmSync(recordFileOf(plan, runFolder), { force: true });
}

function recordFileOf({ name }: DaemonPlan, runFolder: string): string {
  return join(runFolder, `${name}.json`);
}

function pinned(plan: DaemonPlan, ready: ReadyLine | null): object {
  const options = structuredClone(plan.options);
  if (ready === null) return options;
  for (const pin of plan.pins) {
    const last = pin.option.at(-1);
    const port = portIn(at(ready, pin.ready));
    const group = at(options, pin.option.slice(0, -1));
    if (port === null || last === undefined || typeof group !== 'object' || group === null) continue;
    Object.assign(group, { [last]: port });
  }
  return options;
}

/** A port as it stands, or at the end of "udp/127.0.0.1:5060". */
function portIn(value: unknown): number | null {
  if (typeof value === 'number') return value;
  const digits = typeof value === 'string' ? /:(\d{1,5})$/.exec(value)?.[1] : undefined;
  return digits === undefined ? null : Number(digits);
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  let here = value;
  for (const word of path) here = (here as Record<string | number, unknown> | null | undefined)?.[word];
  return here;
}

function asReadyLine(line: string): ReadyLine | null {
  if (!line.startsWith('{')) return null;
  try {
    const said = JSON.parse(line) as Record<string, unknown>;
    return said['ready'] === true ? (said as ReadyLine) : null;
  } catch {
    return null;
  }
}

/** What a process said before it died, without the stack traces. */
function lastWords(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
    .slice(-5);
}
