import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { Listen, Transport } from '../config/index.ts';

export type SipAnswer =
  /** `says`: the status. `sent` and `heard`: both messages as they were; `from`: where ours came from, as we know it. */
  | {
      readonly kind: 'answers';
      readonly says: string;
      readonly sent: string;
      readonly heard: string;
      readonly from: Place;
    }
  | { readonly kind: 'silent'; readonly why: string };

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** What is more is no answer to an OPTIONS. */
const MAX_ANSWER_BYTES = 65_536;

/** Sends a SIP OPTIONS (RFC 3261 11); any SIP answer is one. Never rejects, and is over after `withinMs`. */
export function askBySip({ transport, host, port }: Listen, withinMs: number): Promise<SipAnswer> {
  return new Promise((resolve) => {
    let stop = (): void => {};
    let [sent, from]: [string, Place] = ['', { host: '', port: 0 }];
    const end = (answer: SipAnswer): void => {
      clearTimeout(timer);
      stop();
      resolve(answer);
    };
    const fail = (error: Error): void => end({ kind: 'silent', why: error.message });
    const timer = setTimeout(() => end({ kind: 'silent', why: `no SIP answer within ${withinMs} ms` }), withinMs);
    const ask = (own: Place): string => {
      from = own;
      sent = options(transport, { host, port }, own);
      return sent;
    };
    let text = '';
    const heard = (bytes: Buffer): void => {
      text += bytes.toString('latin1');
      const status = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1];
      if (!'SIP/2.0 '.startsWith(text.slice(0, 8)) || text.length > MAX_ANSWER_BYTES) {
        end({ kind: 'silent', why: 'what answers there does not speak SIP' });
      } else if (status !== undefined && text.includes('\r\n\r\n')) {
        end({ kind: 'answers', says: status, sent, heard: text, from });
      }
    };
    if (transport === 'udp') {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      stop = () => socket.close();
      socket.on('error', fail);
      socket.on('message', (bytes) => {
        text = '';
        heard(bytes);
      });
      socket.connect(port, host, (error?: Error) => {
        if (error) return fail(error);
        const { address, port: ours } = socket.address();
        socket.send(ask({ host: address, port: ours }));
      });
      return;
    }
    if (transport === 'ws' || transport === 'wss') {
      const at = `${transport}://${shown({ host, port })}`;
      stop = askByWebSocket(at, () => ask({ host: 'doctor.invalid', port: 5060 }), heard, fail);
      return;
    }
    const opened = () => void socket.write(ask({ host: socket.localAddress ?? host, port: socket.localPort ?? 0 }));
    // Whether somebody speaks SIP there; who that is, a certificate for a name cannot tell of an address.
    const socket =
      transport === 'tls'
        ? connectTls({ host, port, rejectUnauthorized: false }, opened)
        : connect({ host, port }, opened);
    stop = () => socket.destroy();
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('it closed the connection')));
    socket.on('data', heard);
  });
}

/** Returns the way to close it. */
function askByWebSocket(
  at: string,
  ask: () => string,
  heard: (bytes: Buffer) => void,
  fail: (error: Error) => void,
): () => void {
  // Whether somebody speaks SIP there, as with TLS.
  const connection = new WebSocket(at, 'sip', { rejectUnauthorized: false });
  connection.on('error', fail);
  connection.on('close', () => fail(new Error('it closed the connection')));
  connection.on('message', heard);
  connection.on('open', () => connection.send(ask()));
  return () => connection.terminate();
}

/** With a description of sound, for what rewrites SIP on the way rewrites that too. */
function options(transport: Transport, to: Place, from: Place): string {
  const mark = randomBytes(8).toString('hex');
  const family = from.host.includes(':') ? 'IP6' : 'IP4';
  const body = [
    'v=0',
    `o=- 1 1 IN ${family} ${from.host}`,
    's=-',
    `c=IN ${family} ${from.host}`,
    't=0 0',
    // Port 9, the discard service: nobody is to send anything.
    'm=audio 9 RTP/AVP 0',
    '',
  ].join('\r\n');
  return [
    `OPTIONS sip:doctor@${shown(to)} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${shown(from)};branch=z9hG4bK${mark};rport`,
    'Max-Forwards: 70',
    `From: <sip:doctor@${shown(from)}>;tag=${mark}`,
    `To: <sip:doctor@${shown(to)}>`,
    `Call-ID: ${mark}@${shown(from)}`,
    'CSeq: 1 OPTIONS',
    `Contact: <sip:doctor@${shown(from)};transport=${transport}>`,
    'Accept: application/sdp',
    'Content-Type: application/sdp',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

function shown({ host, port }: Place): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
