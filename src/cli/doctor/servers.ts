import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { type Config, type Listen, parseListen } from '../../config/index.ts';
import { PortError } from '../../engine/ports.ts';
import { askForAll } from '../ask-media-server.ts';
import { askBySip } from '../ask-by-sip.ts';
import { askSignallingServer } from '../ask-signalling-server.ts';
import { dataFolders } from '../folders.ts';
import { houseSecrets } from '../house-secrets.ts';
import { controlTls, readSecret } from '../../telephony/index.ts';
import { Refusal } from '../report.ts';
import type { DaemonRecord } from '../supervise/launch-plan.ts';
import { isAlive } from '../supervise/processes.ts';
import { readJson } from '../supervise/run-files.ts';
import { secretFault } from './bad-secrets.ts';
import type { Finding } from './finding.ts';
import { drachtioConfiguration, freeswitchConfiguration } from './server-configuration.ts';
import { versionFault } from './versions.ts';

// Servers are asked in their own protocols: an open port proves nothing, the kernel opens it for a process that hangs.

const ANSWERS_WITHIN_MS = 5_000;

/** sipd and mediad of a house that is up; none that it does not start itself. */
export async function ourDaemons(config: Config): Promise<readonly Finding[]> {
  const folders = dataFolders(config.data);
  const names = [
    ...(config.signalling.servers.length === 0 ? (['sipd'] as const) : []),
    ...(config.media.servers.length === 0 ? (['mediad'] as const) : []),
  ];
  return Promise.all(
    names.map(async (name): Promise<Finding> => {
      const record = readJson(join(folders.run, `${name}.json`)) as DaemonRecord | null;
      const remedy = `look at ${join(folders.log, `${name}.log`)}; "kill -9" lets the supervisor start it anew`;
      if (record === null || !isAlive(record.pid, record.startedTicks)) {
        return { check: name, state: 'bad', says: 'is not running', remedy };
      }
      const at = record.ready[name === 'sipd' ? 'control' : 'eventSocket'] as { host: string; port: number };
      const secrets = await secretsOf(folders);
      if (typeof secrets === 'string') {
        return { check: name, state: 'bad', says: `it was not asked: ${secrets}`, remedy: 'see "secrets" above' };
      }
      const process = `process ${record.pid}`;
      return name === 'sipd'
        ? signalling({ check: name, remedy, process }, { ...at, tls: null }, secrets.control, reachedHere(record))
        : media({ check: name, remedy, process }, at, secrets.eventSocket, 'drachtio_mrf');
    }),
  );
}

/** Those of `signalling.servers` and `media.servers`: they run whether the house is up or not. */
export async function serversElsewhere(config: Config): Promise<readonly Finding[]> {
  const asked = [
    ...config.signalling.servers.map(async (server) => {
      const check = `signalling ${server.name ?? `${server.host}:${server.port}`}`;
      const remedy = 'start it, or correct its host, port, secret and access list in signalling.servers';
      const asked = await withSecret(check, server, (secret) =>
        signalling({ check, remedy, process: '' }, { ...server, tls: controlTls(server) }, secret, null),
      );
      return [...asked, ...(await drachtioConfiguration(check, server))];
    }),
    ...config.media.servers.map(async (server) => {
      const check = `media ${server.name ?? `${server.host}:${server.port}`}`;
      const remedy = 'start it, or correct its host, port, secret and access list in media.servers';
      const asked = await withSecret(check, server, (secret) =>
        media({ check, remedy, process: '' }, server, secret, server.profile),
      );
      return [...asked, ...(await freeswitchConfiguration(check, server, secretOrNull(check, server)))];
    }),
  ];
  return (await Promise.all(asked)).flat();
}

interface About {
  readonly check: string;
  readonly remedy: string;
  /** '' for a server that is not ours. */
  readonly process: string;
}

/** `listens`: where it is to answer SIP; null: where it says that it does. */
async function signalling(
  { check, remedy, process }: About,
  at: { readonly host: string; readonly port: number; readonly tls: ConnectionOptions | null },
  secret: string,
  listens: readonly Listen[] | null,
): Promise<Finding> {
  const where = whereOf(at, process);
  const bad = (says: string, what = remedy): Finding => {
    return { check, state: 'bad', says: `${where}: ${says}`, remedy: what };
  };
  const { host, port, tls } = at;
  const answer = await askSignallingServer({ host, port, tls }, secret, ANSWERS_WITHIN_MS);
  if (answer.kind === 'silent') return bad(answer.why);
  const old = versionFault('drachtio-server', answer.version);
  if (old !== null) return bad(`it ${old}`, 'install a newer one');
  const sip = listens ?? answer.serves.flatMap((text) => parseListen(text) ?? []);
  const answers = await Promise.all(sip.map((listen) => askBySip(listen, ANSWERS_WITHIN_MS)));
  const silent = answers.findIndex(({ kind }) => kind === 'silent');
  const [reply, place] = [answers[silent], sip[silent]];
  if (reply?.kind === 'silent' && place !== undefined) {
    const says = `SIP on ${place.transport}/${place.host}:${place.port}: ${reply.why}`;
    if (listens !== null) return bad(says);
    // The address that others are told may not lead back to this machine.
    const remedy = 'look from where phones are; from here its outward address may not be reachable';
    return { check, state: 'note', says: `${where}: ${says}`, remedy };
  }
  return { check, state: 'good', says: `answers on ${where}: ${answer.version}, SIP on ${answer.serves.join(', ')}` };
}

