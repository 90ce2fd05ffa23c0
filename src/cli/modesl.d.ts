/** modesl 1.2.1 ships no typings; this is the part of it that we use. */
declare module 'modesl' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  class Connection extends EventEmitter {
    /** Connects and authenticates at once; `onReady` when both are done. Never tries again by itself. */
    constructor(host: string, port: number, password: string, onReady: () => void);
    /** null once the other end has closed. */
    readonly socket: Socket | null;
    api(command: string, onReply: (reply: { getBody(): string | undefined }) => void): void;
  }
  const modesl: { readonly Connection: typeof Connection };
  export default modesl;
}
