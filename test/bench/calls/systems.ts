import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon } from '../../support/daemon.ts';
import { DrachtioServer } from '../../support/drachtio-server.ts';
import { House } from '../../support/house.ts';
import { processTree } from '../../support/plaintext-scan.ts';
import { freeSipPort, scratch, startChild, stopChild, until } from '../../support/processes.ts';
import { ROOT } from '../../support/root.ts';
import type { Asked } from './scenarios.ts';

export interface Teardown {
  teardown(fn: () => unknown): void;
}

/** Something that takes calls of 2101 to 2102, both of which have passwords. */
export interface System extends Asked {
  /** "127.0.0.1:5060" */
  readonly sip: string;
  password(extension: string): string;
  pids(): readonly number[];
}

/** A row of the table: ours on any pair of servers, or a peer. */
export interface Candidate {
  readonly name: string;
  /** What its configuration is, for who reads the table. */
  readonly configuration: string;
  start(t: Teardown): Promise<System>;
}

export interface Programs {
  readonly drachtioServer?: string | undefined;
  readonly freeswitch?: string | undefined;
  readonly kamailio?: string | undefined;
}

/** Ours on every pair of servers that is at hand, then the peers. */
export function candidates({ drachtioServer, freeswitch, kamailio }: Programs): readonly Candidate[] {
  const signalling = [undefined, ...(drachtioServer === undefined ? [] : [drachtioServer])];
  const media = [undefined, ...(freeswitch === undefined ? [] : [freeswitch])];
  return [
    ...signalling.flatMap((first) => media.map((second) => wardline(first, second))),
    small(undefined, 'b2bua'),
    small(undefined, 'proxy'),
    ...(drachtioServer === undefined ? [] : [small(drachtioServer, 'b2bua'), small(drachtioServer, 'proxy')]),
    ...(freeswitch === undefined ? [] : [bridge(freeswitch)]),
    ...(kamailio === undefined ? [] : [proxy(kamailio)]),
  ];
}

function wardline(drachtioServer: string | undefined, freeswitch: string | undefined): Candidate {
  const pair = `${drachtioServer === undefined ? 'sipd' : 'drachtio-server'} × ${freeswitch === undefined ? 'mediad' : 'FreeSWITCH'}`;
  return {
    name: `wardline on ${pair}`,
    configuration: 'freeswitch-conf/ and defaults; digest on every INVITE, routing, direct media, durable audit',
    async start(t) {
      const house = await House.start(t, {
        phones: ['2101', '2102'],
        on: {
          signalling: drachtioServer === undefined ? null : { kind: 'program', path: drachtioServer },
          media: freeswitch === undefined ? null : { kind: 'program', path: freeswitch },
        },
      });
      return {
        sip: house.sip,
        challenge: 401,
        isProxied: false,
        password: (extension) => house.password(extension),
        pids: () => [...house.pids(), ...house.serverPids()],
      };
    },
  };
}

/** Who answers OPTIONS by itself: sipd and an app of one line, sipd without any app, Kamailio. */
export function answerers({ kamailio }: Programs): readonly Candidate[] {
  return [small(undefined, 'b2bua'), bare(), ...(kamailio === undefined ? [] : [proxy(kamailio)])];
}

/** sipd and nobody else. */
function bare(): Candidate {
  return {
    name: 'sipd alone',
    configuration: 'no app: answers what is no SIP by itself, without a transaction',
    async start(t) {
      const server = await aloneSipd(t);
      const sip = [server.ready.sip ?? []].flat().find((text) => text.startsWith('udp/')) ?? '';
      const [challenge, password] = [null, () => ''];
      return { sip: sip.slice('udp/'.length), challenge, isProxied: false, password, pids: () => [server.pid] };
    },
  };
}

