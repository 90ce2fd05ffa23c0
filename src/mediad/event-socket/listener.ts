/** The listening side of the event socket. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { ApiContext } from './api-commands.ts';
import { Session } from './session.ts';

const MAX_SESSIONS = 64;

export class EventSocketListener {
  readonly #server: Server;
  readonly #sessions = new Set<Session>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects with Node's error (EADDRINUSE, EACCES …). */
  static async open(
    address: { host: string; port: number },
    secret: string,
    context: ApiContext,
  ): Promise<EventSocketListener> {
    const server = createServer();
    const listener = new EventSocketListener(server);
    server.on('connection', (socket) => {
      if (listener.#sessions.size >= MAX_SESSIONS) {
        // Nobody else listens for its errors, and it may be left open by the other side.
        socket.on('error', () => {});
        socket.end('Content-Type: text/rude-rejection\nContent-Length: 24\n\nToo many connections.\n\n\n');
        return socket.destroySoon();
      }
      const session = new Session({
        socket,
        context,
        role: { kind: 'inbound', secret },
        onClosed: () => listener.#sessions.delete(session),
      });
      listener.#sessions.add(session);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address.port, address.host, resolve);
    });
    server.on('error', () => {});
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const session of this.#sessions) session.close();
  }
}
