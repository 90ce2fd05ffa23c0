import type { Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import Srf from 'drachtio-srf';
import type { Headers, SrfClient, SrfDialog, SrfRequest, SrfResponse, SrfResponseIn } from './srf-types.ts';

/** drachtio-srf with the options it needs. Nothing is connected yet. */
export function createSrf(appTag: string): SrfClient {
  return new Srf(appTag) as unknown as SrfClient;
}

export interface ControlAddress {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** null: in clear. */
  readonly tls: ConnectionOptions | null;
}

const retryTlsMs = 1000;

/** Connects, and connects again whenever the connection is lost, until `disconnectSrf`. */
export function connectSrf(srf: SrfClient, { tls, ...to }: ControlAddress): void {
  // drachtio-srf 5.0.29 lengthens the pause between attempts by 1.7 without end unless told where to stop.
  if (tls === null) return void srf.connect({ ...to, reconnect: { retryMaxDelay: 1000 } });
  // drachtio-srf 5.0.29 connects again in clear after a TLS connection was lost: the secret would be read by anybody on
  // the way. So it is told to give up at once, and is handed the next TLS connection from here.
  srf.connect({ ...to, tls, reconnect: { retryMaxDelay: 1000, maxAttempts: 1 } });
  const wire = agentOf(srf)?.wp;
  if (!wire) return;
  wire.on('close', () => {
    if (wire.closing) return;
    wire.reconnectVars.retryTimer = setTimeout(() => {
      wire.reconnectVars.retryTimer = null;
      wire.installListeners(connectTls({ ...tls, host: to.host, port: to.port }).setKeepAlive(true));
    }, retryTlsMs);
  });
}

/** What a server may send before a message of its is complete: the longest SIP message there is, and the frame around it. */
const maxHeldBytes = 1024 * 1024;

/**
 * drachtio-srf 5.0.29 throws out of the socket, which ends the process, for a frame that it cannot read, and keeps
 * without end what is no frame. The connection is ended instead, and `onFault` is told. Call after `connectSrf`.
 */
export function guardWire(srf: SrfClient, onFault: (why: string) => void): void {
  const wire = agentOf(srf)?.wp;
  wire?.on('connect', (socket) => {
    const [read] = socket.listeners('data') as ((bytes: Buffer) => void)[];
    socket.removeAllListeners('data');
    socket.on('data', (bytes: Buffer) => {
      try {
        read?.(bytes);
        const held = wire.mapIncomingMsg.get(socket)?.incomingMsg;
        if (held === undefined || held.length === 0) return;
        const isFrame = (held[0] ?? 0) >= 0x30 && (held[0] ?? 0) <= 0x39 && held.length <= maxHeldBytes;
        if (isFrame) return;
      } catch {
        // The message would repeat what the server has sent.
      }
      onFault('it does not speak the control protocol');
      socket.destroy();
    });
  });
}

export function isConnected(srf: SrfClient): boolean {
  return (agentOf(srf)?.mapServer.size ?? 0) > 0;
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

/**
 * Asks the server whether it is there; `answered` runs when it says so. drachtio-srf 5.0.29 has pings of its own and
 * never looks whether they were answered.
 */
export function ping(srf: SrfClient, answered: () => void): void {
  const agent = agentOf(srf);
  const [socket, unfinished] = agent?.mapServer.entries().next().value ?? [];
  if (!agent || !socket || !unfinished) return;
  unfinished.pendingRequests.set(agent.wp.send(socket, 'ping'), answered);
}

/** Ends the connection on our side only: a server that hangs would never agree. The library makes a new one. */
export function dropConnection(srf: SrfClient): void {
  agentOf(srf)?.mapServer.keys().next().value?.destroy();
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
 * drachtio-srf 5.0.29: dialogs made on a connection that was lost reject every request until they are given the socket
 * of the new one, and requests without an answer every response. The server knows them by id and does not care who asks.
 */
export function rehome(
  srf: SrfClient,
  dialogs: Iterable<SrfDialog>,
  unanswered: Iterable<readonly [SrfRequest, SrfResponse]> = [],
): void {
  const socket = agentOf(srf)?.mapServer.keys().next().value;
  if (socket === undefined) return;
  for (const dialog of dialogs) {
    dialog.req.socket = socket;
    dialog.res.socket = socket;
  }
  for (const [request, response] of unanswered) {
    request.socket = socket;
    response.socket = socket;
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

/** Who is told of a dialog that the server does not know. */
export interface Unknown {
  /** Told first; why is not known yet. */
  unknown(): void;
  /** The server was started anew: it remembers nothing. */
  forgotten(): void;
  /** It has ended while we were not connected, and nobody could tell us. */
  ended(): void;
}

/**
 * Asks the server for each dialog. One that it knows, also among `others`, shows that it was not started anew: those it
 * does not know have ended. drachtio-server 0.9.10 shows a BYE to nobody when the connection that it belongs to is gone.
 */
export function findUnknown(
  dialogs: ReadonlyMap<SrfDialog, Unknown>,
  others: Iterable<SrfDialog>,
  after: (ms: number, run: () => void) => unknown,
): void {
  const unknown: Unknown[] = [];
  let tell: ((one: Unknown) => void) | null = null;
  const decide = (how: 'forgotten' | 'ended'): void => {
    if (tell !== null) return;
    tell = (one) => one[how]();
    unknown.forEach(tell);
  };
  const ask = (dialog: SrfDialog, one?: Unknown): void => {
    dialog.request({ method: 'OPTIONS' }, (error) => {
      if (!isUnknownDialog(error)) return void (error || decide('ended'));
      if (one === undefined) return;
      one.unknown();
      if (tell === null) unknown.push(one);
      else tell(one);
    });
  };
  for (const [dialog, one] of dialogs) ask(dialog, one);
  for (const dialog of others) ask(dialog);
  after(decideAfterMs, () => decide('forgotten'));
}

/** One phone that answers its OPTIONS is enough. */
const decideAfterMs = 1000;

/** The server's "unable to find dialog". */
export function isUnknownDialog(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === 'ENODIALOG';
}

/**
 * An answer that could not be sent, for the request is over: its caller has cancelled it, or the server was started anew.
 * drachtio-srf 5.0.29 has a code for unknown dialogs and only the server's words for this.
 */
export function isUnknownRequest(error: Error | null): boolean {
  return error?.message.includes('unknown transaction') === true;
}

/**
 * BYE in a dialog that the server does not know, put together from what the library remembers of it (RFC 3261
 * 12.2.1.1), so that the phone does not sit in silence. It goes straight to the Contact.
 */
export function byeFromMemory(srf: SrfClient, dialog: SrfDialog, headers: Headers): void {
  const { sip, remote } = dialog;
  // Of another process: who made it has taken the address along.
  if (remote.uri === '') return;
  const said = {
    'Call-ID': sip.callId,
    From: `<sip:wardline@localhost>;tag=${sip.localTag}`,
    To: `<${remote.uri}>;tag=${sip.remoteTag}`,
    // Above whatever the server had counted to.
    CSeq: '1073741824 BYE',
    ...headers,
  };
  try {
    srf.request(remote.uri, { method: 'BYE', headers: said }, () => {});
  } catch {
    // Not connected again: there is no way to tell the phone.
  }
}

/**
 * A request in a dialog known by its id alone: one that a process before this one made. `done` is told the final
 * status; null when the server does not know the dialog; not at all when no answer comes.
 */
export function requestById(
  srf: SrfClient,
  method: 'BYE' | 'OPTIONS',
  dialogId: string,
  done: (status: number | null) => void = () => {},
): void {
  try {
    agentOf(srf)?.request({ method, stackDialogId: dialogId, headers: {} }, (error, request) => {
      if (isUnknownDialog(error)) done(null);
      request?.on('response', ({ status }) => status >= 200 && done(status));
    });
  } catch {
    // Not connected. Whoever asks for an outcome asks again.
  }
}

/** OPTIONS out of any dialog. `done` is told the final status; null when it could not be sent; not at all when no answer comes. */
export function askOptions(srf: SrfClient, uri: string, done: (status: number | null) => void): void {
  try {
    srf.request(uri, { method: 'OPTIONS', headers: {} }, (error, request) => {
      if (error) done(null);
      request?.on('response', ({ status }) => status >= 200 && done(status));
    });
  } catch {
    done(null);
  }
}

/**
 * Ends an INVITE that a process before this one left without a final answer: 503 for a caller, CANCEL for a phone.
 * drachtio-server 0.9.10 does neither by itself, and takes both from any connection; a server that has ended it already
 * says that it does not know it.
 */
export function endById(srf: SrfClient, whose: 'theirs' | 'ours', id: string): void {
  const agent = agentOf(srf);
  const socket = agent?.mapServer.keys().next().value;
  if (agent === undefined || socket === undefined) return;
  const start =
    whose === 'theirs' ? 'SIP/2.0 503 Service Unavailable\r\nRetry-After: 5' : 'CANCEL sip:wardline SIP/2.0';
  agent.wp.send(socket, `sip|${id}|\r\n${start}\r\nContent-Length: 0\r\n\r\n`);
}

/** Inside of drachtio-srf; undefined before `connect`. */
interface Agent {
  readonly mapServer: Map<Socket, Unfinished>;
  request(
    options: { method: string; stackDialogId: string; headers: object },
    callback: (
      error: unknown,
      request?: { on(event: 'response', run: (response: SrfResponseIn) => void): void },
    ) => void,
  ): void;
  readonly wp: {
    closing?: boolean;
    readonly reconnectVars: { retryTimer: NodeJS.Timeout | null };
    on(event: 'close', run: () => void): void;
    on(event: 'connect', run: (socket: Socket) => void): void;
    readonly mapIncomingMsg: Map<Socket, { readonly incomingMsg: Buffer }>;
    installListeners(socket: Socket): void;
    /** Gives the id by which the answer is known. */
    send(socket: Socket, message: string): string;
  };
}

export function agentOf(srf: SrfClient): Agent | undefined {
  return (srf as SrfClient & { _app: { client?: Agent } })._app.client;
}
