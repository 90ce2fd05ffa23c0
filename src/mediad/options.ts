/** What mediad can be told. Checked once at the start; ports may be 0 for any free one. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const OUR_PROMPTS = fileURLToPath(new URL('./prompts', import.meta.url));

const port = z.number().int().min(0).max(65_535);
const ipv4 = z.ipv4();

export const mediadOptions = z.strictObject({
  eventSocket: z.strictObject({
    host: ipv4.default('127.0.0.1'),
    port: port.default(8021),
    secret: z
      .string()
      .min(16, 'the secret needs at least 16 characters')
      .max(256)
      .regex(/^[\x21-\x7e]+$/, 'the secret is printable ASCII without spaces'),
    /** Hosts that an X-esl-outbound header may name; mediad dials nobody else. */
    outboundHosts: z.array(ipv4).default(['127.0.0.1']),
  }),
  sip: z
    .strictObject({
      host: ipv4.default('127.0.0.1'),
      port: port.default(5090),
      /** Written into Contact; the listening address if absent. */
      advertisedHost: ipv4.optional(),
      /** As `sofia status` calls it; what the client library looks for. */
      profile: z
        .string()
        .regex(/^[\w-]{1,64}$/, 'letters, digits, - and _')
        .default('drachtio_mrf'),
      /** Also by TLS, on a port of its own. PEM files. */
      tls: z.strictObject({ port, certificateFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
    })
    .prefault({}),
  rtp: z
    .strictObject({
      bindAddress: ipv4.default('127.0.0.1'),
      /** Written into SDP; bindAddress if absent, which then must be a real address. */
      advertisedAddress: ipv4.optional(),
      portsFrom: port.default(20_000),
      portsTo: port.default(29_999),
      /** Told with a wardline::media_timeout event, each time so much has passed; 0 never. */
      silenceMs: z.number().int().min(0).max(3_600_000).default(10_000),
    })
    .prefault({}),
  /** What legs speak, in the order of our offers. */
  codecs: z
    .array(z.enum(['PCMU', 'PCMA', 'G722', 'OPUS', 'L16']))
    .min(1)
    .default(['PCMU', 'PCMA', 'G722', 'OPUS', 'L16']),
  /** Which of the common codecs a leg speaks: the first of the offer, or the first of `codecs`. */
  codecOrder: z.enum(['offer', 'ours']).default('offer'),
  /** Prompts are played from these folders only, searched in order. */
  promptFolders: z.array(z.string().min(1)).max(16).default([OUR_PROMPTS]),
  /** What local_stream:// and legs without an application hear, over and over: a file, or a folder of files; a soft tone if there is none. */
  holdMusic: z.string().min(1).default('music/8000/hold.wav'),
  /** Recordings are written below this folder only; without it nothing is recorded. */
  recordingsFolder: z.string().min(1).optional(),
  /** age recipients (age1…) for recordings whose channel names none. */
  sealTo: z
    .array(z.string().regex(/^age1[a-z0-9]{10,200}$/, 'not an age recipient (age1…)'))
    .max(16)
    .default([]),
  /** Where Prometheus finds our numbers; nowhere if absent. */
  metrics: z.strictObject({ host: ipv4.default('127.0.0.1'), port }).optional(),
  /** Text to speech by a program: `<program> <words of the voice> -o FILE`, the text on its standard input. */
  speech: z
    .strictObject({
      /** As speak and tts:// call it. */
      engine: z
        .string()
        .regex(/^[\w-]{1,32}$/, 'letters, digits, - and _')
        .default('flite'),
      program: z.string().regex(/^\//, 'an absolute path').default('/usr/bin/flite'),
      /** The first is spoken when none is named. */
      voices: z
        .record(z.string().regex(/^[\w-]{1,32}$/), z.array(z.string()).max(32))
        .default({ slt: ['-voice', 'slt'], rms: ['-voice', 'rms'], awb: ['-voice', 'awb'], kal: ['-voice', 'kal16'] }),
      withinMs: z.number().int().min(100).max(60_000).default(10_000),
      /** Where the program writes. In memory, or nothing that names a patient is spoken. */
      workFolder: z.string().min(1).default('/dev/shm'),
      /** Without it everything is spoken anew. */
      cacheFolder: z.string().min(1).optional(),
      cacheBytes: z.number().int().min(0).max(10_000_000_000).default(64_000_000),
    })
    .prefault({}),
  /** Threads for sound; as many as there are cores if absent, at most 4. */
  workers: z.number().int().min(1).max(16).optional(),
  maxChannels: z.number().int().min(1).max(10_000).default(1000),
  promptCacheBytes: z.number().int().min(1_000_000).max(1_000_000_000).default(64_000_000),
  /** A leg that nobody controls and that is not bridged is hung up after this. */
  unattendedMs: z.number().int().min(1000).max(3_600_000).default(60_000),
});

export type MediadOptions = z.infer<typeof mediadOptions>;

export type OptionsResult =
  | { readonly kind: 'checked'; readonly options: MediadOptions }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

/** Each problem names the place and what is wrong there. */
export function checkOptions(input: unknown): OptionsResult {
  const parsed = mediadOptions.safeParse(input);
  if (!parsed.success) {
    return {
      kind: 'refused',
      problems: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'options'}: ${issue.message}`),
    };
  }
  const { rtp } = parsed.data;
  const problems: string[] = [];
  if (rtp.portsFrom > rtp.portsTo) problems.push('rtp.portsFrom: larger than rtp.portsTo');
  if ((rtp.portsFrom === 0) !== (rtp.portsTo === 0))
    problems.push('rtp.portsFrom: 0 needs portsTo 0 too (any free port)');
  if (rtp.portsFrom > 0 && rtp.portsFrom + (rtp.portsFrom % 2) >= rtp.portsTo)
    problems.push('rtp.portsTo: a leg needs an even port and the odd one above it');
  if (rtp.portsFrom > 0 && rtp.portsFrom < 1024) problems.push('rtp.portsFrom: smaller than 1024');
  if (rtp.bindAddress === '0.0.0.0' && rtp.advertisedAddress === undefined) {
    problems.push(
      'rtp.advertisedAddress: needed, because rtp.bindAddress is 0.0.0.0; give the address phones can reach',
    );
  }
  return problems.length === 0 ? { kind: 'checked', options: parsed.data } : { kind: 'refused', problems };
}
