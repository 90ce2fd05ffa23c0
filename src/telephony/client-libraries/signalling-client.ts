import type { Socket } from 'node:net';
import Srf from 'drachtio-srf';
import type { SrfClient, SrfDialog, SrfRequest } from './srf-types.ts';

/** drachtio-srf with the options it needs. Nothing is connected yet. */
export function createSrf(appTag: string): SrfClient {
  return new Srf(appTag) as unknown as SrfClient;
}

export function connectSrf(srf: SrfClient, to: { host: string; port: number; secret: string }): void {
  // drachtio-srf 5.0.29 lengthens the pause between attempts by 1.7 without end unless told where to stop.
  srf.connect({ ...to, reconnect: { retryMaxDelay: 1000 } });
}

/** drachtio-srf 5.0.29: `disconnect` throws while there is no connection, and then goes on trying to get one. */
export function disconnectSrf(srf: SrfClient): void {
  const wire = agentOf(srf)?.wp;
  if (wire) {
    wire.closing = true;
    clearTimeout(wire.reconnectVars.retryTimer ?? undefined);
  }
  if (agentOf(srf)?.mapServer.size) srf.disconnect();
}

/**
 * drachtio-srf 5.0.29 makes a system call for each message, a sixth of all work under load. What one turn of the event
 * loop has to say goes out together, once for every connection.
 */
export function writeTogether(srf: SrfClient): void {
  const socket = agentOf(srf)?.mapServer.keys().next().value;
  if (socket === undefined) return;
  const write = socket.write.bind(socket) as (...said: unknown[]) => boolean;
  let isCorked = false;
  const together = (...said: unknown[]): boolean => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      setImmediate(() => {
        isCorked = false;
        socket.uncork();
      });
    }
    return write(...said);
  };
  socket.write = together;
}

/** What the library keeps per connection and forgets with it. */
export interface Unfinished {
  /** Commands that the server has not confirmed. */
  readonly pendingRequests: Map<string, (tokens: readonly string[]) => void>;
  /** Our requests without a final answer, by transaction. */
  readonly pendingSipRequests: Map<string, { req: SrfRequest }>;
}

/** The current connection's; undefined while there is none. */
export function unfinishedOf(srf: SrfClient): Unfinished | undefined {
  return agentOf(srf)?.mapServer.values().next().value;
}

/**
 * drachtio-srf 5.0.29: dialogs made on a connection that was lost reject every request until they are given the
 * socket of the new one. The server knows them by id and does not care who asks.
 */
export function rehome(srf: SrfClient, dialogs: Iterable<SrfDialog>): void {
  const socket = agentOf(srf)?.mapServer.keys().next().value;
  if (socket === undefined) return;
  for (const dialog of dialogs) {
    dialog.req.socket = socket;
    dialog.res.socket = socket;
  }
}

/**
 * drachtio-srf 5.0.29: whoever waits for an answer that was due on a lost connection waits for ever; the server drops
 * those answers, and cancels the calls that were being placed. So each is answered here as by a server that is gone.
 */
export function failUnfinished(unfinished: Unfinished): void {
  for (const confirm of unfinished.pendingRequests.values()) confirm(['NOK', 'connection lost']);
  unfinished.pendingRequests.clear();
  const lost = { status: 503, reason: 'Connection lost', body: '', has: () => false, get: () => undefined };
  for (const { req } of unfinished.pendingSipRequests.values()) req.emit('response', lost, () => {});
  unfinished.pendingSipRequests.clear();
}

/**
 * Asks the server for each dialog; one that it does not know, because it was started anew, ends as if by BYE. Its
 * listeners are told through the library's own event (drachtio-srf 5.0.29 has no other way to end one from outside).
 */
export function endUnknown(dialogs: Iterable<SrfDialog>): void {
  for (const dialog of dialogs) {
    dialog.request({ method: 'OPTIONS' }, (error) => {
      if ((error as { code?: unknown } | null)?.code !== 'ENODIALOG') return;
      dialog.emit('destroy', dialog.req, 'unknown dialog');
      // Nobody hears this BYE; it makes the library forget the dialog.
      dialog.destroy({}, () => {});
    });
  }
}

/** Inside of drachtio-srf; undefined before `connect`. */
interface Agent {
  readonly mapServer: Map<Socket, Unfinished>;
  readonly wp: { closing?: boolean; readonly reconnectVars: { retryTimer: NodeJS.Timeout | null } };
}

function agentOf(srf: SrfClient): Agent | undefined {
  return (srf as SrfClient & { _app: { client?: Agent } })._app.client;
}
