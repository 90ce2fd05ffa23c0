import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { Authority } from '../support/certificates.ts';
import { Daemon } from '../support/daemon.ts';
import { House } from '../support/house.ts';
import { freeUdpPort, scratch, until } from '../support/processes.ts';
import { type Sipp, startSipp } from '../support/sipp.ts';
import { registerPhone } from './call-rate.ts';
import { commandOf, pssMb, round, sum } from './calls/proc.ts';
import { uac, uas } from './calls/scenarios.ts';
import type { Teardown } from './calls/systems.ts';
import { givePhones, storm } from './registrations.ts';

/** What one more of something costs, by the slope between two numbers of it. */
export interface MemoryRow {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  /** Heap and buffers of the main threads after full collections, over all processes; and of two of them. */
  readonly bytesEach: number;
  readonly ofSipd: number;
  readonly ofApp: number;
  /** The same from the proportional memory of the processes: what collections do not give back counts too. */
  readonly pssBytesEach: number;
}

interface Reading {
  readonly all: number;
  readonly sipd: number;
  readonly app: number;
  readonly pss: number;
}

/** RFC 3261 timers of what came before are over. */
const lingerMs = 36_000;

/** B8: bytes per idle call, per binding and per TLS connection. */
export async function benchMemory(): Promise<MemoryRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'wardline-memory-'));
  process.env['MEMORY_PROBE'] = folder;
  process.env['NODE_OPTIONS'] = `--import=${new URL('memory-probe.ts', import.meta.url).href}`;
  try {
    return [
      await alone((t) => idleCalls(t, folder, [100, 900])),
      await alone((t) => bindings(t, folder, [500, 3_500])),
      await alone((t) => tlsConnections(t, folder, [100, 800])),
    ];
  } finally {
    delete process.env['MEMORY_PROBE'];
    delete process.env['NODE_OPTIONS'];
    rmSync(folder, { recursive: true, force: true });
  }
}

async function alone(bench: (t: Teardown) => Promise<MemoryRow>): Promise<MemoryRow> {
  const undo: (() => unknown)[] = [];
  try {
    const row = await bench({ teardown: (fn: () => unknown) => void undo.unshift(fn) });
    console.log(JSON.stringify(row));
    return row;
  } finally {
    for (const fn of undo) await fn();
  }
}

async function idleCalls(t: Teardown, folder: string, [few, many]: [number, number]): Promise<MemoryRow> {
  const house = await House.start(t, {
    phones: ['2101', '2102'],
    // Nobody is asked whether they are still there: SIPp would not answer.
    set: { 'sip.probeSeconds': '3600' },
    on: { signalling: null, media: null },
  });
  const args = ['-buff_size', '4000000', '-trace_stat', '-fd', '1'];
  const answering = await startSipp(t, {
    keepsMessages: false,
    calls: 10 * many,
    localPort: await freeUdpPort(),
    scenario: uas,
    args,
  });
  const system = {
    sip: house.sip,
    challenge: 401 as const,
    isProxied: false,
    password: (extension: string) => house.password(extension),
    pids: () => house.pids(),
  };
  await registerPhone(t, system, answering.port);
  const talk = async (calls: number): Promise<Reading> => {
    const asking = await startSipp(t, {
      keepsMessages: false,
      calls,
      rate: 40,
      remote: house.sip,
      scenario: uac(system).replace('<pause milliseconds="100"/>', '<pause milliseconds="3600000"/>'),
      service: '2102',
      user: '2101',
      password: house.password('2101'),
      args: [...args, '-l', String(2 * many)],
    });
    await until('every call to be placed', () => placed(asking) >= calls);
    await sleep(lingerMs);
    return read(house.pids(), folder);
  };
  const before = await talk(few);
  return slope('idle call', [few, many], before, await talk(many - few));
}

/** SIPp writes down what it has done after its first second. */
function placed(asking: Sipp): number {
  try {
    return asking.statistics().number('TotalCallCreated');
  } catch {
    return 0;
  }
}

async function bindings(t: Teardown, folder: string, [few, many]: [number, number]): Promise<MemoryRow> {
  const house = await House.start(t, { on: { signalling: null, media: null } });
  const password = 'for-the-bench-only';
  await givePhones(house, password, many + 1);
  const register = async (first: number, count: number): Promise<Reading> => {
    const { registered } = await storm(house, { first, count, seconds: count / 200, password });
    if (registered !== count) throw new Error(`${count - registered} phones were not registered`);
    await sleep(lingerMs);
    return read(house.pids(), folder);
  };
  const before = await register(10_000, few);
  return slope('binding', [few, many], before, await register(10_000 + few, many - few));
}

/** Of sipd alone: who connects and says nothing yet. */
async function tlsConnections(t: Teardown, folder: string, [few, many]: [number, number]): Promise<MemoryRow> {
  const authority = new Authority(scratch(t, 'certificates'));
  const sipd = await Daemon.start(t, 'sipd', scratch(t, 'sipd'), () => ({
    sip: [{ protocol: 'tls', host: '127.0.0.1', port: 0 }],
    control: { host: '127.0.0.1', port: 0 },
    secret: 'a-secret-for-the-bench-only',
    tls: authority.issue('sipd'),
    limits: { tcpConnectionsPerSource: 2 * many },
  }));
  const at = [sipd.ready.sip ?? []].flat()[0] ?? '';
  const to: ConnectionOptions = { host: '127.0.0.1', port: Number(at.split(':').at(-1)), ca: authority.pem };
  const open = async (count: number): Promise<Reading> => {
    for (let i = 0; i < count; i++) {
      const socket = connect(to);
      t.teardown(() => socket.destroy());
      await once(socket, 'secureConnect');
      socket.on('error', () => {});
    }
    await sleep(2_000);
    return read([sipd.pid], folder);
  };
  const before = await open(few);
  return slope('TLS connection', [few, many], before, await open(many - few));
}

async function read(pids: readonly number[], folder: string): Promise<Reading> {
  const node = pids.filter((pid) => commandOf(pid).includes('.ts'));
  const bytes = await Promise.all(
    node.map(async (pid) => {
      const file = join(folder, String(pid));
      rmSync(file, { force: true });
      process.kill(pid, 'SIGWINCH');
      return until(`${commandOf(pid)} to say what it uses`, () => bytesIn(file));
    }),
  );
  const of = (isOne: RegExp) => sum(bytes.filter((_, i) => isOne.test(commandOf(node[i] ?? 0))));
  return { all: sum(bytes), sipd: of(/\/src\/sipd\/main\.ts/), app: of(/\/src\/cli\/app\.ts/), pss: pssMb(pids) };
}

function bytesIn(file: string): number | false {
  try {
    return Number(readFileSync(file, 'utf8')) || false;
  } catch {
    return false;
  }
}

function slope(what: string, [from, to]: [number, number], before: Reading, after: Reading): MemoryRow {
  const each = (of: keyof Reading) => Math.round((after[of] - before[of]) / (to - from));
  return {
    what,
    from,
    to,
    bytesEach: each('all'),
    ofSipd: each('sipd'),
    ofApp: each('app'),
    pssBytesEach: round(((after.pss - before.pss) * 2 ** 20) / (to - from)),
  };
}
