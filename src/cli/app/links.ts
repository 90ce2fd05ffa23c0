import { join } from 'node:path';
import { type Config, parseListen } from '../../config/index.ts';
import { type TelephonyOptions, telephonySchema } from '../../telephony/options.ts';
import type { Secrets } from '../../vault/index.ts';
import { dataFolders } from '../folders.ts';
import { promptFolders } from '../supervise/daemon-options.ts';
import type { DaemonRecord } from '../supervise/launch-plan.ts';
import { readJson } from '../supervise/run-files.ts';

/** Where the daemons are, as they said themselves when they got ready. */
export interface Links {
  readonly controlPort: number;
  readonly eventSocketPort: number;
  /** "udp/0.0.0.0:5060" */
  readonly sip: readonly string[];
}

export function readLinks(run: string): Links {
  const sipd = (readJson(join(run, 'sipd.json')) as DaemonRecord).ready as unknown as {
    control: { port: number };
    sip: readonly string[];
  };
  const mediad = (readJson(join(run, 'mediad.json')) as DaemonRecord).ready as unknown as {
    eventSocket: { port: number };
  };
  return { controlPort: sipd.control.port, eventSocketPort: mediad.eventSocket.port, sip: sipd.sip };
}

export function telephonyOptions(config: Config, secrets: Secrets, links: Links): TelephonyOptions {
  const { realm, minExpires, maxExpires, maxContacts, probeSeconds, digests } = config.sip;
  return telephonySchema.parse({
    signalling: { port: links.controlPort, secret: secrets.controlSecret },
    media: {
      port: links.eventSocketPort,
      secret: secrets.eventSocketSecret,
      listenPort: config.media.listenPort,
      promptsDirs: promptFolders,
      recordingsDir: dataFolders(config.data).messages,
    },
    sip: { realm, minExpires, maxExpires, maxContacts, probeSeconds, digests },
    trunks: config.trunks,
  });
}

/** The address a softphone is given: one that listens on every address is reached by the advertised one. */
export function reachable(text: string, advertised: string): { transport: 'udp' | 'tcp'; address: string } {
  const listen = parseListen(text);
  if (listen === null) return { transport: 'udp', address: text };
  const isAny = listen.host === '0.0.0.0' || listen.host === '::';
  return { transport: listen.transport, address: hostAndPort(`${isAny ? advertised : listen.host}:`, listen.port) };
}

export function hostAndPort(listen: string, port: number): string {
  return `${listen.slice(0, listen.lastIndexOf(':'))}:${port}`;
}
