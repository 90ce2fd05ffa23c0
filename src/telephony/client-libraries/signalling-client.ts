import Srf from 'drachtio-srf';
import type { SrfClient, SrfDialog, SrfRequest, SrfResponse } from './srf-types.ts';

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

/** What the library keeps per connection and forgets with it. */
export interface Unfinished {
  /** INVITEs of callers without a final answer, by Call-ID. */
  readonly pendingNetworkInvites: Map<string, { req: SrfRequest; res: SrfResponse }>;
  /** Our requests without a final answer, by transaction. */
  readonly pendingSipRequests: Map<string, { req: SrfRequest }>;
}

/**
 * drachtio-srf 5.0.29: what was begun on a connection that was lost stays tied to it: dialogs reject every request,
 * answers to callers are dropped, answers of phones are not recognised. All of it is given to the new connection; the
 * server knows dialogs and transactions by id. Returns what to pass as `before` the next time.
 */
export function rehome(srf: SrfClient, dialogs: Iterable<SrfDialog>, before: Unfinished | null): Unfinished | null {
  const [socket, now] = agentOf(srf)?.mapServer.entries().next().value ?? [];
  if (socket === undefined || now === undefined) return before;
  for (const dialog of dialogs) {
    dialog.req.socket = socket;
    dialog.res.socket = socket;
  }
  for (const [callId, invite] of before?.pendingNetworkInvites ?? []) {
    invite.req.socket = socket;
    invite.res.socket = socket;
    now.pendingNetworkInvites.set(callId, invite);
  }
  for (const [transaction, sent] of before?.pendingSipRequests ?? []) {
    sent.req.socket = socket;
    now.pendingSipRequests.set(transaction, sent);
  }
  return now;
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
  readonly mapServer: Map<object, Unfinished>;
  readonly wp: { closing?: boolean; readonly reconnectVars: { retryTimer: NodeJS.Timeout | null } };
}

function agentOf(srf: SrfClient): Agent | undefined {
  return (srf as SrfClient & { _app: { client?: Agent } })._app.client;
}
