import { isIPv4 } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import { calendars } from './calendars.ts';
import { health } from './health.ts';
import { metrics } from './metrics.ts';
import type { AdminOptions } from './options.ts';
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
  const server: FastifyInstance = fastify({
    bodyLimit: 65_536,
    forceCloseConnections: true,
    // Whoever sends one byte after the other does not hold a connection for ever.
    requestTimeout: 5_000,
    connectionTimeout: 30_000,
  });
  server.addHook('onRequest', async (request, reply) => {
    // A calendar is for whoever knows its token; a proxy before it has a name of its own.
    const isForAll = request.routeOptions.url?.startsWith('/calendars/') === true;
    if (!isForAll && !LOCAL_HOST.test(request.headers.host ?? '')) {
      await reply.code(421).send({ error: 'the admin server answers to localhost only' });
    }
  });
  await server.register(health, { house });
  await server.register(metrics, { house });
  await server.register(calendars, { house });
  const { host, port } = hostAndPort(options);
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const why = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be used (${code})`;
    return {
      kind: 'refused',
      problem: `admin.listen: TCP ${options.listen} ${why}: stop that program, or choose another port with --set admin.listen=${host}:PORT`,
    };
  }
  const address = server.server.address();
  return {
    kind: 'listening',
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () => server.close(),
  };
}

/** Null when the address is allowed, else what to tell the admin. */
export function refusesAddress(options: AdminOptions): string | null {
  const { host } = hostAndPort(options);
  // A name other than localhost is not looked up: what it means can change after the check.
  if (host === '::1' || host === 'localhost' || (isIPv4(host) && host.startsWith('127.'))) return null;
  return (
    `admin.listen: ${host} can be reached from other machines, and the admin server has no TLS and no sign-in yet: ` +
    'use 127.0.0.1, and an SSH tunnel from afar'
  );
}

function hostAndPort({ listen }: AdminOptions): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}
