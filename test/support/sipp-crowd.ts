import { execFile, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeUdpPort } from './processes.ts';

/** Whether SIPp is installed: Debian's package sip-tester. */
export function hasSipp(): boolean {
  try {
    execFileSync('sipp', ['-v'], { stdio: 'pipe' });
    return true;
  } catch (error) {
    // `sipp -v` prints its version and exits with 99.
    return (error as { status?: number }).status === 99;
  }
}

export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  readonly output: string;
}

export interface SippOptions {
  /** A built-in scenario, or the XML of one. */
  readonly scenario: { readonly builtIn: 'uac' | 'uas' } | { readonly xml: string };
  readonly to?: string;
  /** 0 means without end. */
  readonly calls: number;
  readonly perSecond?: number;
  readonly protocol?: 'udp' | 'tcp';
  readonly port?: number;
  readonly service?: string;
}

/** Runs SIPp to its end and counts: for crowds of calls. One call that is looked into is startSipp (sipp.ts). */
export function sipp(options: SippOptions): Promise<SippResult> {
  return new Promise((resolve) => {
    const { folder, args } = commandLine(options);
    execFile('sipp', args, { cwd: folder, timeout: 60_000, maxBuffer: 50e6 }, (_error, stdout) => {
      rmSync(folder, { recursive: true, force: true });
      const last = (label: string) => Number(stdout.match(new RegExp(`${label}.*\\|\\s+(\\d+)\\s*$`, 'm'))?.[1] ?? -1);
      resolve({
        successful: last('Successful call'),
        failed: last('Failed call'),
        output: stdout.slice(stdout.lastIndexOf('Scenario Screen')),
      });
    });
  });
}

/** Runs SIPp as the called side until `stop` is called. */
export async function sippAnswering(options: Omit<SippOptions, 'to'>): Promise<{ port: number; stop(): void }> {
  const port = options.port ?? (await freeUdpPort());
  const { folder, args } = commandLine({ ...options, port });
  const child = spawn('sipp', args, { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] });
  await listening(port);
  return {
    port,
    stop: () => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function commandLine(options: SippOptions): { folder: string; args: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-sipp-'));
  const args = ['-i', '127.0.0.1', '-r', String(options.perSecond ?? 50), '-nostdin'];
  args.push('-t', options.protocol === 'tcp' ? 't1' : 'u1', '-timeout', '40', '-d', '50');
  if (options.calls > 0) args.push('-m', String(options.calls));
  if (options.port !== undefined) args.push('-p', String(options.port));
  if (options.service !== undefined) args.push('-s', options.service);
  if ('builtIn' in options.scenario) args.push('-sn', options.scenario.builtIn);
  else {
    const file = join(folder, 'scenario.xml');
    writeFileSync(file, options.scenario.xml);
    args.push('-sf', file);
  }
  if (options.to !== undefined) args.push(options.to);
  return { folder, args };
}

/** Resolves when binding the port fails, that is, when somebody has it. */
async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const isTaken = await new Promise<boolean>((resolve) => {
      const socket = createSocket('udp4');
      socket.once('error', () => resolve(true));
      socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(false)));
    });
    if (isTaken) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
  throw new Error(`nobody listens on ${port}`);
}
