import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own for one test; gone afterwards. */
export function scratch(t: { teardown(fn: () => unknown): void }, name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `wardline-${name}-`));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/**
 * Ports for what binds them later. They lie below those that the system gives out by itself (32768 on), so that nobody is
 * given one in the meantime, and each belongs to one process of the tests at a time. Three are left out behind each:
 * baresip also takes the port above its own, SIPp the one two above.
 */
const FIRST_PORT = 30_000;
const PORTS = 675;
const claims = join(tmpdir(), 'wardline-test-ports');
const claimed: string[] = [];
let portsTried = (process.pid * 37) % PORTS;

process.on('exit', () => claimed.forEach((claim) => rmSync(claim, { force: true })));

async function freePort(isFree: (port: number) => Promise<boolean>): Promise<number> {
  mkdirSync(claims, { recursive: true });
  for (let tried = 0; tried < PORTS; tried++) {
    const port = FIRST_PORT + 4 * (portsTried++ % PORTS);
    if (claim(port) && (await isFree(port))) return port;
  }
  throw new Error(`no port from ${FIRST_PORT} on is free`);
}

/** For as long as this process lives. */
function claim(port: number): boolean {
  const file = join(claims, String(port));
  try {
    if (!isAlive(Number(readFileSync(file, 'utf8')))) rmSync(file, { force: true });
  } catch {
    // Nobody has it.
  }
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    claimed.push(file);
    return true;
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

export function freeTcpPort(): Promise<number> {
  return freePort(isFreeForTcp);
}

export function freeUdpPort(): Promise<number> {
  return freePort(isFreeForUdp);
}

/** Free for UDP and TCP. */
export function freeSipPort(): Promise<number> {
  return freePort(async (port) => (await isFreeForUdp(port)) && (await isFreeForTcp(port)));
}

function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}

/** Only waiting in vain takes so long: another suite may have both cores for many seconds. */
export const PATIENCE_MS = 60_000;

/**
 * Looks again every few milliseconds until there is something. Rejects after `waitMs`, naming what was waited for, as it is said then.
 */
export async function until<T>(
  what: string | (() => string),
  look: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  waitMs = PATIENCE_MS,
): Promise<T> {
  const giveUpAt = performance.now() + waitMs;
  for (;;) {
    const lookedAt = performance.now();
    const found = await look();
    if (found) return found;
    const now = performance.now();
    if (now > giveUpAt) throw new Error(`waited ${waitMs} ms in vain for: ${typeof what === 'string' ? what : what()}`);
    // What is dear to look at must not take the cores from those that it waits for.
    const restMs = Math.min(500, Math.max(5, 2 * (now - lookedAt)));
    await new Promise((resolve) => setTimeout(resolve, restMs));
  }
}

/** A child that ends with the test; ended by its own id. */
export function startChild(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

export function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

export async function stopChild(child: ChildProcess, waitMs = 3000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), waitMs);
  await ended(child);
  clearTimeout(timer);
}
