import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Pair } from './certificates.ts';

/** What a mail server was handed. */
export interface Received {
  readonly to: readonly string[];
  readonly text: string;
  readonly isSecure: boolean;
  readonly user: string | null;
}

/** A mail server on loopback. `answers`: what it says to one letter after the other, 250 behind the last. */
export class MailServer {
  readonly received: Received[] = [];
  /** Called when a letter is whole, before it is answered. */
  whenWhole: () => void = () => {};
  readonly #server: SMTPServer;

  constructor(pair: Pair, answers: (string | null)[] = [], options: SMTPServerOptions = {}) {
    this.#server = new SMTPServer({
      key: readFileSync(pair.key),
      cert: readFileSync(pair.certificate),
      authOptional: true,
      disableReverseLookup: true,
      onData: (stream, session, done) => {
        let text = '';
        stream.on('data', (piece: Buffer) => (text += piece.toString('utf8')));
        stream.on('end', () => {
          const answer = answers.shift() ?? null;
          if (answer === null) {
            const to = session.envelope.rcptTo.map(({ address }) => address);
            this.received.push({
              to,
              text,
              isSecure: session.secure,
              user: session.user ? String(session.user) : null,
            });
          }
          this.whenWhole();
          done(answer === null ? null : Object.assign(new Error(answer), { responseCode: 451 }));
        });
      },
      ...options,
    });
    this.#server.on('error', () => {});
  }

  async listen(): Promise<number> {
    const server = this.#server.listen(0, '127.0.0.1');
    await new Promise<void>((resolve) => server.once('listening', resolve));
    return (server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
