import { z } from 'zod';

const count = (otherwise: number, what: string) => z.int().positive().default(otherwise).describe(what);

/** What is the most of everything; what is more is refused or not heard, and counted. */
export const sipdLimits = z.strictObject({
  trusted: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'must be an address or a range of them'))
    .max(1_000)
    .default(['127.0.0.1', '::1'])
    .describe(
      'Addresses that are never limited, `192.0.2.10`, `192.0.2.0/28`. Trunks and media servers always are among them.',
    ),
  strangerPerSecond: count(500, 'Messages a second from one address. More is not even read.'),
  strangerBurst: count(2_000, 'How many of them may come at once.'),
  knownPerSecond: count(5_000, 'The same from an address where a phone has registered.'),
  knownBurst: count(10_000, 'How many of those may come at once.'),
  reservedNumbers: z
    .array(z.string().min(1).max(40))
    .max(1_000)
    .default(['911', '112'])
    .describe(
      'Numbers whose calls go before all others, when messages are too many and when calls are. The app adds those of the plan that lead to a STAT chain ' +
        'without a key.',
    ),
  reservedPerSecond: count(5, 'Calls to them a second from one address when everything else of it is not read.'),
  faultsUntilBan: count(100, 'Refused and malformed requests until an address without phones gets silence.'),
  banMs: count(60_000, 'How long at first, in milliseconds; twice as long each time, up to 15 minutes.'),
  tcpConnections: count(5_000, 'Connections in all. One more is closed without a word.'),
  tcpConnectionsPerSource: count(200, 'Connections from one address.'),
  tcpMessageWithinMs: count(
    4_000,
    'A handshake, and each message of a connection, must be complete in so many milliseconds.',
  ),
  messageBytes: z.int().min(2_000).max(1_048_576).default(65_535).describe('Bytes of one message. More: 513.'),
  headerCount: z.int().min(20).max(2_000).default(200).describe('Header fields of one message. More: 400.'),
  headerChars: z.int().min(200).max(65_535).default(8_192).describe('Characters of one header field. More: 400.'),
  uriChars: z.int().min(100).max(8_192).default(1_024).describe('Characters of a Request-URI. More: 414.'),
  sdpBytes: z.int().min(500).max(65_535).default(16_384).describe('Bytes of a session description. More: 413.'),
  halfOpenTotal: count(2_000, 'Calls without a final answer, in all. One more: 503.'),
  halfOpenPerSource: count(64, 'The same from one address that is not in `trusted`.'),
  dialogs: count(50_000, 'Running calls and subscriptions. One more: 503.'),
  shedWhenLateMs: count(
    500,
    'When timers, the reading of messages or the app are so many milliseconds late all the time, new calls get 503; at twice that, everything that is new. At 0.3 times that they are let in more slowly. Phones send again what is not answered within 500.',
  ),
  retryAfterSeconds: count(5, 'What Retry-After tells whoever gets 503.'),
  scanners: z
    .array(z.string().min(3).max(64))
    .max(100)
    .default([
      'friendly-scanner',
      'sipvicious',
      'sipcli',
      'sip-cli',
      'sip-scan',
      'sundayddr',
      'pplsip',
      'vaxsipuseragent',
    ])
    .describe('User agents, and users called, that get no byte back.'),
  controlConnections: count(64, 'Connections of apps to the control port.'),
  pendingRequests: count(20_000, 'New requests that the app has not answered. One more: 503.'),
});