/** A signalling server with the least app that connects calls: what the server and the client library cost by themselves. */
function small(drachtioServer: string | undefined, kind: 'b2bua' | 'proxy'): Candidate {
  return {
    name: `${drachtioServer === undefined ? 'sipd' : 'drachtio-server'} with ten lines of srf, ${kind}`,
    configuration: 'test/bench/peers/b2bua.mjs: no password, no record, no routing',
    async start(t) {
      const server = drachtioServer === undefined ? await aloneSipd(t) : await DrachtioServer.start(t, drachtioServer);
      const { host = '', port = 0 } = server.ready.control ?? {};
      const secret = server instanceof DrachtioServer ? server.secret : sipdSecret;
      const script = join(ROOT, 'test/bench/peers/b2bua.mjs');
      const app = startChild(process.execPath, [script, host, String(port), secret, kind], { cwd: ROOT });
      t.teardown(() => stopChild(app));
      let said = '';
      app.stdout?.on('data', (bytes: Buffer) => (said += String(bytes)));
      await until('the ten lines to be connected', () => said.includes('ready'));
      const sip = [server.ready.sip ?? []].flat().find((text) => text.startsWith('udp/')) ?? '';
      return {
        sip: sip.slice('udp/'.length),
        challenge: null,
        isProxied: kind === 'proxy',
        password: () => '',
        pids: () => [server.pid, app.pid ?? 0],
      };
    },
  };
}

const sipdSecret = 'a-secret-for-the-bench-only';

function aloneSipd(t: Teardown): Promise<Daemon> {
  return Daemon.start(t, 'sipd', scratch(t, 'sipd'), () => ({
    sip: [{ protocol: 'udp', host: '127.0.0.1', port: 0 }],
    control: { host: '127.0.0.1', port: 0 },
    secret: sipdSecret,
  }));
}

const password = 'for-the-bench-only';

/** FreeSWITCH by itself. */
function bridge(program: string): Candidate {
  return {
    name: 'FreeSWITCH bridge',
    configuration: 'test/bench/peers/freeswitch.xml: digest on every INVITE, dialplan, bypass_media',
    async start(t) {
      const folder = scratch(t, 'peer');
      const port = await freeSipPort();
      const told = { SIP_PORT: port, PASSWORD: password, RTP_FIRST: 40_000, RTP_LAST: 60_000 };
      writeFileSync(join(folder, 'freeswitch.xml'), filledIn('freeswitch.xml', told));
      const folders = ['log', 'db', 'run'].flatMap((name) => {
        mkdirSync(join(folder, name));
        return [`-${name}`, join(folder, name)];
      });
      const child = startChild(program, ['-conf', folder, ...folders, '-nonat', '-nf', '-nc'], { cwd: folder });
      return peer(t, child, port, { challenge: 407, isProxied: false });
    },
  };
}

function proxy(program: string): Candidate {
  return {
    name: 'Kamailio',
    configuration:
      'test/bench/peers/kamailio.cfg: digest on every INVITE, registrar in memory, stateful proxy, 2 workers',
    async start(t) {
      const folder = scratch(t, 'peer');
      const port = await freeSipPort();
      const file = join(folder, 'kamailio.cfg');
      writeFileSync(file, filledIn('kamailio.cfg', { SIP_PORT: port, PASSWORD: password }));
      const child = startChild(program, ['-f', file, '-DD', '-E', '-m', '256', '-Y', folder], { cwd: folder });
      return peer(t, child, port, { challenge: 401, isProxied: true });
    },
  };
}

async function peer(t: Teardown, child: ReturnType<typeof startChild>, port: number, asked: Asked): Promise<System> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (said += String(bytes)));
  t.teardown(() => stopChild(child));
  await until('the peer to take datagrams', () => {
    if (child.exitCode !== null) throw new Error(`the peer ended with ${child.exitCode}:\n${said}`);
    return isBound(port);
  });
  return {
    ...asked,
    sip: `127.0.0.1:${port}`,
    password: () => password,
    pids: () => processTree(child.pid ?? 0),
  };
}

/** Whether somebody listens on this UDP port of loopback. */
function isBound(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/udp', 'latin1').includes(`0100007F:${hex} `);
}

function filledIn(name: string, values: Readonly<Record<string, string | number>>): string {
  let text = readFileSync(join(ROOT, 'test/bench/peers', name), 'utf8');
  for (const [key, value] of Object.entries(values)) text = text.replaceAll(key, String(value));
  return text;
}
