import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/index.ts';
import { instant } from '../core/time/index.ts';
import type { ServerKind } from '../engine/ports.ts';
import type { Store } from '../storage/index.ts';
import { serverNameOf } from '../telephony/options.ts';
import type { Secrets } from '../vault/index.ts';
import { askServers, type ServerNow } from './ask-servers.ts';
import { attestOnce } from './attest-once.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { dataFolders } from './folders.ts';
import { remembered } from './remembered.ts';
import { done, no, Refusal, type Report, table } from './report.ts';
import { siteConfig, siteStore } from './site.ts';
import { readJson } from './supervise/run-files.ts';
import { whoTypes } from './who-types.ts';

/** A house that is up looks twice a second. */
const IN_FORCE_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 250;

interface DrainOptions extends CommonOptions {
  readonly kind?: string;
  readonly wait?: string;
}

export function serverCommands({ group, answer }: Commands): void {
  const servers = group('servers', 'signalling and media servers, and which of them get new calls');
  servers('list')
    .description('every server: does it answer, does it get new calls, how many legs it has')
    .action(answer(list));
  servers('drain <name>')
    .description('no new calls for this server as long as another can take them; what runs on it goes on')
    .option('--kind <signalling or media>', 'where two servers have the same name')
    .option('--wait <seconds>', 'until its last leg has ended; exit code 1 when some are left')
    .action(answer((name: string, options: DrainOptions) => order(name, options, true)));
  servers('undrain <name>')
    .description('it gets new calls again')
    .option('--kind <signalling or media>', 'where two servers have the same name')
    .action(answer((name: string, options: DrainOptions) => order(name, options, false)));
}

/** A server as configuration and orders have it. */
interface Server {
  readonly kind: ServerKind;
  readonly name: string;
  readonly where: string;
  readonly weight: number;
  readonly isDraining: boolean;
  /** Who said so last; '' is the configuration. */
  readonly by: string;
}

async function list(options: CommonOptions): Promise<Report> {
  const config = houseConfig(options);
  const { store } = await siteStore(config, 'reader');
  try {
    const now = await askServers(adminOf(config));
    const all = serversOf(config, store).map((server) => ({ ...server, now: now?.get(keyOf(server)) ?? null }));
    const rows = all.map(({ kind, name, where, weight, isDraining, by, now: seen }) => [
      kind,
      name,
      where,
      String(weight),
      seen === null ? '' : seen.isUp ? 'up' : 'DOWN',
      seen === null ? '' : String(seen.legs),
      isDraining ? `no (${by === '' ? 'configuration' : by})` : 'yes',
    ]);
    const text = table(['KIND', 'NAME', 'ADDRESS', 'WEIGHT', 'STATE', 'LEGS', 'NEW CALLS'], rows);
    return done(now === null ? [...text, 'The house is not up.'] : text, { isUp: now !== null, servers: all });
  } finally {
    await store.close();
  }
}

async function order(name: string, options: DrainOptions, isDraining: boolean): Promise<Report> {
  const waitMs = waitOf(options.wait);
  const config = houseConfig(options);
  const { store, secrets } = await siteStore(config, 'guest');
  try {
    const server = named(serversOf(config, store), name, options.kind);
    const now = await askServers(adminOf(config));
    if (isDraining) refuseLast(server, serversOf(config, store), now);
    await keep({ config, store, secrets }, server, isDraining);
    const title = `${server.kind} server ${name}`;
    const json = { kind: server.kind, server: name, isDraining };
    if (now === null) {
      const says = isDraining ? 'gets no new calls' : 'gets new calls';
      return done([`${title} ${says} when the house starts.`], { ...json, isInForce: false });
    }
    if (!(await isInForce(config, server, isDraining))) {
      const says = 'the house has not heard of it: "wardline doctor" and its log say why';
      return no([`${title}: it is noted, but ${says}.`], { ...json, isInForce: false });
    }
    if (!isDraining) return done([`${title} gets new calls.`], { ...json, isInForce: true });
    const legs = await legsLeft(config, server, waitMs);
    const left = legs === 0 ? 'nothing is left on it' : `${legs ?? 'an unknown number of'} legs are left on it`;
    const text = [`${title} gets no new calls; ${left}.`];
    const isOver = legs === 0 || options.wait === undefined;
    return (isOver ? done : no)(text, { ...json, isInForce: true, legs });
  } finally {
    await store.close();
  }
}

