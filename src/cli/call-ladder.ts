import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { PortError } from '../engine/ports.ts';
import type { LadderAnswer, LadderQuestion } from '../sipd/options.ts';
import { controlTls, readSecret } from '../telephony/index.ts';
import { serverNameOf } from '../telephony/options.ts';
import type { Secrets } from '../vault/index.ts';
import { askControlPort, type ControlPort } from './ask-control-port.ts';
import { dataFolders } from './folders.ts';
import { houseSecrets } from './house-secrets.ts';
import { Refusal } from './report.ts';
import type { DaemonRecord } from './supervise/launch-plan.ts';
import { isAlive } from './supervise/processes.ts';
import { readJson } from './supervise/run-files.ts';

/** What one signalling server answered. */
export interface ServerLadder {
  readonly server: string;
  /** A sentence about the server when there is no answer. */
  readonly answer: LadderAnswer | string;
}

interface Asked {
  readonly name: string;
  readonly at: ControlPort;
  readonly secret: string;
}

const withinMs = 10_000;
/** More than a thousand messages of the longest kind. */
const maxBytes = 64 * 1024 * 1024;

/** Asks every signalling server of the house what it remembers. Rejects with Refusal when nobody can be asked. */
export async function askForLadder(config: Config, question: LadderQuestion): Promise<readonly ServerLadder[]> {
  const servers = config.signalling.servers.length === 0 ? [await ownSipd(config)] : elsewhere(config);
  return Promise.all(
    servers.map(async ({ name, at, secret }) => {
      const asks = [`ladder\r\n${JSON.stringify(question)}`];
      const answer = await askControlPort(at, secret, { asks, withinMs, maxBytes });
      return {
        server: name,
        answer: answer.kind === 'silent' ? silence(name, answer.why) : said(name, answer.replies[1]),
      };
    }),
  );
}

function said(
  name: string,
  reply: { readonly says: string; readonly body: string } | undefined,
): LadderAnswer | string {
  if (reply?.says === 'OK|ladder') return JSON.parse(reply.body) as LadderAnswer;
  // drachtio-server's words for a command that it does not know.
  if (reply?.says.startsWith('NO|') !== false)
    return `${name} keeps no ladder, for it is not our own sipd: its log may say more`;
  return `${name}: ${reply.says.slice('NOK|'.length)}`;
}

function silence(name: string, why: string): string {
  return `${name} was not heard (${why}): "wardline doctor" says more`;
}

async function ownSipd(config: Config): Promise<Asked> {
  const folders = dataFolders(config.data);
  const record = readJson(join(folders.run, 'sipd.json')) as DaemonRecord | null;
  if (record === null || !isAlive(record.pid, record.startedTicks)) {
    throw new Refusal(
      'sipd does not run, and it remembers messages only while it does: "wardline up" starts the house',
    );
  }
  const { host, port } = record.ready['control'] as { host: string; port: number };
  const { controlSecret }: Secrets = await houseSecrets(folders);
  return { name: 'sipd', at: { host, port, tls: null }, secret: controlSecret };
}

function elsewhere({ signalling }: Config): readonly Asked[] {
  return signalling.servers.map((server) => {
    const name = serverNameOf(server);
    try {
      const { host, port } = server;
      const secret = readSecret(`signalling server ${name}`, server);
      return { name, at: { host, port, tls: controlTls(server) }, secret };
    } catch (error) {
      throw error instanceof PortError ? new Refusal(error.message) : error;
    }
  });
}
