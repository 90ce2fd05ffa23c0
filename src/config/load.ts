import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { type Checked, check } from './check.ts';
import { parseEndpoint, parseListen, type Transport } from './endpoint.ts';
import { type Layer, type Path, readEnvironmentLayer, readFileLayer, readSetLayer } from './layers.ts';
import { type Config, configSchema } from './schema.ts';
import { schemaAt, knownKeys } from './schema-walk.ts';
import { listenPortOf, serverProblems } from './servers.ts';

/** Where values come from, weakest first: the file, the environment, `--set`; `--data` is short for `--set data=`. */
export interface Sources {
  readonly file?: string;
  readonly set: readonly string[];
  readonly data?: string;
  /** Folders that count when nothing else names them; absolute. */
  readonly before?: Readonly<Record<string, string>>;
}

const FOLDERS = ['data', 'dialplans', 'oncall'] as const;
/** Read when it exists and no other file was named. */
const USUAL_FILE = 'wardline.yaml';

/** The folder that Wardline was cloned or installed into; the default folders lie there. */
export const installedIn = fileURLToPath(new URL('../..', import.meta.url));

/** One frozen, checked value from file, environment and command line, or every problem with its place. */
export function loadConfig(sources: Sources, environment: NodeJS.ProcessEnv = process.env): Checked<Config> {
  const file = sources.file ?? (existsSync(USUAL_FILE) ? USUAL_FILE : null);
  const layers: Layer[] = [
    readSetLayer(Object.entries(sources.before ?? {}).map(([key, value]) => `${key}=${value}`)),
    ...(file === null ? [] : [fromItsFolder(readFileLayer(file), dirname(file))]),
    fromItsFolder(readEnvironmentLayer(environment, spellAsKnown), '.'),
    fromItsFolder(readSetLayer([...sources.set, ...(sources.data === undefined ? [] : [`data=${sources.data}`])]), '.'),
  ];
  const checked = check(configSchema, layers);
  if (checked.kind === 'bad') return checked;
  const problems = contradictions(checked.value);
  if (problems.length > 0) return { kind: 'bad', problems };
  const value: Config = { ...checked.value };
  for (const key of FOLDERS) value[key] = resolve(installedIn, value[key]);
  return { kind: 'good', value: freeze(value) };
}

/** A relative folder means: from the file that names it, or from where the command was typed. */
function fromItsFolder(layer: Layer, base: string): Layer {
  if (layer.kind === 'broken') return layer;
  const isFolder = (path: Path) => path.length === 1 && FOLDERS.some((key) => key === path[0]);
  const settings = layer.settings.map((setting) => {
    const typed = setting.text ?? setting.value;
    if (!isFolder(setting.path) || typeof typed !== 'string' || typed === '' || isAbsolute(typed)) return setting;
    const absolute = resolve(join(base, typed));
    return { ...setting, value: absolute, ...(setting.text === undefined ? {} : { text: absolute }) };
  });
  return { kind: 'read', settings };
}

/** SIP, CONTROLPORT or CONTROL_PORT: the known key that reads the same without case and underscores, else lower case. */
function spellAsKnown(words: readonly string[]): Path {
  const path: string[] = [];
  for (const word of words) {
    const parent: z.core.$ZodType | null = schemaAt(configSchema, path);
    const keys = parent === null ? [] : Object.keys(knownKeys(parent) ?? {});
    const plain = word.replaceAll('_', '').toLowerCase();
    path.push(keys.find((key) => key.toLowerCase() === plain) ?? word.toLowerCase());
  }
  return path;
}

/** What no single key is wrong about. */
function contradictions(config: Config): string[] {
  const problems = [
    ...serverProblems('signalling.servers', config.signalling.servers),
    ...serverProblems('media.servers', config.media.servers),
  ];
  const { rtpFirst, rtpLast } = config.media;
  const hasOwnMedia = config.media.servers.length === 0;
  if (hasOwnMedia && rtpLast - rtpFirst < 9) {
    problems.push(
      `configuration: media.rtpLast: fewer than ten ports after media.rtpFirst ${rtpFirst}: give a wider range`,
    );
  }
  problems.push(...tlsProblems(config), ...mailProblems(config), ...transcriptionProblems(config));
  const uses = portsOf(config);
  for (const [i, use] of uses.entries()) {
    if (use.port === 0) continue;
    const other = uses.slice(0, i).find((one) => isSamePort(one, use));
    if (other)
      problems.push(
        `configuration: ${use.key}: ${use.transport} port ${use.port} is also in ${other.key}: give each its own`,
      );
    if (hasOwnMedia && use.transport === 'udp' && use.port >= rtpFirst && use.port <= rtpLast) {
      problems.push(
        `configuration: ${use.key}: ${use.port} lies between media.rtpFirst and media.rtpLast: move one of them`,
      );
    }
  }
  return problems;
}

