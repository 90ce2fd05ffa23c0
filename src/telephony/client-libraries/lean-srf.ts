import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { leanMessages, LibraryMessage } from './lean-messages.ts';
import { PendingInvites } from './pending-invites.ts';

interface SendOptions {
  readonly headers?: object;
  readonly body?: string;
  readonly stackTxnId?: string;
  readonly stackDialogId?: string;
}

interface Agent {
  readonly wp: { send: (socket: Socket, text: string) => string };
  _initServer: (this: Agent, socket: Socket) => { pendingNetworkInvites: unknown };
  sendMessage: (this: Agent, socket: Socket, message: LibraryMessage, options?: SendOptions) => string;
}

const require = createRequire(import.meta.url);

/** The version whose inside this folder knows. */
const known = '5.0.29';

let isLean = false;

/**
 * drachtio-srf 5.0.29 writes each message down twice, once for a line of `debug` that is switched off, and again as JSON
 * for two more; and reads and looks up headers slowly (`leanMessages`). Here it does the same with less, and tells callers with
 * one Call-ID apart (`PendingInvites`). Call before the first connection; may be called twice. false: it is another version, and
 * everything stays the library's own.
 */
export function leanSrf(version = versionOfSrf()): boolean {
  if (version !== known || isLean) return version === known;
  isLean = true;
  leanMessages();
  const { prototype: agent } = require('drachtio-srf/lib/drachtio-agent.js') as { prototype: Agent };
  const { sendMessage: sendByLibrary, _initServer: beginByLibrary } = agent;
  agent._initServer = function (socket) {
    const server = beginByLibrary.call(this, socket);
    server.pendingNetworkInvites = new PendingInvites();
    return server;
  };
  agent.sendMessage = function (socket, message, options) {
    if (!(socket instanceof Socket)) return sendByLibrary.call(this, socket, message, options);
    const { headers, body, stackTxnId, stackDialogId } = options ?? {};
    let said = message;
    if (headers || body) {
      said = new LibraryMessage(message);
      said.set(headers ?? {});
      if (body) said.body = body;
    }
    return this.wp.send(socket, `sip|${stackTxnId || ''}|${stackDialogId || ''}\r\n${String(said)}`);
  };
  const { prototype: wire } = require('drachtio-srf/lib/wire-protocol.js') as { prototype: Agent['wp'] };
  wire.send = (socket, text) => {
    const id = randomUUID();
    const frame = `${id}|${text}`;
    socket.write(`${Buffer.byteLength(frame)}#${frame}`);
    return id;
  };
  // Nobody reads what those lines say, and a message holds the names of people.
  Object.defineProperty(LibraryMessage.prototype, 'toJSON', { value: () => '[message]', configurable: true });
  return true;
}

function versionOfSrf(): string {
  return (require('drachtio-srf/package.json') as { version: string }).version;
}
