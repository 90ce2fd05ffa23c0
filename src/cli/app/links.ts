import { join } from 'node:path';
import { type Config, listenPortOf } from '../../config/index.ts';
import { readSecret } from '../../telephony/index.ts';
import { serverNameOf, type TelephonyOptions, telephonySchema } from '../../telephony/options.ts';
import type { Secrets } from '../../vault/index.ts';
import { isWellKnown } from '../doctor/bad-secrets.ts';
import { dataFolders } from '../folders.ts';
import { Refusal } from '../report.ts';
import { promptFolders, promptsRoot } from '../supervise/daemon-options.ts';
import type { DaemonRecord } from '../supervise/launch-plan.ts';
import { readJson } from '../supervise/run-files.ts';

/** Our own daemons, as they said themselves when they got ready; null where servers of somebody else take their place. */
export interface Links {
  /** `sip`: "udp/0.0.0.0:5060" */
  readonly sipd: { readonly controlPort: number; readonly sip: readonly string[] } | null;
  readonly mediad: { readonly eventSocketPort: number } | null;
}

export function readLinks(config: Config): Links {
  const { run } = dataFolders(config.data);
  const ready = (name: string) => (readJson(join(run, `${name}.json`)) as DaemonRecord).ready as unknown;
  let [sipd, mediad]: [Links['sipd'], Links['mediad']] = [null, null];
  if (config.signalling.servers.length === 0) {
    const said = ready('sipd') as { control: { port: number }; sip: readonly string[] };
    sipd = { controlPort: said.control.port, sip: said.sip };
  }
  if (config.media.servers.length === 0) {
    const said = ready('mediad') as { eventSocket: { port: number } };
    mediad = { eventSocketPort: said.eventSocket.port };
  }
  return { sipd, mediad };
}

export function telephonyOptions(config: Config, secrets: Secrets, links: Links): TelephonyOptions {
  const { realm, minExpires, maxExpires, maxContacts, probeSeconds, requireSrtp, digests } = config.sip;
  return telephonySchema.parse({
    signalling: {
      servers: signallingServers(config, secrets, links),
      openInvites: join(dataFolders(config.data).run, 'open-invites'),
      talks: join(dataFolders(config.data).run, 'talks'),
    },
    media: {
      servers: mediaServers(config, secrets, links),
      promptsDirs: promptFolders,
      promptsRoot,
      recordings: dataFolders(config.data).messages,
    },
    sip: { realm, minExpires, maxExpires, maxContacts, probeSeconds, requireSrtp, digests },
    trunks: config.trunks,
  });
}

/** A house does not start on a server that everybody can steer. Throws Refusal, or PortError for what cannot be read. */
export function refuseWellKnownSecrets(options: Pick<TelephonyOptions, 'signalling' | 'media'>): void {
  for (const kind of ['signalling', 'media'] as const) {
    for (const server of options[kind].servers) {
      const name = `${kind} server ${serverNameOf(server)}`;
      const secret = readSecret(name, server);
      if (!isWellKnown(secret)) continue;
      const remedy = 'give it one of its own there and as its secretFile here (openssl rand -hex 32)';
      throw new Refusal(`${name}: its secret is the well-known ${secret}: ${remedy}`);
    }
  }
}

function signallingServers(config: Config, { controlSecret }: Secrets, { sipd }: Links): readonly object[] {
  if (sipd === null) return config.signalling.servers;
  return [{ name: 'sipd', host: '127.0.0.1', port: sipd.controlPort, secret: controlSecret }];
}

function mediaServers(config: Config, { eventSocketSecret }: Secrets, { mediad }: Links): readonly object[] {
  const { servers, listenPort } = config.media;
  if (mediad === null) {
    return servers.map((server, i) => ({ ...server, listenPort: listenPortOf(servers, i, listenPort) }));
  }
  return [
    {
      name: 'mediad',
      kind: 'mediad',
      host: '127.0.0.1',
      port: mediad.eventSocketPort,
      secret: eventSocketSecret,
      listenPort,
    },
  ];
}
