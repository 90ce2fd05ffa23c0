import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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

export function freeTcpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

export function freeUdpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4').once('error', reject);
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** Only waiting in vain takes so long: another suite may have both cores for many seconds. */
export const PATIENCE_MS = 60_000;

/**
 * Looks again every few milliseconds until there is something. Rejects after `waitMs`, naming what was waited for.
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  waitMs = PATIENCE_MS,
): Promise<T> {
  const giveUpAt = performance.now() + waitMs;
  for (;;) {
    const lookedAt = performance.now();
    const found = await look();
    if (found) return found;
    const now = performance.now();
    if (now > giveUpAt) throw new Error(`waited ${waitMs} ms in vain for: ${what}`);
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

/** Free for UDP and TCP. */
export async function freeSipPort(): Promise<number> {
  for (;;) {
    const port = await freeUdpPort();
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createServer().once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