/** Where our own sipd listens, as reached from this machine. */
function reachedHere({ ready }: DaemonRecord): readonly Listen[] {
  return (ready['sip'] as readonly string[]).flatMap((text) => {
    const listen = parseListen(text);
    if (listen === null) return [];
    const host = listen.host === '0.0.0.0' ? '127.0.0.1' : listen.host === '::' ? '::1' : listen.host;
    return [{ ...listen, host }];
  });
}

/** What the app needs of a FreeSWITCH; our own mediad has no modules. */
const MODULES = [
  'sofia',
  'commands',
  'dptools',
  'event_socket',
  'sndfile',
  'tone_stream',
  'local_stream',
  'dialplan_xml',
];

/** Further than this apart, records of one call contradict each other. */
const CLOCKS_APART_MS = 2_000;

async function media(
  { check, remedy, process }: About,
  at: { readonly host: string; readonly port: number },
  secret: string,
  profile: string,
): Promise<Finding> {
  const where = whereOf(at, process);
  const commands = ['status', 'sofia status', 'strepoch', ...MODULES.map((name) => `module_exists mod_${name}`)];
  const answer = await askForAll({ host: at.host, port: at.port }, secret, commands, ANSWERS_WITHIN_MS);
  const bad = (says: string, what = remedy): Finding => ({
    check,
    state: 'bad',
    says: `${where}: ${says}`,
    remedy: what,
  });
  if (answer.kind === 'silent') return bad(answer.why);
  const [status = '', sofia = '', epoch = '', ...modules] = answer.said;
  const missing = MODULES.filter((_, i) => modules[i]?.trim() === 'false').map((name) => `mod_${name}`);
  if (missing.length > 0) {
    return bad(`it has not loaded ${missing.join(', ')}`, 'add them to its modules.conf.xml and restart it');
  }
  if (!new RegExp(`^\\s*${profile}\\s.*sip:mod_sofia@[0-9.]+:\\d+`, 'm').test(sofia)) {
    return bad(`it has no SIP profile ${profile}`, 'take freeswitch-conf/, or name its profile in media.servers');
  }
  const apartMs = /^\d{9,11}\s*$/.test(epoch) ? Math.abs(Number(epoch) * 1000 - Date.now()) : 0;
  if (apartMs > CLOCKS_APART_MS) {
    const says = `its clock is ${Math.round(apartMs / 1000)} s from ours`;
    return { check, state: 'note', says: `${where}: ${says}`, remedy: 'synchronise both (chrony, systemd-timesyncd)' };
  }
  return { check, state: 'good', says: `answers on ${where}: ${status.split('\n')[0]?.slice(0, 200) ?? ''}` };
}

function secretOrNull(check: string, server: Config['media']['servers'][number]): string | null {
  try {
    return readSecret(check, server);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return null;
  }
}

function whereOf({ host, port }: { readonly host: string; readonly port: number }, process: string): string {
  return `${host}:${port}${process === '' ? '' : ` (${process})`}`;
}

async function withSecret(
  check: string,
  server: Config['signalling']['servers'][number] | Config['media']['servers'][number],
  ask: (secret: string) => Promise<Finding>,
): Promise<readonly Finding[]> {
  try {
    const secret = readSecret(check, server);
    const fault = secretFault(secret);
    const remedy = 'openssl rand -hex 32, there and in secretFile here';
    const weak: readonly Finding[] =
      fault === null ? [] : [{ check, state: 'bad', says: `its secret ${fault}`, remedy }];
    return [await ask(secret), ...weak];
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return [{ check, state: 'bad', says: error.message, remedy: 'correct the path, or who may read it' }];
  }
}

/** Those of the house, or why there are none. */
async function secretsOf(
  folders: ReturnType<typeof dataFolders>,
): Promise<{ readonly control: string; readonly eventSocket: string } | string> {
  try {
    const { controlSecret, eventSocketSecret } = await houseSecrets(folders);
    return { control: controlSecret, eventSocket: eventSocketSecret };
  } catch (error) {
    if (!(error instanceof PortError) && !(error instanceof Refusal)) throw error;
    return error.message;
  }
}
