import type { FastifyInstance, FastifyReply } from 'fastify';
import type { House } from './ports.ts';

/** Questions with a wrong token in a minute, from all sides together; nobody who subscribes asks with one. */
const WRONG_A_MINUTE = 60;
const MINUTE_MS = 60_000;

/**
 * `/calendars/TOKEN.ics`: the duties of a person or of a service, for programs that subscribe to calendars. Who knows
 * the address may read it, so it is never logged and no cache on the way may keep it.
 */
export async function calendars(server: FastifyInstance, { house }: { house: House }): Promise<void> {
  const wrong = new Budget(WRONG_A_MINUTE);
  server.get<{ Params: { token: string } }>(
    '/calendars/:token.ics',
    {
      schema: { params: { type: 'object', properties: { token: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' } } } },
    },
    async (request, reply) => {
      const calendar = await house.calendar(request.params.token);
      // Whoever guesses keeps nobody from a calendar of their own.
      if (calendar === 'unknown') {
        if (!wrong.spend()) return later(reply.code(429), 'asked too often');
        return reply.code(404).send({ error: 'there is no such calendar' });
      }
      if (calendar === 'busy') return later(reply.code(503), 'busy with other calendars');
      const { text, etag, changedAt } = calendar;
      void reply.headers({ etag, 'cache-control': 'private, max-age=300', 'referrer-policy': 'no-referrer' });
      if (changedAt !== null) void reply.header('last-modified', new Date(changedAt).toUTCString());
      // RFC 9110 13.1.2: a list of tags, weak ones count as well, or any.
      const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
      if (known.includes(etag) || known.includes('*')) return reply.code(304).send();
      return reply.type('text/calendar; charset=utf-8').send(text);
    },
  );
}

function later(reply: FastifyReply, error: string): FastifyReply {
  return reply.header('retry-after', '60').send({ error });
}

/** So many a minute, by the clock of the process. */
class Budget {
  readonly #most: number;
  #spent = 0;
  #since = performance.now();

  constructor(most: number) {
    this.#most = most;
  }

  spend(): boolean {
    if (performance.now() - this.#since >= MINUTE_MS) [this.#spent, this.#since] = [0, performance.now()];
    if (this.#spent >= this.#most) return false;
    this.#spent += 1;
    return true;
  }
}
