import { z } from 'zod';
import { adminSchema } from '../admin/options.ts';
import { auditOptions } from '../audit-log/options.ts';
import { documentsOptions } from '../documents/options.ts';
import { LOG_LEVELS } from '../observe/options.ts';
import { sipdHep, sipdLadder, sipdLimits } from '../sipd/options.ts';
import { telephonySchema, trunkSchema } from '../telephony/options.ts';
import { transcriptionOptions, webhooksOptions } from '../webhooks/options.ts';
import { keyPlace, voicemailOptions } from '../vault/options.ts';
import { mailOptions } from '../mail/options.ts';
import { endpointText, listenText } from './endpoint.ts';
import { mediaServers, signallingServers } from './servers.ts';

const port = z.int().min(0).max(65_535);
const soundPort = z.int().min(1024).max(65_535);
const folder = z.string().min(1);
const addressOrEmpty = z.union([z.ipv4(), z.ipv6(), z.literal('')], 'must be an IP address');
const sip = telephonySchema.shape.sip.shape;
const trunk = trunkSchema.shape;
const audit = auditOptions.shape;
const mail = mailOptions.unwrap().shape;
const transcription = transcriptionOptions.unwrap().shape;

/** Every key of the configuration, with its default: nothing has to be set for a working house on a bare machine. */
export const configSchema = z.strictObject({
  data: folder.default('data').describe('Folder of everything Wardline keeps: store, sealed messages, secrets, logs.'),
  dialplans: folder.default('dialplans').describe('Folder of the dial plan: what each number does.'),
  oncall: folder.default('oncall').describe('Folder of people, rotations, services and chains.'),
  plans: z
    .strictObject({
      activation: documentsOptions
        .unwrap()
        .shape.activation.describe(
          'Whether a dial plan that is saved comes into force within a second, or when `wardline plan activate` says so.',
        ),
    })
    .prefault({}),
  sip: z
    .strictObject({
      listen: z
        .array(listenText)
        .min(1)
        .max(8)
        .default(['udp/0.0.0.0:5060', 'tcp/0.0.0.0:5060'])
        .describe('Where phones and trunks are served, `transport/address:port`; port 0 takes any free one.'),
      tls: z
        .strictObject({
          certificate: z
            .string()
            .default('')
            .describe(
              'PEM file of our certificate, followed by those between it and the root; needed for `tls/` and `wss/` in `sip.listen`. ' +
                'A renewed file counts for new connections within ten seconds, without a restart.',
            ),
          key: z.string().default('').describe('PEM file of its key. It must not be readable by everybody.'),
          authorities: z
            .string()
            .default('')
            .describe('PEM file of authorities that are believed beside those that come with Node.'),
          clientCertificates: z
            .enum(['ignored', 'required'])
            .default('ignored')
            .describe('Whether whoever connects by TLS must show a certificate of an authority in `authorities`.'),
        })
        .prefault({}),
      webOrigins: z
        .array(z.url())
        .max(100)
        .default([])
        .describe('Pages that may speak to us by WebSocket, `https://desk.example.org`; none given: all.'),
      limits: sipdLimits.prefault({}),
      ladder: sipdLadder.prefault({}),
      hep: sipdHep.prefault({}),
      advertise: addressOrEmpty
        .default('')
        .describe(
          'Address that phones are told to send to. Empty: that of `sip.listen`, or the first outward IPv4 address.',
        ),
      realm: sip.realm.describe(
        'Realm that phones see when they are asked for a password. A change voids all passwords.',
      ),
      minExpires: sip.minExpires.describe('Shortest registration that is taken, in seconds.'),
      maxExpires: sip.maxExpires.describe('Longest registration that is given, in seconds.'),
      maxContacts: sip.maxContacts.describe('Phones that may be registered for one extension.'),
      probeSeconds: sip.probeSeconds.describe(
        'How often two phones that talk without media of ours are asked whether they are still there, in seconds.',
      ),
      requireSrtp: sip.requireSrtp.describe(
        'Phones on TLS and WSS must encrypt their sound (SRTP, with SDES or DTLS); those that do not are refused. `false`: they need not.',
      ),
      digests: sip.digests.describe('Hashes offered to phones, the preferred one first.'),
    })
    .prefault({}),
  trunks: z
    .record(
      telephonySchema.shape.trunks.unwrap().keyType,
      z.strictObject({
        target: trunk.target.describe('Where outgoing calls go, `sip:host:port;transport=udp`.'),
        username: trunk.username.describe('User name, if the carrier asks for one.'),
        passwordFile: trunk.passwordFile.describe('File whose first line is the password.'),
        callerId: trunk.callerId.describe('Number that called parties see, `+12025550100`.'),
        assertIdentity: trunk.assertIdentity.describe('Tell the carrier who calls (P-Asserted-Identity).'),
        silenceMs: trunk.silenceMs.describe(
          'Where the plan names further trunks: how long this one may let nothing ring before the next is tried.',
        ),
        allowFrom: trunk.allowFrom.describe('Who may bring calls in: `192.0.2.10`, `192.0.2.0/28`, `192.0.2.10:5060`.'),
        optionsSeconds: trunk.optionsSeconds.describe(
          'How often the trunk is asked by OPTIONS whether it is there. One that has answered and falls silent is not rung until it answers again. 0: it is never asked.',
        ),
      }),
    )
    .default({}),
  signalling: z
    .strictObject({
      port: port.default(9022).describe('Port on 127.0.0.1 by which the app steers sipd.'),
      metricsPort: port
        .default(0)
        .describe('Port on 127.0.0.1 where Prometheus finds the numbers of sipd, at /metrics; 0: nowhere.'),
      servers: signallingServers
        .default([])
        .describe('Signalling servers that run already, in place of our own sipd; each has the keys below.'),
    })
    .prefault({}),
  media: z
    .strictObject({
      port: port.default(8021).describe('Port on 127.0.0.1 by which the app steers mediad.'),
      metricsPort: port
        .default(0)
        .describe('Port on 127.0.0.1 where Prometheus finds the numbers of mediad, at /metrics; 0: nowhere.'),
      sip: endpointText.default('127.0.0.1:5090').describe('SIP address of mediad, for the app alone.'),
      listenPort: port.default(8085).describe('Port on 127.0.0.1 on which the app waits for mediad.'),
      advertise: addressOrEmpty
        .default('')
        .describe('Address that phones send sound to. Empty: that of `sip.advertise`.'),
      rtpFirst: soundPort.default(20_000).describe('First UDP port for sound.'),
      rtpLast: soundPort.default(20_999).describe('Last UDP port for sound.'),
      servers: mediaServers
        .default([])
        .describe('Media servers that run already, in place of our own mediad; each has the keys below.'),
    })
    .prefault({}),
  webhooks: z
    .strictObject({
      allow: webhooksOptions
        .unwrap()
        .shape.allow.describe(
          'Private addresses that a `lookup` of the dial plan may ask all the same: `127.0.0.1`, `10.1.0.0/16`.',
        ),
    })
    .prefault({}),
  transcription: z
    .strictObject({
      command: transcription.command.describe(
        'Program and its words that make text of a message: a WAV file on its input, the text on its output. Empty: none.',
      ),
      url: transcription.url.describe(
        'Service that gets the WAV file by POST and answers `{"text": "…"}`; one inside the house needs `webhooks.allow`.',
      ),
      waitSeconds: transcription.waitSeconds.describe('How long either may take for one message.'),
    })
    .prefault({}),
  mail: z
    .strictObject({
      host: mail.host.describe(
        'Mail server that notices of messages are handed to (`notify` with `email`); empty: none.',
      ),
      port: mail.port.describe('Its port: 587 for `starttls`, 465 for `tls`.'),
      security: mail.security.describe(
        'How the connection is secured; without TLS nothing is sent, unless this says `none`.',
      ),
      authorities: mail.authorities.describe(
        'PEM file of authorities that are believed beside those that come with Node.',
      ),
      user: mail.user.describe('Name to sign in with; empty: without.'),
      passwordFile: mail.passwordFile.describe('File whose first line is the password.'),
      from: mail.from.describe('Address that the e-mail comes from: `telephones@hospital.example`.'),
    })
    .prefault({}),
  admin: z
    .strictObject({
      listen: adminSchema.shape.listen.describe(
        'Address of the admin server (/healthz, /readyz, /metrics, /calendars/): loopback only, until it has TLS and sign-in.',
      ),
      publicUrl: adminSchema.shape.publicUrl.describe(
        'Where a proxy with TLS passes /calendars/ on to `admin.listen`, `https://oncall.example.org`; shown by `oncall calendar add`.',
      ),
    })
    .prefault({}),
  audit: z
    .strictObject({
      signingKey: keyPlace.describe(
        'Where the key that signs the audit comes from, 32 bytes as base64url: `secrets` (`audit-sign.key` there), ' +
          '`/run/keys/wardline-audit`, `env:AUDIT_SIGNING_KEY`, or what a program prints: `command:/usr/bin/age -d -i /etc/id /etc/audit.age`.',
      ),
      checkpointEntries: audit.checkpointEntries.describe('After so many entries the audit is signed.'),
      checkpointMinutes: audit.checkpointMinutes.describe(
        'So long after an entry the audit is signed, though there are fewer of them, in minutes.',
      ),
      anchors: audit.anchors.describe(
        'Where signed heads of the audit go, out of reach of this machine: `/mnt/worm/lakeside.heads`, ' +
          '`udp://10.0.0.5:514` or `tcp://10.0.0.5:514` (syslog), `https://notary.example/heads`, ' +
          '`rfc3161+https://tsa.example/tsr` (a time-stamp service).',
      ),
      reveal: audit.reveal.describe(
        'Who may see numbers and names of outside callers with `--reveal` and a reason, role by role: ' +
          '`privacy-officer: [user:kim, group:privacy]`. Everybody else, and everybody while it is empty, sees the last two digits.',
      ),
      retentionDays: audit.retentionDays.describe(
        'How old an entry must be before `wardline audit prune` cuts it off; six years unless you have a reason.',
      ),
    })
    .prefault({}),
  voicemail: z
    .strictObject({
      masterKey: voicemailOptions.shape.masterKey.describe(
        'Where the key comes from that opens the keys of all mailboxes, 32 bytes as base64url: `secrets` (`voicemail-master.key` there), or ' +
          'as with `audit.signingKey`. While it cannot be had, messages are taken and cannot be heard.',
      ),
      escrow: voicemailOptions.shape.escrow.describe(
        'Whom every message and greeting is sealed to as well: age recipients (`age1…`) of the privacy officer, whose private ' +
          'keys are kept elsewhere (`wardline keys escrow`).',
      ),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(LOG_LEVELS).default('info').describe('How much is written to the logs.') })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;
