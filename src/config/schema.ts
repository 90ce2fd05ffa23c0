import { z } from 'zod';
import { adminSchema } from '../admin/options.ts';

const port = z.int().min(0).max(65_535);
const address = z.union([z.ipv4(), z.ipv6()], 'must be an IP address, such as 127.0.0.1');
const folder = z.string().min(1);

/** Every key of the configuration, with its default: nothing has to be set for a working house on a bare machine. */
export const configSchema = z.strictObject({
  data: folder.default('data').describe('Folder of everything Wardline keeps: store, sealed messages, secrets, logs.'),
  dialplans: folder.default('dialplans').describe('Folder of the dial plan: what each number does.'),
  oncall: folder.default('oncall').describe('Folder of people, rotations, services and chains.'),
  sip: z
    .strictObject({
      host: address.default('0.0.0.0').describe('Address on which phones and trunks are served.'),
      port: port.default(5060).describe('Port on which phones and trunks are served. 0 takes any free one.'),
      transports: z
        .array(z.enum(['udp', 'tcp']))
        .min(1)
        .max(2)
        .default(['udp', 'tcp'])
        .describe('Transports on which phones and trunks are served.'),
      advertise: z
        .union([z.ipv4(), z.ipv6(), z.literal('')], 'must be an IP address that phones can reach')
        .default('')
        .describe('Address that phones are told to send to. Empty: the first outward IPv4 address, else 127.0.0.1.'),
      controlPort: port.default(9022).describe('Port on 127.0.0.1 by which the app steers sipd.'),
    })
    .prefault({}),
  media: z
    .strictObject({
      sipPort: port.default(5090).describe('SIP port of mediad on 127.0.0.1; must differ from sip.port.'),
      eventSocketPort: port.default(8021).describe('Port on 127.0.0.1 by which the app steers mediad.'),
      dialBackPort: port.default(8085).describe('Port on 127.0.0.1 on which the app waits for mediad.'),
      rtpFirst: port.min(1024).default(20_000).describe('First UDP port for sound.'),
      rtpLast: port.min(1024).default(20_999).describe('Last UDP port for sound.'),
    })
    .prefault({}),
  admin: z
    .strictObject({
      host: adminSchema.shape.host.describe(
        'Address of the admin server: loopback only, until it has TLS and sign-in.',
      ),
      port: adminSchema.shape.port.describe('Port of the admin server: /healthz, /readyz, /metrics.'),
    })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;
