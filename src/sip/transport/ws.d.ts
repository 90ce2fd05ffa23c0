/** What we use of the library `ws` (version 8), which brings no types. */
declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';

  export class WebSocket extends EventEmitter {
    constructor(
      address: string,
      protocols: string | readonly string[],
      options?: { rejectUnauthorized?: boolean; ca?: string },
    );
    readonly bufferedAmount: number;
    send(data: string | Buffer): void;
    ping(): void;
    close(): void;
    terminate(): void;
  }

  export class WebSocketServer {
    constructor(options: {
      noServer: true;
      clientTracking: false;
      perMessageDeflate: false;
      maxPayload: number;
      handleProtocols: () => string;
    });
    handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Buffer,
      onOpen: (connection: WebSocket) => void,
    ): void;
  }
}
