import { lstatSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Config, installedIn, listenPortOf, parseListen } from '../config/index.ts';
import { instant } from '../core/time/index.ts';
import { PortError } from '../engine/ports.ts';
import { askMediaServer, type MediaServerAnswer } from './ask-media-server.ts';
import { dataFolders } from './folders.ts';
import { houseSecrets } from './house-secrets.ts';
import { isPortFree } from './port-free.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { missingPrompts, promptIds } from './prompt-ids.ts';
import { type Remembered, remembered } from './remembered.ts';
import { done, no, Refusal } from './report.ts';
import { checkDocuments } from './site-documents.ts';
import { siteConfig } from './site.ts';
import type { DaemonRecord } from './supervise/launch-plan.ts';
import { isAlive } from './supervise/processes.ts';
import { readJson } from './supervise/run-files.ts';

/** good; note: worth knowing, the house works; bad: something does not work, `remedy` says what to do. */
type Finding =
  | { readonly check: string; readonly state: 'good'; readonly says: string }
  | { readonly check: string; readonly state: 'note' | 'bad'; readonly says: string; readonly remedy: string };

export function doctorCommand({ command, answer }: Commands): void {
  command('doctor')
    .description('look for what does not work, with the remedy; exit code 1 if there is something')
    .action(
      answer(async (options: CommonOptions) => {
        const findings = await examine(siteConfig(options));
        const bad = findings.filter(({ state }) => state === 'bad').length;
        const words = { good: 'ok  ', note: 'note', bad: 'BAD ' };
        const text = findings.flatMap((finding) => [
          `${words[finding.state]}  ${finding.check}: ${finding.says}`,
          ...(finding.state === 'good' ? [] : [`      -> ${finding.remedy}`]),
        ]);
        const end = bad === 0 ? 'Nothing is wrong.' : `${bad} thing${bad === 1 ? ' is' : 's are'} wrong.`;
        const json = { isGood: bad === 0, findings };
        return bad === 0 ? done([...text, end], json) : no([...text, end], json);
      }),
    );
}

async function examine(config: Config): Promise<readonly Finding[]> {
  const before = remembered(config.data);
  return [
    node(),
    ...secrets(config),
    await documents(config),
    prompts(),
    ...trunks(before?.config ?? config),
    ...(await processes(config, before)),
    disk(config),
    receiveBuffer(),
    clock(),
  ];
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = major > 22 || (major === 22 && minor >= 18);
  if (isNew) return { check: 'Node', state: 'good', says: process.versions.node };
  return {
    check: 'Node',
    state: 'bad',
    says: `${process.versions.node} is too old`,
    remedy: 'start with "npm start", which brings its own, or install Node 24',
  };
}

/** The data folder may be looked into; what is secret may not be read by anybody else. */
function secrets(config: Config): readonly Finding[] {
  const folders = dataFolders(config.data);
  const mode = modeOf(config.data);
  if (mode === null) {
    const remedy = 'start the house once with "wardline up", or give the right --data';
    return [{ check: 'data folder', state: 'note', says: `${config.data} is not there yet`, remedy }];
  }
  const open = [
    folders.secrets,
    ...below(folders.secrets),
    folders.store,
    ...below(folders.run).filter((f) => f.endsWith('.json')),
  ].filter((path) => ((modeOf(path) ?? 0) & 0o077) !== 0);
  const data: Finding =
    (mode & 0o007) === 0
      ? { check: 'data folder', state: 'good', says: config.data }
      : {
          check: 'data folder',
          state: 'note',
          says: `everybody on this machine may list ${config.data}`,
          remedy: `chmod 700 ${config.data}`,
        };
  if (modeOf(folders.secrets) === null) {
    const remedy = 'restore it from a backup; without it sealed messages cannot be opened';
    return [data, { check: 'secrets', state: 'bad', says: `${folders.secrets} is missing`, remedy }];
  }
  if (open.length > 0) {
    return [
      data,
      {
        check: 'secrets',
        state: 'bad',
        says: `others can read ${open.join(', ')}`,
        remedy: `chmod go= ${open.join(' ')}`,
      },
    ];
  }
  return [data, { check: 'secrets', state: 'good', says: 'present, readable by their owner alone' }];
}

async function documents(config: Config): Promise<Finding> {
  const checked = await checkDocuments(config, instant(Date.now()));
  if (checked.kind === 'bad') {
    const [first = '', ...more] = checked.problems;
    const says = more.length === 0 ? first : `${first} (and ${more.length} more)`;
    return {
      check: 'documents',
      state: 'bad',
      says,
      remedy: 'correct the file; "wardline plan check" lists everything',
    };
  }
  const { plan, roster } = checked;
  return {
    check: 'documents',
    state: 'good',
    says: `${plan.source.routes.length} numbers, ${roster.services().length} services, ${roster.people().length} people`,
  };
}

