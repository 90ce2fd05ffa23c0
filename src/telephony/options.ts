import { z } from 'zod';

/** A directory that ends up inside a media server argument: absolute, and nothing that separates or expands there. */
const mediaPath = z.string().regex(/^\/[^\s!'"${}@|]*$/, 'an absolute path without spaces, quotes or ! $ { } @ |');

const secret = {
  /** The secret itself; for tests and one-line installations. */
  secret: z.string().min(1).optional(),
  /** File that holds it, first line; wins over `secret`. */
  secretFile: z.string().min(1).optional(),
};

const port = z.number().int().min(0).max(65_535);

export const trunkSchema = z.strictObject({
  /** Where outgoing calls go, "sip:host:port;transport=udp". Absent: the trunk is not configured. */
  target: z
    .string()
    .regex(/^sip:[A-Za-z0-9.[\]:-]+(;transport=(udp|tcp|tls))?$/, 'must read like sip:192.0.2.10:5060;transport=udp')
    .optional(),
  /** Digest for outgoing calls, if the carrier asks for it. */
  username: z.string().min(1).optional(),
  passwordFile: z.string().min(1).optional(),
  /** Number that called parties see. */
  callerId: z
    .string()
    .regex(/^\+[1-9]\d{4,14}$/, 'must be an E.164 number such as +12025550100')
    .optional(),
  /** P-Asserted-Identity on outgoing calls (RFC 3325); only for a carrier that is trusted with it. */
  assertIdentity: z.boolean().default(true),
  /** Where the plan names further trunks, the next one is tried when this one lets nothing ring for so long. */
  silenceMs: z.number().int().min(1_000).max(60_000).default(6_000),
  /** Who may bring calls in as this trunk: "192.0.2.10", "192.0.2.0/28" or "192.0.2.10:5060". */
  allowFrom: z.array(z.string().min(1)).max(64).default([]),
  /** How often it is asked whether it is there (OPTIONS); 0: never. */
  optionsSeconds: z.number().int().min(0).max(3600).default(20),
});

const serverName = z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/, 'at most 64 letters, digits and . _ : -');

/** What signalling and media servers have in common. */
const server = {
  /** For logs, metrics and /readyz; absent: "host:port". */
  name: serverName.optional(),
  host: z.string().regex(/^[A-Za-z0-9._:-]{1,253}$/, 'must be an address or a host name'),
  ...secret,
  /** Share of new calls among the servers that are up; 0 takes calls only when no other server can. */
  weight: z.number().int().min(0).max(1000).default(1),
  /** No new calls; running ones end in their own time. */
  draining: z.boolean().default(false),
  /** Where its own configuration lies on this machine, for whoever examines it. */
  config: z.string().min(1).optional(),
};

export const signallingServerSchema = z.strictObject({
  ...server,
  port: port.default(9022),
  /** TLS on the control connection; the server's certificate is always verified. */
  tls: z.boolean().default(false),
  /** PEM file of the authority that signed it; absent: those that Node knows. */
  tlsCa: z.string().min(1).optional(),
  /** Name in the certificate, where it differs from `host`. */
  tlsName: z.string().min(1).optional(),
});

export const mediaServerSchema = z.strictObject({
  ...server,
  /** FreeSWITCH can neither seal what it records nor tell when a phone falls silent; our own mediad can. */
  kind: z.enum(['freeswitch', 'mediad']).default('freeswitch'),
  port: port.default(8021),
  profile: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the name of a SIP profile, such as drachtio_mrf')
    .default('drachtio_mrf'),
  /** Where the media server dials back to. Fixed port: it is stored in calls that outlive the app. */
  listenHost: z.union([z.ipv4(), z.ipv6()], 'must be an IP address').default('127.0.0.1'),
  listenPort: port.optional(),
  /** What the server dials instead of `listenHost`. */
  advertise: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,253}$/, 'must be an address or a host name')
    .optional(),
  /** `promptsRoot` as the server sees it; absent: the same path. */
  prompts: mediaPath.optional(),
  /** FreeSWITCH: folder in memory (tmpfs) that it records to and we seal from, as we see it; absent: no voicemail. */
  plain: mediaPath.optional(),
  /** Folder that it records to, as the server sees it: of sealed messages, or `plain`. */
  recordings: mediaPath.optional(),
});

export const telephonySchema = z.strictObject({
  signalling: z.strictObject({
    servers: z.array(signallingServerSchema).min(1),
    /** Names this instance to the signalling server, so that a restarted one gets its dialogs back. */
    appTag: z
      .string()
      .regex(/^[A-Za-z0-9\-_+@:]{1,32}$/)
      .default('wardline'),
    /** File of the INVITEs without an answer, for the process after this one; absent: not kept. */
    openInvites: z.string().min(1).optional(),
    /** File of the conversations that run, for the process after this one; absent: they are nobody's then. */
    talks: z.string().min(1).optional(),
  }),
  media: z.strictObject({
    servers: z.array(mediaServerSchema).min(1),
    /** Absolute folders of prompts here, inside `promptsRoot`. */
    promptsDirs: z.array(mediaPath).min(1),
    promptsRoot: mediaPath,
    /** Used by servers that name no folder of their own. */
    recordings: mediaPath,
    /** A phone on a FreeSWITCH that sends nothing for so long is asked whether it is there; mediad has its own. */
    silenceMs: z.number().int().min(100).default(10_000),
  }),
  sip: z.strictObject({
    /** Digest realm and the host part of our addresses. */
    realm: z
      .string()
      .regex(/^[A-Za-z0-9.-]{1,128}$/)
      .default('wardline'),
    minExpires: z.number().int().min(10).default(60),
    maxExpires: z.number().int().min(60).default(3600),
    maxContacts: z.number().int().min(1).max(20).default(5),
    /** How often the phones of a call without media of ours are asked whether they are still there. */
    probeSeconds: z.number().int().min(1).max(3600).default(30),
    /** Phones on TLS and WSS must encrypt their sound (SRTP); false: they do if they offer it. */
    requireSrtp: z.boolean().default(true),
    /** Order of the challenges; a phone takes the first it knows (RFC 8760 2.4). */
    digests: z
      .array(z.enum(['SHA-256', 'MD5']))
      .min(1)
      .max(2)
      .default(['SHA-256', 'MD5']),
    /**
     * Beginnings of User-Agent that fail on a challenge they do not know, or on more than one, and so are offered
     * MD5 alone; '' is a phone that does not say what it is. Nothing is lost: whoever can rewrite this header on the
     * way can remove a challenge as well.
     */
    md5OnlyAgents: z.array(z.string().max(64)).max(64).default(['', 'SIPp', 'baresip']),
  }),
  trunks: z.record(z.string().regex(/^[a-z0-9-]{1,32}$/), trunkSchema).default({}),
});

export type TelephonyOptions = z.infer<typeof telephonySchema>;
export type TrunkOptions = z.infer<typeof trunkSchema>;
export type SignallingServerOptions = z.infer<typeof signallingServerSchema>;
export type MediaServerOptions = z.infer<typeof mediaServerSchema>;

/** How logs, metrics and registrations call a server. */
export function serverNameOf({ name, host, port }: Pick<SignallingServerOptions, 'name' | 'host' | 'port'>): string {
  return name ?? `${host}:${port}`;
}
