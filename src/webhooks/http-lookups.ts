import { lookup as resolveName } from 'node:dns';
import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Clock, Lookups } from '../engine/ports.ts';
import { guard } from './guard.ts';
import type { WebhooksOptions } from './options.ts';

type Question = Parameters<Lookups['ask']>[0];
type Answer = Awaited<ReturnType<Lookups['ask']>>;

const MAX_AT_ONCE = 100;
const MAX_ANSWER_BYTES = 4_096;

/**
 * Asks over HTTP: a POST with a JSON object, answered with 200 and `{"answer": "cardiology"}`. Bounded in time, in size
 * and in number; redirects are not followed, and an address of the house is asked only where the configuration allows
 * it. A name is resolved once, and the address that was checked is the one that is asked.
 */
export class HttpLookups implements Lookups {
  readonly #clock: Clock;
  readonly #mayAsk: (address: string) => boolean;
  #running = 0;

  /** Throws TypeError for an `allow` that is no network. */
  constructor({ clock, options }: { readonly clock: Clock; readonly options: WebhooksOptions }) {
    this.#clock = clock;
    this.#mayAsk = guard(options.allow);
  }

  async ask(question: Question): Promise<Answer> {
    if (this.#running >= MAX_AT_ONCE) return failed(`${MAX_AT_ONCE} programs are being asked already`);
    this.#running += 1;
    try {
      return await this.#post(question);
    } catch (error) {
      return failed(error instanceof Error ? error.message : String(error));
    } finally {
      this.#running -= 1;
    }
  }

  async #post({ url, waitMs, told, caller }: Question): Promise<Answer> {
    const target = new URL(url);
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !this.#mayAsk(host)) return failed(INSIDE_ADDRESS);
    const body = JSON.stringify({ ...told, ...(caller === null ? {} : { caller: caller.reveal() }) });
    const options: RequestOptions = {
      method: 'POST',
      agent: false,
      lookup: this.#resolve,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        accept: 'application/json',
      },
    };
    return new Promise((resolve) => {
      const ask = target.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = ask(target, options, (response) => {
        void readAnswer(response).then(end, (error: unknown) => end(failed(String(error))));
      });
      const timer = this.#clock.after(waitMs, () => end(failed('time is up')));
      function end(answer: Answer): void {
        timer.cancel();
        request.destroy();
        resolve(answer);
      }
      request.on('error', (error) => end(failed(error.message)));
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

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  if (response.statusCode !== 200) return failed(`it answered with status ${response.statusCode}`);
  let size = 0;
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) return failed('its answer is too long');
    chunks.push(chunk);
  }
  const answer: unknown = answerIn(Buffer.concat(chunks).toString('utf8'));
  const isWord = typeof answer === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(answer);
  return isWord ? { kind: 'answered', answer } : failed('its answer is not {"answer": "a-word"}');
}

function answerIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { answer?: unknown } | null)?.answer;
  } catch {
    return null;
  }
}

function failed(why: string): Answer {
  return { kind: 'failed', why };
}