function prompts(): Finding {
  const count = promptIds().size;
  const missing = missingPrompts();
  if (count > 0 && missing.length === 0) return { check: 'prompts', state: 'good', says: `${count} recordings` };
  const says = count === 0 ? 'there are none' : `${missing.length} missing: ${missing.slice(0, 5).join(', ')}`;
  return {
    check: 'prompts',
    state: 'bad',
    says: `${says}: callers hear nothing in their place`,
    remedy: `bring back ${join(installedIn, 'src/mediad/prompts')} (git checkout, or clone Wardline again)`,
  };
}

function trunks(config: Config): readonly Finding[] {
  const known = Object.entries(config.trunks);
  if (known.length === 0) {
    const says = 'none is configured: mobiles and outside numbers cannot be rung';
    const remedy = '--set "trunks.carrier.target=sip:HOST:PORT;transport=udp" and trunks.carrier.allowFrom=[HOST]';
    return [{ check: 'trunk', state: 'note', says, remedy }];
  }
  return known.map(([name, trunk]): Finding => {
    const check = `trunk ${name}`;
    if (trunk.target === undefined) {
      const remedy = `--set "trunks.${name}.target=sip:HOST:PORT;transport=udp"`;
      return { check, state: 'bad', says: 'has no target: nothing can be rung by it', remedy };
    }
    if (trunk.allowFrom.length === 0) {
      const remedy = `--set "trunks.${name}.allowFrom=[ADDRESS]"`;
      return { check, state: 'note', says: `${trunk.target}; it may not bring calls in`, remedy };
    }
    return { check, state: 'good', says: `${trunk.target}; calls from ${trunk.allowFrom.join(', ')}` };
  });
}

async function processes(config: Config, before: Remembered | null): Promise<readonly Finding[]> {
  const { run, log } = dataFolders(config.data);
  const supervisor = readJson(join(run, 'supervisor.json')) as { pid: number; startedTicks: string } | null;
  if (supervisor === null || !isAlive(supervisor.pid, supervisor.startedTicks)) {
    const orphans = runningParts(run);
    if (orphans.length > 0) {
      const says = `its supervisor is gone, ${orphans.join(', ')} run on: calls work, but nothing starts again what dies`;
      return [{ check: 'house', state: 'bad', says, remedy: 'npm start: takes over what runs; no talk is cut' }];
    }
    const taken = await takenPorts(before?.config ?? config);
    const down: Finding = { check: 'house', state: 'note', says: 'is not up', remedy: 'npm start (or wardline up)' };
    if (taken.length === 0) return [down, { check: 'ports', state: 'good', says: 'all free' }];
    const remedy = 'stop the other program, or choose other ports (docs/reference/configuration.md)';
    return [down, { check: 'ports', state: 'bad', says: `in use by another program: ${taken.join(', ')}`, remedy }];
  }
  const findings: Finding[] = [{ check: 'house', state: 'good', says: `is up (process ${supervisor.pid})` }];
  const running = before?.config ?? config;
  const ours = { sipd: running.signalling.servers.length === 0, mediad: running.media.servers.length === 0 };
  for (const name of ['sipd', 'mediad'] as const) {
    if (ours[name]) findings.push(await daemon(name, config, join(log, `${name}.log`)));
  }
  const ready = readJson(join(run, 'ready.json')) as { admin?: string } | null;
  findings.push(await app(ready?.admin ?? before?.config.admin.listen ?? config.admin.listen, join(log, 'app.log')));
  return findings;
}

async function daemon(name: 'sipd' | 'mediad', config: Config, log: string): Promise<Finding> {
  const folders = dataFolders(config.data);
  const record = readJson(join(folders.run, `${name}.json`)) as DaemonRecord | null;
  const port = record === null ? null : controlPort(name, record);
  const remedy = `look at ${log}`;
  if (record === null || port === null || !isAlive(record.pid, record.startedTicks)) {
    return { check: name, state: 'bad', says: 'is not running', remedy };
  }
  const where = `127.0.0.1:${port} (process ${record.pid})`;
  const answer = name === 'sipd' ? await connects(port) : await mediaServer(port, folders);
  if (answer.kind === 'silent') return { check: name, state: 'bad', says: `${where}: ${answer.why}`, remedy };
  return { check: name, state: 'good', says: `answers on ${where}${answer.says === '' ? '' : `: ${answer.says}`}` };
}

async function mediaServer(port: number, folders: ReturnType<typeof dataFolders>): Promise<MediaServerAnswer> {
  try {
    const { eventSocketSecret } = await houseSecrets(folders);
    return await askMediaServer('127.0.0.1', port, eventSocketSecret, ANSWERS_WITHIN_MS);
  } catch (error) {
    if (!(error instanceof PortError) && !(error instanceof Refusal)) throw error;
    return { kind: 'silent', why: `it was not asked: ${error.message}` };
  }
}

