import { type FastifyInstance, fastify } from 'fastify';
import { health } from './health.ts';
import { metrics } from './metrics.ts';
import { type AdminOptions, isLoopback } from './options.ts';
import type { House } from './ports.ts';

export type AdminStart =
  | { readonly kind: 'listening'; readonly port: number; close(): Promise<void> }
  | { readonly kind: 'refused'; readonly problem: string };

/** Host names a browser may use for this server; another one means DNS rebinding. */
const LOCAL_HOST = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/;

/** Starts the admin server, one plugin per resource. */
export async function startAdmin(options: AdminOptions, house: House): Promise<AdminStart> {
  const refusal = refusesAddress(options);
  if (refusal !== null) return { kind: 'refused', problem: refusal };
  const server: FastifyInstance = fastify({ bodyLimit: 65_536, forceCloseConnections: true });
  server.addHook('onRequest', async (request, reply) => {
    if (!LOCAL_HOST.test(request.headers.host ?? '')) {
      await reply.code(421).send({ error: 'the admin server answers to localhost only' });
    }
  });
  await server.register(health, { house });
  await server.register(metrics, { house });
  try {
    await server.listen({ host: options.host, port: options.port });
  } catch (error) {
    await server.close();
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const why = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be used (${code})`;
    return {
      kind: 'refused',
      problem: `admin: TCP ${options.host}:${options.port} ${why}: stop that program, or choose another port with --set admin.port=PORT`,
    };
  }
  const address = server.server.address();
  return {
    kind: 'listening',
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () => server.close(),
  };
}

/** Null when the address is allowed, else what to tell the admin. */
export function refusesAddress(options: AdminOptions): string | null {
  if (isLoopback(options.host)) return null;
  return (
    `admin.host: ${options.host} can be reached from other machines, and the admin server has no TLS and no sign-in yet: ` +
    'use 127.0.0.1, and an SSH tunnel from afar'
  );
}
