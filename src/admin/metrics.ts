import type { FastifyInstance } from 'fastify';
import type { House } from './ports.ts';

/** `/metrics` in the text format of Prometheus. No name or number of a person is ever a label. */
export async function metrics(server: FastifyInstance, { house }: { house: House }): Promise<void> {
  server.get('/metrics', { schema: { response: { 200: { type: 'string' } } } }, async (_request, reply) => {
    const { contentType, text } = await house.metrics();
    return reply.type(contentType).send(text);
  });
}
