import type { Clock } from '../engine/ports.ts';
import { OnceAMinute } from '../observe/index.ts';
import type { AuthResult } from './auth/authenticator.ts';
import { headerLines, type SrfResponse } from './client-libraries/index.ts';
import type { Log, PeerAddress } from './ports.ts';

/** Answers who has not proved which phone it is. A phone that tries again and again is one line a minute in the log. */
export class Challenger {
  readonly #log: Log;
  readonly #said: OnceAMinute;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#log = log;
    this.#said = new OnceAMinute(clock);
  }

  /** 401 with every algorithm on its own line, or 503 for a source that guesses. */
  refuse(response: SrfResponse, result: Exclude<AuthResult, { kind: 'known' }>, { ip }: PeerAddress): void {
    if (result.kind === 'tooManyFailures') {
      const { retryAfterSeconds } = result;
      this.#warn(ip, 'too many wrong passwords', { ip, retryAfterSeconds });
      return response.send(503, undefined, { headers: { 'Retry-After': String(retryAfterSeconds) } });
    }
    if (result.failed !== null) {
      const { extension } = result.failed;
      if (extension === null) this.#warn(ip, 'unknown extension', { ip });
      else this.#warn(`${ip} ${extension}`, 'wrong password', { ip, extension });
    }
    const name = 'WWW-Authenticate';
    response.send(401, undefined, { headers: { [name]: headerLines(name, result.challenges) } });
  }

  close(): void {
    this.#said.close();
  }

  #warn(who: string, what: string, fields: object): void {
    this.#said.say(`${what} ${who}`, (again) => this.#log.warn({ ...fields, ...again }, what));
  }
}
