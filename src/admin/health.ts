import type { FastifyInstance } from 'fastify';
import type { House } from './ports.ts';

const readiness = {
  type: 'object',
  required: ['isReady', 'parts'],
  additionalProperties: false,
  properties: {
    isReady: { type: 'boolean' },
    parts: {
      type: 'array',
      items: {
        type: 'object',
        required: ['part', 'isGood', 'says'],
        additionalProperties: false,
        properties: { part: { type: 'string' }, isGood: { type: 'boolean' }, says: { type: 'string' } },
      },
    },
  },
} as const;

/** `/healthz`: the process lives. `/readyz`: 200 when a call would be taken now, else 503 with the part that is not good. */
export async function health(server: FastifyInstance, { house }: { house: House }): Promise<void> {
  server.get(
    '/healthz',
    {
      schema: {
        response: { 200: { type: 'object', required: ['isAlive'], properties: { isAlive: { type: 'boolean' } } } },
      },
    },
    () => ({ isAlive: true }),
  );
  server.get('/readyz', { schema: { response: { 200: readiness, 503: readiness } } }, (_request, reply) => {
    const now = house.readiness();
    return reply.code(now.isReady ? 200 : 503).send(now);
  });
}
