import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';

const subprotocol = 'sip';

/** Turns accepted connections into WebSockets that speak SIP (RFC 7118 4). Whoever asks for anything else hears nothing. */
export class WsGate {
  readonly #http: Server;
  readonly #waiting = new WeakMap<Duplex, (connection: WebSocket) => void>();
  readonly #origins: ReadonlySet<string>;

  private constructor(upgrades: WebSocketServer, origins: readonly string[]) {
    this.#origins = new Set(origins);
    this.#http = createServer((request) => request.socket.destroy());
    this.#http.on('clientError', (_error, socket) => socket.destroy());
    this.#http.on('upgrade', (request, socket, head) => {
      const onOpen = this.#waiting.get(socket);
      if (onOpen === undefined || !this.#isForUs(request)) return void socket.destroy();
      upgrades.handleUpgrade(request, socket, head, onOpen);
    });
  }

  /** `origins`: whose pages may connect, `https://desk.example.org`; empty for all. Loads the library. */
  static async open(messageBytes: number, origins: readonly string[]): Promise<WsGate> {
    const { WebSocketServer } = await import('ws');
    const upgrades = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // It costs each connection more memory than the messages of a call have bytes.
      perMessageDeflate: false,
      maxPayload: messageBytes,
      handleProtocols: () => subprotocol,
    });
    return new WsGate(upgrades, origins);
  }

  /** `onOpen` is called once, or the socket closes. */
  accept(socket: Socket, onOpen: (connection: WebSocket) => void): void {
    this.#waiting.set(socket, onOpen);
    this.#http.emit('connection', socket);
  }

  #isForUs({ headers }: IncomingMessage): boolean {
    const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim().toLowerCase()) ?? [];
    const { origin } = headers;
    // Without an Origin it is no browser, and no page of a stranger speaks through it.
    return (
      offered.includes(subprotocol) && (origin === undefined || this.#origins.size === 0 || this.#origins.has(origin))
    );
  }
}
