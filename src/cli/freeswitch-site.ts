import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import path from 'node:path';
import { parseEndpoint } from '../config/index.ts';
import { makeFolder } from './make-folder.ts';
import { Refusal } from './report.ts';

/** As typed. */
export interface SiteOptions {
  readonly eventSocket: string;
  readonly sip: string;
  readonly rtp: string;
  readonly advertise?: string;
  readonly rtpPorts: string;
  readonly app: string;
  readonly music: string;
}

/** 256 bits, as every other secret of a house. */
const SECRET_BYTES = 32;
const SECRET_FORM = /^[A-Za-z0-9_-]{43}$/;

/**
 * Makes the folder with the secret, the site file and the folders that FreeSWITCH writes into. A secret that is there is
 * kept: the app has it. Throws Refusal for what cannot be.
 */
export function writeSite(folder: string, options: SiteOptions) {
  const place = path.resolve(folder);
  if (!FREE_OF_MEANING.test(place))
    throw new Refusal(`${place}: use a folder whose name has only letters, digits and . _ -`);
  const variables = variablesOf(options);
  try {
    // FreeSWITCH writes the whole configuration, with its secret, into the folder of its log.
    for (const name of ['log', 'db', 'run']) makeFolder(path.join(place, name));
    const secretFile = path.join(place, 'event-socket.secret');
    const secret = secretIn(secretFile);
    const file = path.join(place, 'site.xml');
    write(file, siteText({ ...variables, event_socket_secret: secret, event_socket_module: 'mod_event_socket' }));
    return { place, file, secretFile };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Refusal(`${place} cannot be written (${code}): check who owns it, and the disk`);
  }
}

/** What FreeSWITCH and its preprocessor take as it is. */
const FREE_OF_MEANING = /^[A-Za-z0-9/._-]+$/;

function variablesOf(options: SiteOptions): Readonly<Record<string, string | number>> {
  const eventSocket = endpoint('--event-socket', options.eventSocket);
  const sip = endpoint('--sip', options.sip);
  const [, first = 0, last = 0] = (/^(\d{1,5})-(\d{1,5})$/.exec(options.rtpPorts) ?? []).map(Number);
  if (first < 1024 || last > 65_535 || last - first < 9) {
    throw new Refusal(`--rtp-ports ${options.rtpPorts}: must read first-last, at least ten ports above 1023`, 2);
  }
  if (!FREE_OF_MEANING.test(options.music)) {
    throw new Refusal(`--music ${options.music}: use a folder whose name has only letters, digits and . _ -`, 2);
  }
  const app = address('--app', options.app);
  return {
    app_cidr: `${app}/32`,
    app_host_pattern: app.replaceAll('.', '\\.'),
    event_socket_ip: eventSocket.host,
    event_socket_port: eventSocket.port,
    sip_ip: sip.host,
    sip_port: sip.port,
    rtp_ip: address('--rtp', options.rtp),
    rtp_advertise: address('--advertise', options.advertise ?? options.rtp),
    rtp_first: first,
    rtp_last: last,
    music: path.resolve(options.music),
  };
}

function siteText(variables: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(variables).map(
    ([name, value]) => `  <X-PRE-PROCESS cmd="set" data="${name}=${value}"/>`,
  );
  return ['<include>', ...lines, '</include>', ''].join('\n');
}

function secretIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const made = randomBytes(SECRET_BYTES).toString('base64url');
    write(file, `${made}\n`);
    return made;
  }
  if (!SECRET_FORM.test(text)) throw new Refusal(`${file} is damaged: remove it, and a new secret is made`);
  return text;
}

/** Beside and renamed, so that nobody reads half of it. */
function write(file: string, text: string): void {
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, file);
}

function endpoint(option: string, text: string): { readonly host: string; readonly port: number } {
  const found = parseEndpoint(text);
  if (found === null || found.port === 0) throw new Refusal(`${option} ${text}: must read address:port`, 2);
  if (['0.0.0.0', '::'].includes(found.host)) {
    throw new Refusal(`${option} ${text}: never on all addresses: only the app may reach it`, 2);
  }
  return found;
}

function address(option: string, text: string): string {
  if (!isIPv4(text) || text === '0.0.0.0')
    throw new Refusal(`${option} ${text}: must be an IPv4 address of one machine`, 2);
  return text;
}
