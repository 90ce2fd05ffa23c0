import { z } from 'zod';
import {
  type MediaServerOptions,
  mediaServerSchema,
  serverNameOf,
  type SignallingServerOptions,
  signallingServerSchema,
} from '../telephony/options.ts';

const signalling = signallingServerSchema.shape;
const media = mediaServerSchema.shape;

const common = {
  host: signalling.host.describe('Address or name of the server.'),
  name: signalling.name.describe('What logs, metrics and /readyz call it. None: `host:port`.'),
  secretFile: signalling.secretFile.describe('File whose first line is the secret shared with it.'),
  secret: signalling.secret.describe('The secret itself; `secretFile` is better, and wins.'),
  weight: signalling.weight.describe('Share of new calls; 0: only when no other server can take them.'),
  draining: signalling.draining.describe(
    'No new calls for it while another can take them; `wardline servers` changes it.',
  ),
};

export const signallingServers = z
  .array(
    z.strictObject({
      ...common,
      config: signalling.config.describe('Its own drachtio.conf.xml, for `wardline doctor` to look through.'),
      port: signalling.port.describe('Its control port.'),
      tls: signalling.tls.describe('TLS on the control connection, with its certificate verified.'),
      tlsCa: signalling.tlsCa.describe('PEM file of the authority that signed the certificate.'),
      tlsName: signalling.tlsName.describe('Name in the certificate where it is not `host`.'),
    }),
  )
  .max(16);

export const mediaServers = z
  .array(
    z.strictObject({
      ...common,
      kind: media.kind.describe('What it is; `mediad` is our own, started by hand.'),
      config: media.config.describe(
        'Folder of its own configuration, for `wardline doctor` to look through. None: the server is asked for it.',
      ),
      port: media.port.describe('Its event socket.'),
      profile: media.profile.describe('Its SIP profile for our legs.'),
      listenHost: media.listenHost.describe('Address here on which the app waits for the server to dial back.'),
      listenPort: media.listenPort.describe(
        'Port for that. None: `media.listenPort` for the first server, one more for each after it.',
      ),
      advertise: media.advertise.describe('What the server dials where that is not `listenHost`.'),
      prompts: media.prompts.describe('Folder `src/mediad/prompts` as the server sees it. None: the same path.'),
      plain: media.plain.describe(
        'FreeSWITCH: folder in memory (tmpfs) that it records to, and from which messages are sealed. None: no voicemail.',
      ),
      recordings: media.recordings.describe(
        'Folder that it records to, as the server sees it. None: the same path as `plain`; for mediad `voicemail` of `data`.',
      ),
    }),
  )
  .max(16);

type Servers = readonly (SignallingServerOptions | MediaServerOptions)[];

/** What no single key of a list of servers is wrong about. */
export function serverProblems(key: 'signalling.servers' | 'media.servers', servers: Servers): readonly string[] {
  if (servers.length > 0 && servers.every(({ draining }) => draining)) {
    return [`configuration: ${key}: all of them are draining: no call would be taken; let one take calls`];
  }
  return servers.flatMap((server, i) => {
    const at = `configuration: ${key}.${i}`;
    const before = servers.slice(0, i);
    const problems: string[] = [];
    if (server.secret === undefined && server.secretFile === undefined) {
      problems.push(`${at}: has no secret: give secretFile, a file whose first line is the secret of ${server.host}`);
    }
    if (before.some(({ host, port }) => host === server.host && port === server.port)) {
      problems.push(`${at}: ${server.host}:${server.port} is there twice: take one out, or correct its port`);
    } else if (before.some((other) => serverNameOf(other) === serverNameOf(server))) {
      problems.push(`${at}: another server is called ${serverNameOf(server)} too: give each a name of its own`);
    }
    if ('listenHost' in server && /^(0\.0\.0\.0|::)$/.test(server.listenHost) && server.advertise === undefined) {
      problems.push(`${at}.advertise: needed, because listenHost is ${server.listenHost}: what shall the server dial?`);
    }
    return problems;
  });
}

/** The port on which the app waits for media server `i`; 0: any free one. */
export function listenPortOf(servers: readonly MediaServerOptions[], i: number, first: number): number {
  return servers[i]?.listenPort ?? (first === 0 ? 0 : first + i);
}