interface PortUse {
  readonly key: string;
  readonly transport: Transport;
  readonly port: number;
  /** Absent: whichever address it is on, nobody else of ours is to have the port. */
  readonly host?: string;
}

function isSamePort(one: PortUse, other: PortUse): boolean {
  if (one.port !== other.port || socketOf(one) !== socketOf(other)) return false;
  const [a, b] = [one.host, other.host];
  if (a === undefined || b === undefined || a === b) return true;
  // All addresses of IPv4, and all of IPv6, include each of their kind.
  const isAny = [a, b].some((host) => host === '0.0.0.0' || host === '::');
  return isAny && a.includes(':') === b.includes(':');
}

/** Everything but UDP is a port of TCP. */
function socketOf({ transport }: PortUse): 'udp' | 'tcp' {
  return transport === 'udp' ? 'udp' : 'tcp';
}

function tlsProblems({ sip, signalling }: Config): string[] {
  const { certificate, key, authorities, clientCertificates } = sip.tls;
  if ((certificate === '') !== (key === '')) {
    return ['configuration: sip.tls: certificate and key belong together: give the PEM files of both'];
  }
  const encrypted = sip.listen.find((text) => ['tls', 'wss'].includes(parseListen(text)?.transport ?? ''));
  if (encrypted !== undefined && certificate === '' && signalling.servers.length === 0) {
    return [`configuration: sip.listen: ${encrypted} needs sip.tls.certificate and sip.tls.key: give the PEM files`];
  }
  if (clientCertificates === 'required' && authorities === '') {
    return ['configuration: sip.tls.authorities: needed to check the certificates of clients: give a PEM file'];
  }
  return [];
}

function mailProblems({ mail }: Config): string[] {
  const { host, from, user, passwordFile, security } = mail;
  if (host !== '' && from === '')
    return ['configuration: mail.from: needed to send e-mail: give an address of the house'];
  if ((user === '') !== (passwordFile === '')) {
    return ['configuration: mail: user and passwordFile belong together: give both, or neither'];
  }
  if (security === 'none' && user !== '') {
    return ['configuration: mail.security: without TLS everybody could read the password: use starttls or tls'];
  }
  return [];
}

function transcriptionProblems({ transcription: { command, url } }: Config): string[] {
  if (command.length === 0 || url === '') return [];
  return ['configuration: transcription: a command and a url: give one of them'];
}

/** Every port of ours that is taken, except those for sound. */
function portsOf(config: Config): readonly PortUse[] {
  const { signalling, media, sip, admin } = config;
  const ofSipd = [
    ...sip.listen.flatMap((text) => {
      const listen = parseListen(text);
      return listen === null ? [] : [{ key: 'sip.listen', ...listen }];
    }),
    { key: 'signalling.port', transport: 'tcp', port: signalling.port } as const,
    { key: 'signalling.metricsPort', transport: 'tcp', port: signalling.metricsPort } as const,
  ];
  const mediaSip = parseEndpoint(media.sip)?.port ?? 0;
  const ofMediad = [
    { key: 'media.port', transport: 'tcp', port: media.port },
    { key: 'media.metricsPort', transport: 'tcp', port: media.metricsPort },
    { key: 'media.sip', transport: 'udp', port: mediaSip },
    { key: 'media.sip', transport: 'tcp', port: mediaSip },
    { key: 'media.listenPort', transport: 'tcp', port: media.listenPort },
  ] as const;
  const forServers = media.servers.map((_, i) => {
    const port = listenPortOf(media.servers, i, media.listenPort);
    return { key: `media.servers.${i}.listenPort`, transport: 'tcp', port } as const;
  });
  return [
    ...(signalling.servers.length === 0 ? ofSipd : []),
    ...(media.servers.length === 0 ? ofMediad : forServers),
    { key: 'admin.listen', transport: 'tcp', port: Number(admin.listen.split(':').at(-1)) },
  ];
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part);
    Object.freeze(value);
  }
  return value;
}
