import { connect } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

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