async function app(admin: string, log: string): Promise<Finding> {
  try {
    const response = await fetch(`http://${admin}/readyz`, { signal: AbortSignal.timeout(3000) });
    const { isReady, parts } = (await response.json()) as {
      isReady: boolean;
      parts: readonly { part: string; isGood: boolean; says: string }[];
    };
    const faults = parts.filter(({ isGood }) => !isGood).map(({ part, says }) => `${part}: ${says}`);
    if (faults.length === 0) return { check: 'app', state: 'good', says: `ready, admin server on ${admin}` };
    return { check: 'app', state: isReady ? 'note' : 'bad', says: faults.join('; '), remedy: `look at ${log}` };
  } catch (error) {
    const says = `the admin server on ${admin} does not answer (${error instanceof Error ? error.message : String(error)})`;
    return { check: 'app', state: 'bad', says, remedy: `look at ${log}` };
  }
}

/** What a supervisor that was killed has left behind. */
function runningParts(run: string): readonly string[] {
  return ['sipd', 'mediad', 'app'].filter((name) => {
    const record = readJson(join(run, `${name}.json`)) as { pid: number; startedTicks: string } | null;
    return record !== null && isAlive(record.pid, record.startedTicks);
  });
}

function controlPort(name: 'sipd' | 'mediad', { ready }: DaemonRecord): number | null {
  const place = ready[name === 'sipd' ? 'control' : 'eventSocket'] as { port?: unknown } | undefined;
  return typeof place?.port === 'number' ? place.port : null;
}

const ANSWERS_WITHIN_MS = 2_000;

function connects(port: number): Promise<MediaServerAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: ANSWERS_WITHIN_MS });
    const end = (answer: MediaServerAnswer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end({ kind: 'answers', says: '' }));
    socket.once('error', (error) => end({ kind: 'silent', why: error.message }));
    socket.once('timeout', () => end({ kind: 'silent', why: `no answer within ${ANSWERS_WITHIN_MS} ms` }));
  });
}

async function takenPorts(config: Config): Promise<readonly string[]> {
  const wanted = [
    ...(config.signalling.servers.length > 0
      ? []
      : [
          ...config.sip.listen.flatMap((text) => parseListen(text) ?? []),
          { transport: 'tcp' as const, host: '127.0.0.1', port: config.signalling.port },
        ]),
    ...(config.media.servers.length > 0
      ? config.media.servers.map((server, i) => {
          const port = listenPortOf(config.media.servers, i, config.media.listenPort);
          return { transport: 'tcp' as const, host: server.listenHost, port };
        })
      : [
          { transport: 'tcp' as const, host: '127.0.0.1', port: config.media.port },
          ...[parseListen(`udp/${config.media.sip}`) ?? []].flat(),
          { transport: 'tcp' as const, host: '127.0.0.1', port: config.media.listenPort },
        ]),
    ...[parseListen(`tcp/${config.admin.listen}`) ?? []].flat(),
  ];
  const looks = wanted.map(async (at) => ((await isPortFree(at)) ? [] : [`${at.transport} ${at.host}:${at.port}`]));
  return (await Promise.all(looks)).flat();
}

const LITTLE_BYTES = 1024 ** 3;

function disk(config: Config): Finding {
  const folder = modeOf(config.data) === null ? '.' : config.data;
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const says = `${(free / 1024 ** 3).toFixed(1)} GB free`;
  if (free > LITTLE_BYTES) return { check: 'disk', state: 'good', says };
  return { check: 'disk', state: 'bad', says, remedy: 'make room: a full disk delays the audit and stops recordings' };
}

/** What a burst of registrations needs (docs/reference): less than this loses datagrams under load. */
const WANTED_RMEM = 4 * 1024 * 1024;

function receiveBuffer(): Finding {
  const path = '/proc/sys/net/core/rmem_max';
  let max: number;
  try {
    max = Number(readFileSync(path, 'utf8'));
  } catch {
    return { check: 'UDP buffers', state: 'note', says: 'cannot be looked at here', remedy: 'none needed for a trial' };
  }
  if (max >= WANTED_RMEM) return { check: 'UDP buffers', state: 'good', says: `net.core.rmem_max is ${max}` };
  return {
    check: 'UDP buffers',
    state: 'note',
    says: `net.core.rmem_max is ${max}: many phones at once may lose datagrams`,
    remedy: `sysctl -w net.core.rmem_max=${WANTED_RMEM} (and in /etc/sysctl.d/ to keep it)`,
  };
}

function clock(): Finding {
  const now = new Date();
  const built = statSync(new URL('../../package.json', import.meta.url)).mtime;
  const isSane = now.getFullYear() >= 2026 && now.getFullYear() < 2100 && now.getTime() > built.getTime() - 86_400_000;
  if (isSane) return { check: 'clock', state: 'good', says: now.toISOString() };
  const remedy = 'set it (timedatectl set-ntp true): nobody is rung by schedule at a wrong time';
  return { check: 'clock', state: 'bad', says: `${now.toISOString()} cannot be right`, remedy };
}

function modeOf(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.mode ?? null;
}

function below(folder: string): readonly string[] {
  return modeOf(folder) === null ? [] : readdirSync(folder).map((name) => join(folder, name));
}
