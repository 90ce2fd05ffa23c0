import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/index.ts';
import { askForAll } from '../ask-media-server.ts';
import { drachtioFindings } from './drachtio-file.ts';
import type { Finding } from './finding.ts';
import { freeswitchFindings } from './freeswitch-faults.ts';
import { alsoReachedAt, isHere, isLoopback } from './reach.ts';
import { versionFault } from './versions.ts';

// What a server is configured with, beside whether it answers: from its files where they are on this machine, from itself,
// and by knocking at the doors that should be shut.

const ANSWERS_WITHIN_MS = 5_000;

type SignallingServer = Config['signalling']['servers'][number];
type MediaServer = Config['media']['servers'][number];

/** `secret`: null when it cannot be read; then the server is not asked. */
export async function freeswitchConfiguration(
  check: string,
  server: MediaServer,
  secret: string | null,
): Promise<readonly Finding[]> {
  if (server.kind !== 'freeswitch') return doors(check, server, 'event socket', false);
  const commands = ['version', 'global_getvar conf_dir', 'global_getvar site'];
  const answer = secret === null ? null : await askForAll(server, secret, commands, ANSWERS_WITHIN_MS);
  const [version = '', folder = '', site = ''] = answer?.kind === 'answers' ? answer.said.map((one) => one.trim()) : [];
  return [
    ...oldVersion(check, version),
    ...(await doors(check, server, 'event socket', false)),
    ...filesOf(check, server, { folder, site }),
  ];
}

export async function drachtioConfiguration(check: string, server: SignallingServer): Promise<readonly Finding[]> {
  const files = server.config === undefined ? [] : named(check, drachtioFindings(server.config));
  return [...(await doors(check, server, 'control port', server.tls)), ...files];
}

/** The folder that the configuration names; without one, that of which a server on this machine says that it uses it. */
function filesOf(
  check: string,
  server: MediaServer,
  said: { readonly folder: string; readonly site: string },
): readonly Finding[] {
  // In a container beside this one it answers here, and has files of its own.
  const isReadable =
    isHere(server.host) && said.folder.startsWith('/') && existsSync(join(said.folder, 'freeswitch.xml'));
  const folder = server.config ?? (isReadable ? said.folder : null);
  if (folder === null) {
    const says = 'its configuration folder was not looked at: it is not known here';
    const remedy = 'name it as `config` of the server, or run "wardline freeswitch check FOLDER" where it lies';
    return [{ check, state: 'note', says, remedy }];
  }
  const site = said.site.startsWith('/') ? said.site : undefined;
  return named(check, freeswitchFindings(folder, site)).map((finding) => {
    return finding.state === 'good' ? finding : { ...finding, says: `${finding.says} (${folder})` };
  });
}

/** Whoever reaches it and knows the secret owns every conversation; whoever hears it learns the secret. */
async function doors(
  check: string,
  { host, port }: { readonly host: string; readonly port: number },
  what: string,
  isEncrypted: boolean,
): Promise<readonly Finding[]> {
  const other = await alsoReachedAt(host, port);
  if (other !== null) {
    const says = `its ${what} answers on ${other}:${port} too: it listens on all addresses`;
    return [{ check, state: 'bad', says, remedy: 'let it listen on 127.0.0.1, or on the one address of a tunnel' }];
  }
  if (isLoopback(host) || isEncrypted) return [];
  const says = `the secret goes to ${host}:${port} in clear`;
  return [{ check, state: 'note', says, remedy: `a tunnel between both machines (WireGuard, ssh -L) for its ${what}` }];
}

function oldVersion(check: string, version: string): readonly Finding[] {
  const fault = versionFault('FreeSWITCH', version);
  return fault === null ? [] : [{ check, state: 'bad', says: `it ${fault}`, remedy: 'install a newer one' }];
}

function named(check: string, findings: readonly Finding[]): readonly Finding[] {
  return findings.map((finding) => ({ ...finding, check: `${check}, ${finding.check}` }));
}
