/** What carries the sound of a call between two telephones: nothing, the least that can be written in C, and media servers. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { scratch } from '../../support/processes.ts';
import type { Teardown } from '../calls/systems.ts';
import { freeswitch, mediad } from './media-servers.ts';
import { rtpengine } from './rtpengine.ts';
import type { Place, Talker } from './talkers.ts';

export interface Relay {
  readonly pid: number;
  /** Each call's two telephones; answered with where each of them sends to. */
  connect(calls: readonly Pair[]): Promise<readonly (readonly [Place, Place])[]>;
}

export type Pair = readonly [Talker, Talker];

export interface RelayKind {
  readonly name: string;
  /** For who reads the table. */
  readonly configuration: string;
  readonly canEncrypt: boolean;
  start(t: Teardown, calls: number): Promise<Relay>;
}

/** Those that are at hand, and why the others are not. */
export function relays(freeswitchProgram: string | undefined): {
  readonly there: readonly RelayKind[];
  readonly leftOut: readonly string[];
} {
  const compiler = ['/usr/bin/cc', '/usr/local/bin/cc'].find((path) => existsSync(path));
  const engine = ['/usr/bin/rtpengine', '/usr/sbin/rtpengine'].find((path) => existsSync(path));
  return {
    there: [
      direct,
      ...(compiler === undefined ? [] : [plain(compiler)]),
      mediad(),
      ...(engine === undefined ? [] : [rtpengine(engine)]),
      ...(freeswitchProgram === undefined ? [] : [freeswitch(freeswitchProgram)]),
    ],
    leftOut: [
      ...(compiler === undefined ? ['the plain relay: there is no C compiler (cc)'] : []),
      ...(engine === undefined ? ['rtpengine: Debian has it as rtpengine-daemon'] : []),
      ...(freeswitchProgram === undefined ? ['FreeSWITCH: FREESWITCH names no program'] : []),
    ],
  };
}

/** The telephones' own part of every figure. */
const direct: RelayKind = {
  name: 'direct',
  configuration: 'phone to phone',
  canEncrypt: true,
  start: async () => ({
    pid: 0,
    connect: async (calls) => calls.map(([a, b]) => [b, a]),
  }),
};

function plain(compiler: string): RelayKind {
  return {
    name: 'plain C relay',
    configuration: 'test/bench/peers/relay.c, cc -O2, one thread; does not look into packets',
    canEncrypt: false,
    async start(t, calls) {
      const program = join(scratch(t, 'relay'), 'relay');
      execFileSync(compiler, ['-O2', '-o', program, fileURLToPath(new URL('../peers/relay.c', import.meta.url))]);
      const child = spawn(program, [String(calls)], { stdio: ['pipe', 'pipe', 'inherit'] });
      t.teardown(() => child.kill('SIGKILL'));
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
      const ports = line.trim().split(' ').map(Number);
      return {
        pid: child.pid ?? 0,
        async connect(pairs) {
          child.stdin.write(`${pairs.flatMap(([a, b]) => [a.port, b.port]).join(' ')}\n`);
          return pairs.map((_, i) => [at(ports[2 * i]), at(ports[2 * i + 1])]);
        },
      };
    },
  };
}

function at(port: number | undefined): Place {
  return { port: port ?? 0, key: undefined };
}
