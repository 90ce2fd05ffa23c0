import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ended, freeUdpPort, scratch, startChild, stopChild } from './processes.ts';

export interface SippOptions {
  /** The scenario between `<scenario>` and `</scenario>`. */
  readonly scenario: string;
  /** "127.0.0.1:5060"; left out for a UAS. */
  readonly remote?: string;
  readonly transport?: 'u1' | 't1';
  readonly localPort?: number;
  readonly service?: string;
  readonly user?: string;
  readonly password?: string;
  /** Values for [key] in the scenario. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly calls?: number;
  readonly rate?: number;
  readonly args?: readonly string[];
  /** Writes every message down; left out under load. */
  readonly keepsMessages?: boolean;
}

export interface Sipp {
  readonly port: number;
  readonly child: ChildProcess;
  /** Exit code: 0 when every call went as the scenario says. */
  readonly done: Promise<number | null>;
  /** Every message sent and received so far, as SIPp wrote them down. */
  messages(): string;
  /** The last line of `-trace_stat`, by column name. */
  statistics(): { number(column: string): number };
  /** Every time that `-trace_rtt` wrote down. */
  responseTimesMs(): number[];
  /** What SIPp complained about. */
  errors(): string;
  close(): Promise<void>;
}

/** SIPp 3.6 with a scenario of our own; it ends with the test. */
export async function startSipp(t: { teardown(fn: () => unknown): void }, options: SippOptions): Promise<Sipp> {
  const dir = scratch(t, 'sipp');
  const port = options.localPort ?? (await freeUdpPort());
  const mediaPort = await freeUdpPort();
  writeFileSync(
    join(dir, 'scenario.xml'),
    `<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="wardline">\n${options.scenario}\n</scenario>\n`,
  );
  const args = [
    ...['-sf', 'scenario.xml', '-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1', '-mp', String(mediaPort)],
    ...[
      '-m',
      String(options.calls ?? 1),
      '-nostdin',
      '-trace_err',
      ...(options.keepsMessages === false ? [] : ['-trace_msg']),
      '-t',
      options.transport ?? 'u1',
    ],
    ...(options.rate ? ['-r', String(options.rate)] : []),
    ...(options.service ? ['-s', options.service] : []),
    ...(options.user ? ['-au', options.user] : []),
    ...(options.password ? ['-ap', options.password] : []),
    ...Object.entries(options.keys ?? {}).flatMap(([key, value]) => ['-key', key, value]),
    ...(options.args ?? []),
    ...(options.remote ? [options.remote] : []),
  ];
  const child = startChild('sipp', args, { cwd: dir, env: { PATH: '/usr/bin:/bin', TERM: 'dumb' } });
  child.stdout?.resume();
  child.stderr?.resume();
  t.teardown(() => stopChild(child));
  const read = (ending: string) => {
    const name = existsSync(dir) ? readdirSync(dir).find((file) => file.endsWith(ending)) : undefined;
    return name ? readFileSync(join(dir, name), 'utf8') : '';
  };
  return {
    port,
    child,
    done: ended(child),
    messages: () => read('_messages.log'),
    responseTimesMs: () =>
      read('_rtt.csv')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => Number(line.split(';')[1])),
    statistics: () => {
      const name = readdirSync(dir).find((file) => file.endsWith('_.csv')) ?? '';
      const lines = readFileSync(join(dir, name), 'utf8').trim().split('\n');
      const columns = (lines[0] ?? '').split(';');
      const values = (lines.at(-1) ?? '').split(';');
      return { number: (column) => Number(values[columns.indexOf(column)]) };
    },
    errors: () => read('_errors.log'),
    close: () => stopChild(child),
  };
}

/** SDP of a G.711 phone at SIPp's own media port. */
export const sippSdp = [
  'v=0',
  'o=- 1 1 IN IP4 [local_ip]',
  's=-',
  'c=IN IP4 [media_ip]',
  't=0 0',
  'm=audio [media_port] RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
].join('\n');
