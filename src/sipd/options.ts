import { z } from 'zod';
import { sipdHep } from './hep/options.ts';
import { sipdLadder } from './ladder/options.ts';
import { sipdLimits } from './limits.ts';

export type { LadderAnswer, LadderQuestion, Rung } from './ladder/answer.ts';
export { sipdHep } from './hep/options.ts';
export { sipdLadder } from './ladder/options.ts';
export { sipdLimits } from './limits.ts';

const listenAddress = z.strictObject({
  protocol: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
  host: z.string().min(1),
  /** 0 means any free port. */
  port: z.int().min(0).max(65_535),
});

const pemFile = z.string().min(1);

/** PEM files. They are read again when they have changed, and count for new connections from then on. */
const tlsOptions = z.strictObject({
  /** Our certificate, and those between it and the root. */
  certificate: pemFile,
  /** Nobody else may read it. */
  key: pemFile,
  /** Authorities that are believed beside those of the system. */
  authorities: pemFile.optional(),
  /** `required`: whoever connects by TLS must show a certificate that is believed. */
  clientCertificates: z.enum(['ignored', 'required']).default('ignored'),
});

export type TlsFiles = z.output<typeof tlsOptions>;

/** What sipd is started with: a JSON file that only its owner can read, because of the secret. */
export const sipdOptionsSchema = z.strictObject({
  sip: z.array(listenAddress).min(1, 'sipd needs at least one address to listen on for SIP'),
  /** What peers on other machines are told instead of our own address. */
  advertisedHost: z.string().min(1).optional(),
  /** Needed to listen on TLS and to call others by it. */
  tls: tlsOptions.optional(),
  /** Whose pages may speak to us by WebSocket; empty for all. */
  webOrigins: z.array(z.string().min(1)).max(100).default([]),
  control: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.int().min(0).max(65_535).default(9022),
    })
    .default({ host: '127.0.0.1', port: 9022 }),
  /** Where Prometheus finds our numbers; nowhere if absent. */
  metrics: z
    .strictObject({ host: z.string().min(1).default('127.0.0.1'), port: z.int().min(0).max(65_535) })
    .optional(),
  /** Shared with the app. There is no default, and the well-known one of other servers is too short. */
  secret: z
    .string()
    .min(16, 'the secret must have at least 16 characters: generate one, for example with: openssl rand -hex 32')
    .refine((secret) => secret.trim().length >= 16, 'the secret must not be blank'),
  /** The file in which dialogs outlive sipd; they end with it if absent. */
  stateFile: z.string().min(1).optional(),
  limits: sipdLimits.prefault({}),
  ladder: sipdLadder.prefault({}),
  hep: sipdHep.prefault({}),
  timers: z
    .strictObject({
      t1Ms: z.int().positive().default(500),
      t2Ms: z.int().positive().default(4_000),
      t4Ms: z.int().positive().default(5_000),
      /** An app that has not answered a request for so long is answered for: 480, or 408. */
      appAnswersWithinMs: z.int().positive().default(64_000),
      /** The same after a provisional answer: a phone may ring for minutes, one after another. */
      appRingsWithinMs: z.int().positive().default(900_000),
      /** How long new requests wait for an app to come back before they get 503. */
      holdNewMs: z.int().nonnegative().default(5_000),
      /** The same for requests in a dialog. */
      holdInDialogMs: z.int().nonnegative().default(20_000),
    })
    .prefault({}),
});

export type SipdOptions = z.output<typeof sipdOptionsSchema>;
export type SipdOptionsInput = z.input<typeof sipdOptionsSchema>;
