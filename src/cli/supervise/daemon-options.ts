import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { type Config, installedIn, parseEndpoint, parseListen } from '../../config/index.ts';
import type { z } from 'zod';
import type { mediadOptions as mediadSchema } from '../../mediad/options.ts';
import type { SipdOptionsInput } from '../../sipd/options.ts';
import type { Secrets } from '../../vault/index.ts';
import { controlFrame } from '../ask-control-port.ts';
import { dataFolders } from '../folders.ts';
import { version } from '../version.ts';
import type { DaemonPlan, Pin } from './launch-plan.ts';

export const promptsRoot = join(installedIn, 'src/mediad/prompts');

/** The folders of prompts: voices by language, and music. */
export const promptFolders = ['en/wardline', 'en/asterisk-core-sounds', 'music'].map((name) => join(promptsRoot, name));

/** What a waiting caller and a leg on hold hear. */
const holdMusic = join(promptsRoot, 'music/8000/hold.wav');

/** Our own daemons and how each is started; none where the configuration names servers in its place. */
export function daemonPlans(config: Config, secrets: Secrets, advertised: string): readonly DaemonPlan[] {
  const { run } = dataFolders(config.data);
  const plan = (
    name: DaemonPlan['name'],
    options: object,
    pins: readonly Pin[],
    more: Pick<DaemonPlan, 'watch' | 'spoken'>,
  ): DaemonPlan => {
    const optionsFile = join(run, `${name}.options.json`);
    const digest = createHash('sha256')
      .update(JSON.stringify([version(), process.version, options]))
      .digest('hex');
    return { name, script: join(installedIn, 'src', name, 'main.ts'), optionsFile, options, digest, pins, ...more };
  };
  const mediad = () => {
    const pins: readonly Pin[] = [
      { option: ['eventSocket', 'port'], ready: ['eventSocket', 'port'] },
      { option: ['sip', 'port'], ready: ['sip'] },
    ];
    const hello = `auth ${secrets.eventSocketSecret}\n\n`;
    return plan('mediad', mediadOptions(config, secrets, advertised), pins, {
      watch: { ready: 'eventSocket', hello, question: 'api version\n\n' },
      spoken: [
        ['options sip.host, sip.port', '--set media.sip=ADDRESS:PORT'],
        ['options eventSocket.host, eventSocket.port', '--set media.port=PORT'],
      ],
    });
  };
  const sipd = () => {
    const pins: readonly Pin[] = [
      { option: ['control', 'port'], ready: ['control', 'port'] },
      ...config.sip.listen.map((_, i) => ({ option: ['sip', i, 'port'], ready: ['sip', i] })),
    ];
    const hello = controlFrame(`watch|authenticate|${secrets.controlSecret}|`);
    return plan('sipd', sipdOptions(config, secrets, advertised), pins, {
      watch: { ready: 'control', hello, question: controlFrame('watch|ping') },
      spoken: [['set control.port to another port', 'choose another with --set signalling.port=PORT']],
    });
  };
  return [
    ...(config.media.servers.length === 0 ? [mediad()] : []),
    ...(config.signalling.servers.length === 0 ? [sipd()] : []),
  ];
}

function sipdOptions(config: Config, secrets: Secrets, advertised: string): SipdOptionsInput {
  return {
    sip: listens(config).map(({ transport, host, port }) => ({ protocol: transport, host, port })),
    advertisedHost: advertised,
    ...tlsOptions(config),
    webOrigins: config.sip.webOrigins,
    limits: { ...config.sip.limits, trusted: trusted(config) },
    ladder: config.sip.ladder,
    hep: config.sip.hep,
    control: { host: '127.0.0.1', port: config.signalling.port },
    secret: secrets.controlSecret,
    stateFile: join(dataFolders(config.data).run, 'sipd.dialogs'),
    ...(config.signalling.metricsPort === 0 ? {} : { metrics: { port: config.signalling.metricsPort } }),
  };
}

/** Trunks and media servers bring many calls each, and are known by their addresses. */
function trusted({ sip, trunks, media }: Config): string[] {
  const carriers = Object.values(trunks).flatMap(({ allowFrom }) => allowFrom.map((from) => from.replace(/:\d+$/, '')));
  return [...sip.limits.trusted, ...carriers, ...media.servers.map(({ host }) => host)].filter(isAddressOrRange);
}

function isAddressOrRange(text: string): boolean {
  return isIP(text.split('/')[0] ?? '') !== 0;
}

function tlsOptions({ sip: { tls } }: Config): Pick<SipdOptionsInput, 'tls'> {
  if (tls.certificate === '') return {};
  const { certificate, key, authorities, clientCertificates } = tls;
  const more = authorities === '' ? {} : { authorities: resolve(authorities) };
  return { tls: { certificate: resolve(certificate), key: resolve(key), clientCertificates, ...more } };
}

function mediadOptions(config: Config, secrets: Secrets, advertised: string): z.input<typeof mediadSchema> {
  const hosts = new Set(listens(config).map(({ host }) => host));
  const [only] = hosts;
  return {
    eventSocket: { host: '127.0.0.1', port: config.media.port, secret: secrets.eventSocketSecret },
    sip: parseEndpoint(config.media.sip) ?? {},
    rtp: {
      // Phones that are served on one address only get their sound there too.
      bindAddress: hosts.size === 1 && only !== undefined ? only : '0.0.0.0',
      advertisedAddress: config.media.advertise === '' ? advertised : config.media.advertise,
      portsFrom: config.media.rtpFirst,
      portsTo: config.media.rtpLast,
    },
    // Ours, so that two legs of a call agree on G.711 whenever both can and nothing is transcoded.
    codecOrder: 'ours',
    // The pieces of `say` are looked for by language.
    promptFolders: [...promptFolders, promptsRoot],
    holdMusic,
    recordingsFolder: dataFolders(config.data).messages,
    // Whoever records without saying for whom; the app always says it. No private key ever comes here.
    sealTo: config.voicemail.escrow,
    ...(config.media.metricsPort === 0 ? {} : { metrics: { port: config.media.metricsPort } }),
    speech: { cacheFolder: dataFolders(config.data).speech },
  };
}

/** What phones are told to send to: as configured, else the one address served, else the first that leads outward. */
export function advertisedAddress(config: Config): string {
  if (config.sip.advertise !== '') return config.sip.advertise;
  const hosts = new Set(listens(config).map(({ host }) => host));
  const [only] = hosts;
  if (hosts.size === 1 && only !== undefined && only !== '0.0.0.0' && only !== '::') return only;
  const outward = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  return outward?.address ?? '127.0.0.1';
}

function listens(config: Config) {
  return config.sip.listen.flatMap((text) => parseListen(text) ?? []);
}
