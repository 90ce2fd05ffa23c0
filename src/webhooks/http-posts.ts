import { lookup as resolveName } from 'node:dns';
import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Clock } from '../engine/ports.ts';
import { guard } from './guard.ts';
import type { WebhooksOptions } from './options.ts';

const MAX_AT_ONCE = 100;
const MAX_ANSWER_BYTES = 4_096;

export type Posted =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  /** `isUnsure`: all of it was sent, and no answer came. */
  | { readonly kind: 'failed'; readonly why: string; readonly isUnsure: boolean };

/**
 * POSTs, of JSON objects mostly, bounded in time, in size and in number; redirects are not followed, and an address of the house is
 * asked only where the configuration allows it. A name is resolved once, and the address that was checked is the one that is asked.
 */
export class HttpPosts {
  readonly #clock: Clock;
  readonly #mayAsk: (address: string) => boolean;
  #running = 0;

  /** Throws TypeError for an `allow` that is no network. */
  constructor({ clock, options }: { readonly clock: Clock; readonly options: WebhooksOptions }) {
    this.#clock = clock;
    this.#mayAsk = guard(options.allow);
  }

  /** Never rejects. */
  post(url: string, told: object, waitMs: number, headers: Readonly<Record<string, string>> = {}): Promise<Posted> {
    const body = Buffer.from(JSON.stringify(told));
    return this.send(url, body, waitMs, { ...headers, 'content-type': 'application/json' }, MAX_ANSWER_BYTES);
  }

  /** As `post`, with a body of any kind and an answer of at most `mostBytes`. Never rejects. */
  async send(
    url: string,
    body: Uint8Array,
    waitMs: number,
    headers: Readonly<Record<string, string>>,
    mostBytes: number,
  ): Promise<Posted> {
    if (this.#running >= MAX_AT_ONCE) return failed(`${MAX_AT_ONCE} programs are being asked already`);
    this.#running += 1;
    try {
      return await this.#send(new URL(url), body, waitMs, headers, mostBytes);
    } catch (error) {
      return failed(whyOf(error));
    } finally {
      this.#running -= 1;
    }
  }

  async #send(
    target: URL,
    body: Uint8Array,
    waitMs: number,
    headers: Readonly<Record<string, string>>,
    mostBytes: number,
  ): Promise<Posted> {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !this.#mayAsk(host)) return failed(INSIDE_ADDRESS);
    const options: RequestOptions = {
      method: 'POST',
      agent: false,
      lookup: this.#resolve,
      headers: {
        ...headers,
        'content-length': body.length,
        accept: 'application/json',
      },
    };
    return new Promise((resolve) => {
      const ask = target.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = ask(target, options, (response) => {
        void readAnswer(response, mostBytes).then(end, (error: unknown) => end(failed(whyOf(error), isOut)));
      });
      // What is handed to the network may arrive, whatever becomes of the connection.
      let isOut = false;
      request.on('finish', () => (isOut = true));
      const timer = this.#clock.after(waitMs, () => end(failed('time is up', isOut)));
      function end(answer: Posted): void {
        timer.cancel();
        request.destroy();
        resolve(answer);
      }
      request.on('error', (error) => end(failed(whyOf(error), isOut)));
      request.end(body);
    });
  }

  /** As `dns.lookup`, without addresses that may not be asked. */
  readonly #resolve: LookupFunction = (hostname, { all }, callback) => {
    resolveName(hostname, { all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      const allowed = addresses.filter(({ address }) => this.#mayAsk(address));
      const [first] = allowed;
      if (first === undefined) return callback(new Error(INSIDE_ADDRESS), '', 0);
      if (all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

const INSIDE_ADDRESS = 'its address is one of the house itself: add it to webhooks.allow if that is meant';

async function readAnswer(response: IncomingMessage, mostBytes: number): Promise<Posted> {
  let size = 0;
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > mostBytes) return failed('its answer is too long', true);
    chunks.push(chunk);
  }
  return { kind: 'answered', status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}

/** Several addresses that were tried in vain are an error without a message. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}

function failed(why: string, isUnsure = false): Posted {
  return { kind: 'failed', why, isUnsure };
}