/** What the house runs with, for its servers are what is drained. */
function houseConfig(options: CommonOptions): Config {
  const config = siteConfig(options);
  return remembered(config.data)?.config ?? config;
}

/** Port 0 is known to the house alone. */
function adminOf(config: Config): string {
  const ready = readJson(join(dataFolders(config.data).run, 'ready.json')) as { admin?: string } | null;
  return ready?.admin ?? config.admin.listen;
}

function serversOf({ signalling, media }: Config, store: Store): readonly Server[] {
  const orders = store.servers.newest();
  const own = (name: string) => [{ name, host: '127.0.0.1', port: 0, weight: 1, draining: false }];
  const kinds = {
    signalling: signalling.servers.length > 0 ? signalling.servers : own('sipd'),
    media: media.servers.length > 0 ? media.servers : own('mediad'),
  };
  return (['signalling', 'media'] as const).flatMap((kind) =>
    kinds[kind].map((server): Server => {
      const name = serverNameOf(server);
      const said = orders.find((one) => one.kind === kind && one.server === name);
      const where = server.port === 0 ? 'our own' : `${server.host}:${server.port}`;
      const { weight, draining } = server;
      return { kind, name, where, weight, isDraining: said?.isDraining ?? draining, by: said?.author ?? '' };
    }),
  );
}

function named(servers: readonly Server[], name: string, kind: string | undefined): Server {
  const [found, second] = servers.filter((server) => server.name === name && (kind ?? server.kind) === server.kind);
  if (found === undefined) {
    const says = `there are ${servers.map((server) => `${server.kind} ${server.name}`).join(', ')}`;
    throw new Refusal(`${kind ?? ''}${kind === undefined ? '' : ' '}${name}: no such server: ${says}`, 2);
  }
  if (second !== undefined) throw new Refusal(`${name}: two servers are called so: add --kind signalling or media`, 2);
  return found;
}

/** Somebody has to take the calls. */
function refuseLast(server: Server, servers: readonly Server[], now: ReadonlyMap<string, ServerNow> | null): void {
  const others = servers.filter(({ kind, name }) => kind === server.kind && name !== server.name);
  const taking = others.filter(({ isDraining }) => !isDraining);
  if (taking.length === 0) {
    const remedy = others.length === 0 ? 'there is no other' : 'undrain another one first';
    throw new Refusal(`${server.name} is the last ${server.kind} server that gets new calls: ${remedy}`);
  }
  if (now !== null && !taking.some((other) => now.get(keyOf(other))?.isUp)) {
    const names = taking.map(({ name }) => name).join(', ');
    throw new Refusal(`${names} would have to take the calls and is not connected: "wardline doctor" says why`);
  }
}

async function keep(
  { config, store, secrets }: { readonly config: Config; readonly store: Store; readonly secrets: Secrets },
  { kind, name: server }: Server,
  isDraining: boolean,
): Promise<void> {
  const by = whoTypes();
  await attestOnce(config, store, secrets, {
    fact: isDraining ? 'serverDrained' : 'serverUndrained',
    kind,
    server,
    by,
  });
  store.servers.order({ kind, server, isDraining, at: instant(Date.now()), author: by });
}

async function isInForce(config: Config, server: Server, isDraining: boolean): Promise<boolean> {
  const until = performance.now() + IN_FORCE_WITHIN_MS;
  do {
    if ((await askServers(adminOf(config)))?.get(keyOf(server))?.isDraining === isDraining) return true;
    await sleep(LOOK_EVERY_MS);
  } while (performance.now() < until);
  return false;
}

/** After waiting for the last one; null: the house does not say. */
async function legsLeft(config: Config, server: Server, waitMs: number): Promise<number | null> {
  const until = performance.now() + waitMs;
  for (;;) {
    const legs = (await askServers(adminOf(config)))?.get(keyOf(server))?.legs ?? null;
    if (legs === 0 || performance.now() >= until) return legs;
    await sleep(LOOK_EVERY_MS);
  }
}

function waitOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const seconds = Number(text);
  if (!/^\d{1,6}$/.test(text) || seconds > 86_400) {
    throw new Refusal(`--wait ${text}: must be a number of seconds from 0 to 86400`, 2);
  }
  return seconds * 1000;
}

function keyOf({ kind, name }: Pick<Server, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}
