import { join } from 'node:path';
import { type Config, listenPortOf, parseListen } from '../../config/index.ts';
import { dataFolders } from '../folders.ts';
import { isPortFree } from '../port-free.ts';
import type { Remembered } from '../remembered.ts';
import { isAlive } from '../supervise/processes.ts';
import { readJson } from '../supervise/run-files.ts';
import type { Finding } from './finding.ts';
import { ourDaemons } from './servers.ts';

export async function processes(config: Config, before: Remembered | null): Promise<readonly Finding[]> {
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
  findings.push(...(await ourDaemons(before?.config ?? config)));
  const ready = readJson(join(run, 'ready.json')) as { admin?: string } | null;
  findings.push(await app(ready?.admin ?? before?.config.admin.listen ?? config.admin.listen, join(log, 'app.log')));
  return findings;
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
