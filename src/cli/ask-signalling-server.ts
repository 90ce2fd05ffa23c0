import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { MediaServerAnswer } from './ask-media-server.ts';
import type { Listen } from '../config/index.ts';

export type SignallingServerAnswer =
  /** `serves`: "udp/192.0.2.7:5060". */
  | { readonly kind: 'answers'; readonly version: string; readonly serves: readonly string[] }
  | { readonly kind: 'silent'; readonly why: string };

/** What is more is not the control protocol. */
const MAX_ANSWER_BYTES = 65_536;

/**
 * Connects to a control port, authenticates, and reads the answer: one try. A port that is only open proves nothing: the
 * kernel opens it for a process that hangs. Never rejects, and is over after `withinMs`.
 */
export function askSignallingServer(
  to: { readonly host: string; readonly port: number; readonly tls: ConnectionOptions | null },
  secret: string,
  withinMs: number,
): Promise<SignallingServerAnswer> {
  return new Promise((resolve) => {
    const { tls, ...at } = to;
    const socket = tls === null ? connect(at) : connectTls({ ...at, ...tls });
    const end = (answer: SignallingServerAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const fail = (why: string): void => end({ kind: 'silent', why });
    const timer = setTimeout(() => fail(`no answer within ${withinMs} ms`), withinMs);
    const login = `doctor|authenticate|${secret}|`;
    let heard = '';
    socket.on('error', (error: Error) => fail(error.message));
    socket.on('close', () => fail('it closed the connection'));
    socket.on('data', (bytes: Buffer) => {
      heard += bytes.toString('latin1');
      const answer = /^\d+#[^|]*\|response\|doctor\|(OK|NO|NOK)(?:\|([^|]*))?(?:\|([^|]*))?/.exec(heard);
      if (answer?.[1] === 'OK') {
        end({ kind: 'answers', serves: (answer[2] ?? '').split(',').filter(Boolean), version: answer[3] ?? '' });
      } else if (answer) fail('it does not take our secret');
      else if (heard.length > MAX_ANSWER_BYTES || !/^\d/.test(heard)) fail('it does not speak the control protocol');
    });
    socket.write(`${Buffer.byteLength(login)}#${login}`);
  });
}

/** Sends a SIP OPTIONS (RFC 3261 11); any SIP answer is one. Never rejects, and is over after `withinMs`. */
export function askBySip({ transport, host, port }: Listen, withinMs: number): Promise<MediaServerAnswer> {
  return new Promise((resolve) => {
    let stop = (): void => {};
    const end = (answer: MediaServerAnswer): void => {
      clearTimeout(timer);
      stop();
      resolve(answer);
    };
    const fail = (error: Error): void => end({ kind: 'silent', why: error.message });
    const timer = setTimeout(() => end({ kind: 'silent', why: `no SIP answer within ${withinMs} ms` }), withinMs);
    const heard = (bytes: Buffer): void => {
      const status = /^SIP\/2\.0 (\d{3})/.exec(bytes.toString('latin1', 0, 64))?.[1];
      if (status === undefined) end({ kind: 'silent', why: 'what answers there does not speak SIP' });
      else end({ kind: 'answers', says: status });
    };
    if (transport === 'udp') {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      stop = () => socket.close();
      socket.on('error', fail);
      socket.on('message', heard);
      socket.connect(port, host, () => {
        const from = socket.address();
        socket.send(options(transport, { host, port }, { host: from.address, port: from.port }));
      });
      return;
    }
    const socket = connect({ host, port }, () => {
      const from = { host: socket.localAddress ?? host, port: socket.localPort ?? 0 };
      socket.write(options(transport, { host, port }, from));
    });
    stop = () => socket.destroy();
    socket.on('error', fail);
    socket.on('data', heard);
  });
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function options(transport: 'udp' | 'tcp', to: Place, from: Place): string {
  const mark = `${process.pid}${Date.now()}`;
  return [
    `OPTIONS sip:doctor@${shown(to)} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${shown(from)};branch=z9hG4bK${mark};rport`,
    'Max-Forwards: 70',
    `From: <sip:doctor@${shown(from)}>;tag=${mark}`,
    `To: <sip:doctor@${shown(to)}>`,
    `Call-ID: ${mark}@doctor`,
    'CSeq: 1 OPTIONS',
    `Contact: <sip:doctor@${shown(from)};transport=${transport}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

function shown({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
