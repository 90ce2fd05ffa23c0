import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, portOf } from './daemon.ts';
import { DrachtioServer, drachtioServer } from './drachtio-server.ts';
import { FreeSwitch, freeswitch } from './freeswitch.ts';
import { scratch } from './processes.ts';
import type { Told } from './real-server.ts';
import { ROOT } from './root.ts';

const secret = 'a-secret-that-the-house-is-told';

type Teardown = Parameters<typeof scratch>[0];

/** A server that the test may end, and what the house is told of it. */
interface Server {
  readonly told: Omit<Told, 'name'>;
  /** "udp/127.0.0.1:5060"; of signalling servers. */
  readonly sip: readonly string[];
  kill(): Promise<void>;
  restart(): Promise<void>;
}

export interface ByHand {
  /** Give both to `House.start`. */
  readonly data: string;
  readonly set: Readonly<Record<string, string>>;
  readonly sipds: readonly Server[];
  readonly mediads: readonly Server[];
}

/**
 * Signalling and media servers that no supervisor knows, as an admin starts them, for a house that is told of them: sipd and
 * mediad, or the programs that `npm run test:real` names.
 */
export async function serversByHand(
  t: Teardown,
  many: { readonly sipd: number; readonly mediad: number; readonly weights?: readonly number[] },
): Promise<ByHand> {
  const data = join(scratch(t, 'data'), 'data');
  const recordings = join(data, 'voicemail');
  mkdirSync(recordings, { recursive: true, mode: 0o700 });
  const [sipds, mediads] = await Promise.all([
    Promise.all(Array.from({ length: many.sipd }, () => signalling(t))),
    Promise.all(Array.from({ length: many.mediad }, () => media(t, recordings))),
  ]);
  const servers = (all: readonly Server[], name: string): string =>
    JSON.stringify(all.map(({ told }, i) => ({ ...told, name: `${name}${i + 1}`, weight: many.weights?.[i] ?? 1 })));
  const set = { 'signalling.servers': servers(sipds, 'sipd'), 'media.servers': servers(mediads, 'mediad') };
  return { data, set, sipds, mediads };
}

async function signalling(t: Teardown): Promise<Server> {
  if (drachtioServer?.kind === 'program') {
    const server = await DrachtioServer.start(t, drachtioServer.path);
    return named(server, server.told, server.ready.sip);
  }
  const server = await Daemon.start(t, 'sipd', scratch(t, 'sipd'), (ready) => ({
    sip: ['udp', 'tcp'].map((protocol) => ({ protocol, host: '127.0.0.1', port: portOf(ready?.sip, protocol) })),
    control: { host: '127.0.0.1', port: ready?.control?.port ?? 0 },
    secret,
  }));
  return named(
    server,
    { host: '127.0.0.1', port: server.ready.control?.port ?? 0, secret },
    [server.ready.sip ?? []].flat(),
  );
}

async function media(t: Teardown, recordings: string): Promise<Server> {
  if (freeswitch?.kind === 'program') {
    const server = await FreeSwitch.start(t, freeswitch.path, scratch(t, 'freeswitch'));
    return named(server, server.told, []);
  }
  const server = await Daemon.start(t, 'mediad', scratch(t, 'mediad'), (ready) => ({
    eventSocket: { host: '127.0.0.1', port: ready?.eventSocket?.port ?? 0, secret },
    sip: { host: '127.0.0.1', port: portOf(ready?.sip, 'udp') },
    rtp: { bindAddress: '127.0.0.1', portsFrom: 0, portsTo: 0 },
    promptFolders: ['en/wardline', 'en/asterisk-core-sounds', 'music'].map((name) =>
      join(ROOT, 'src/mediad/prompts', name),
    ),
    recordingsFolder: recordings,
  }));
  const at = { host: '127.0.0.1', port: server.ready.eventSocket?.port ?? 0, secret };
  return named(server, { ...at, ...{ kind: 'mediad', listenPort: 0 } }, []);
}

function named(server: Pick<Server, 'kill' | 'restart'>, told: Server['told'], sip: readonly string[]): Server {
  return { told, sip, kill: () => server.kill(), restart: () => server.restart() };
}
