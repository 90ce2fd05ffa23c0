import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { rootCertificates } from 'node:tls';
import type { Transporter } from 'nodemailer';
import type { Instant } from '../core/time/index.ts';
import type { MailOptions } from './options.ts';

/** One e-mail of plain text. */
export interface Letter {
  /** The same for the same letter however often it is sent: its Message-ID is made of it. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly at: Instant;
}

export type Posted =
  | { readonly kind: 'taken' }
  /** `isUnsure`: all of it was sent, and no answer came. */
  | { readonly kind: 'failed'; readonly why: string; readonly isUnsure: boolean };

/** For greeting, TLS and each answer of the server. */
const patienceMs = 30_000;

/**
 * Hands letters to the mail server of the house. "Taken" is the 250 behind the text, and nothing less: the letter is the server's from
 * then on. The same letter has the same Message-ID and Date, by which mail systems know what they have already.
 */
export class Mailer {
  readonly #options: MailOptions;
  readonly #secrets: { readonly password: string; readonly authorities: string };
  readonly #patienceMs: number;
  #transport: Transporter | null = null;
  /** Message-IDs of letters that have left to their last byte. */
  readonly #whole = new Set<string>();

  constructor(parts: {
    readonly options: MailOptions;
    /** '' for none. */
    readonly password: string;
    /** PEM; '' for those of Node alone. */
    readonly authorities: string;
    readonly patienceMs?: number;
  }) {
    this.#options = parts.options;
    this.#secrets = parts;
    this.#patienceMs = parts.patienceMs ?? patienceMs;
  }

  /** Never rejects. */
  async send({ id, to, subject, text, at }: Letter): Promise<Posted> {
    const { host, from } = this.#options;
    if (host === '') return failed('the configuration names no mail server: set mail.host and mail.from', false);
    const name = messageId(id, from);
    try {
      this.#transport ??= await this.#open();
      await this.#transport.sendMail({
        from,
        to: { name: '', address: to },
        subject,
        text,
        date: new Date(at),
        messageId: name,
        // RFC 3834 5: no holiday notice comes back.
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      return { kind: 'taken' };
    } catch (error) {
      const isAnswered = typeof (error as { responseCode?: unknown }).responseCode === 'number';
      const why = error instanceof Error ? error.message : String(error);
      return failed(why, this.#whole.has(name) && !isAnswered);
    } finally {
      this.#whole.delete(name);
    }
  }

  async #open(): Promise<Transporter> {
    // Loaded with the first letter: most processes write none.
    const { createTransport } = await import('nodemailer');
    const { host, port, security, user } = this.#options;
    const { password, authorities } = this.#secrets;
    const transport = createTransport({
      host,
      port,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      ...(user === '' ? {} : { auth: { user, pass: password } }),
      tls: {
        minVersion: 'TLSv1.2',
        ...(authorities === '' ? {} : { ca: [...rootCertificates, authorities] }),
      },
      connectionTimeout: this.#patienceMs,
      greetingTimeout: this.#patienceMs,
      socketTimeout: this.#patienceMs,
    });
    transport.use('stream', ({ data, message }, done) => {
      message.transform(() => new PassThrough().on('end', () => this.#whole.add(data.messageId ?? '')));
      done();
    });
    return transport;
  }
}

/** RFC 5322 3.6.4; it names nothing of what the letter is about. */
export function messageId(id: string, from: string): string {
  const word = createHash('sha256').update(id).digest('hex').slice(0, 32);
  return `<${word}@${from.split('@').at(-1)}>`;
}

function failed(why: string, isUnsure: boolean): Posted {
  return { kind: 'failed', why, isUnsure };
}
