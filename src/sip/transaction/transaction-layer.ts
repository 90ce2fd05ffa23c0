import type { Clock } from '../clock.ts';
import {
  callIdOf,
  cseqOf,
  fromTagOf,
  type SipRequest,
  type SipResponse,
  topViaOf,
  toTagOf,
} from '../message/sip-message.ts';
import { magicCookie } from '../message/via.ts';
import type { Flow } from '../transport/flow.ts';
import { ClientInvite } from './client-invite.ts';
import { ClientNonInvite } from './client-non-invite.ts';
import type { ClientTransaction, ClientUser } from './client-transaction.ts';
import { HalfOpenCalls } from './half-open.ts';
import { ServerInvite } from './server-invite.ts';
import { ServerNonInvite } from './server-non-invite.ts';
import type { ServerTransaction } from './server-transaction.ts';
import type { SipTimers } from './timers.ts';

/** A request and where it came from. */
export interface Arrived {
  readonly request: SipRequest;
  readonly source: Flow;
}

export interface TransactionLayerOptions {
  readonly clock: Clock;
  readonly timers: SipTimers;
  /** Where responses to a request go that came over `source` (RFC 3261 18.2.2, RFC 3581 4). */
  readonly replyFlow: (request: SipRequest, source: Flow) => Flow;
  /** A new request, not ACK and not CANCEL. `isMerged`: the same request came over another path (RFC 3261 8.2.2.2). */
  readonly onRequest: (server: ServerTransaction, arrived: Arrived, isMerged: boolean) => void;
  /** Whether a new request, not ACK and not CANCEL, has been dealt with: then nothing is remembered of it. */
  readonly screens: (request: SipRequest, flow: Flow) => boolean;
  /** A CANCEL and the INVITE it means, if we have that. */
  readonly onCancel: (server: ServerTransaction, cancel: Arrived, invite: ServerInvite | undefined) => void;
  /** An ACK that acknowledges no failure of ours: the ACK of a 2xx, or a stray. */
  readonly onAck: (ack: SipRequest, flow: Flow) => void;
  /** A response to no living transaction, such as a 2xx after timer M. */
  readonly onStrayResponse: (response: SipResponse, flow: Flow) => void;
}

/** Finds the machine for each message (RFC 3261 17.1.3, 17.2.3) and forgets the ones that have ended. */
export class TransactionLayer {
  readonly halfOpen = new HalfOpenCalls();
  readonly #options: TransactionLayerOptions;
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();
  /** Requests being served, by what stays the same over every path they may take. */
  readonly #origins = new Map<string, ServerTransaction>();

  constructor(options: TransactionLayerOptions) {
    this.#options = options;
  }

  /** Living machines: for tests and metrics. */
  get counts(): { clients: number; servers: number } {
    return { clients: this.#clients.size, servers: this.#servers.size };
  }

  /** How many there are, by `client invite calling` and the like: looks at each of them. */
  get states(): ReadonlyMap<string, number> {
    const states = new Map<string, number>();
    for (const [side, transactions] of [
      ['client', this.#clients],
      ['server', this.#servers],
    ] as const) {
      for (const { method, state } of transactions.values()) {
        const key = `${side} ${method === 'INVITE' ? 'invite' : 'other'} ${state}`;
        states.set(key, (states.get(key) ?? 0) + 1);
      }
    }
    return states;
  }

  /** Starts a client transaction. The request's top Via must be ours, with its own branch. */
  start(request: SipRequest, flow: Flow, user: ClientUser): ClientTransaction {
    const key = clientKey(topViaOf(request)?.params.get('branch') ?? '', request.method);
    const { clock, timers } = this.#options;
    const context = { flow, clock, timers, onTerminated: () => this.#clients.delete(key) };
    const Machine = request.method === 'INVITE' ? ClientInvite : ClientNonInvite;
    const transaction = new Machine(request, context, user);
    this.#clients.set(key, transaction);
    return transaction;
  }

  receiveResponse(response: SipResponse, flow: Flow): void {
    const key = clientKey(topViaOf(response)?.params.get('branch') ?? '', cseqOf(response).method);
    const transaction = this.#clients.get(key);
    if (transaction === undefined) this.#options.onStrayResponse(response, flow);
    else transaction.receive(response, flow);
  }

  receiveRequest(request: SipRequest, flow: Flow): void {
    const key = serverKey(request, request.method === 'ACK' ? 'INVITE' : request.method);
    const known = this.#servers.get(key);
    if (request.method === 'ACK') {
      if (known instanceof ServerInvite && known.acknowledge()) return;
      return this.#options.onAck(request, flow);
    }
    if (known !== undefined) return known.repeat();
    if (request.method !== 'CANCEL' && this.#options.screens(request, flow)) return;
    const origin = originKey(request);
    const server = this.#serve(request, flow, key, origin);
    if (request.method === 'CANCEL') {
      const invite = this.#servers.get(serverKey(request, 'INVITE'));
      return this.#options.onCancel(
        server,
        { request, source: flow },
        invite instanceof ServerInvite ? invite : undefined,
      );
    }
    const isMerged = origin !== undefined && this.#origins.has(origin);
    if (origin !== undefined && !isMerged) this.#origins.set(origin, server);
    this.#options.onRequest(server, { request, source: flow }, isMerged);
  }

  /** Forgets every transaction without a word: the endpoint closes. */
  close(): void {
    for (const transaction of this.#clients.values()) transaction.abandon();
    for (const transaction of this.#servers.values()) transaction.abandon();
  }

  #serve(request: SipRequest, source: Flow, key: string, origin: string | undefined): ServerTransaction {
    const { clock, timers, replyFlow } = this.#options;
    const onTerminated = () => {
      this.#servers.delete(key);
      if (origin !== undefined && this.#origins.get(origin) === server) this.#origins.delete(origin);
    };
    const Machine = request.method === 'INVITE' ? ServerInvite : ServerNonInvite;
    const isInvite = request.method === 'INVITE';
    const server: ServerTransaction = new Machine(request, {
      flow: replyFlow(request, source),
      clock,
      timers,
      ...(isInvite ? { onAnswered: this.halfOpen.add(source.remote.host) } : {}),
      onTerminated,
    });
    this.#servers.set(key, server);
    return server;
  }
}

function clientKey(branch: string, method: string): string {
  return `${method} ${branch}`;
}

function serverKey(request: SipRequest, method: string): string {
  const via = topViaOf(request);
  const branch = via?.params.get('branch') ?? '';
  if (branch.startsWith(magicCookie)) return `${method} ${branch} ${via?.host} ${via?.port}`;
  // RFC 2543 peers: RFC 3261 17.2.3 matches on everything that stays the same in a retransmission. The ACK and the
  // CANCEL differ from their INVITE in the To tag and the method, so those are left out.
  const port = via?.port === undefined ? '' : `:${via.port}`;
  return `${method} 2543 ${request.uri} ${callIdOf(request)} ${cseqOf(request).number} ${fromTagOf(request)} ${via?.host}${port} ${branch}`;
}

function originKey(request: SipRequest): string | undefined {
  if (request.method === 'CANCEL' || toTagOf(request) !== '') return undefined;
  return `${callIdOf(request)} ${fromTagOf(request)} ${request.headers.get('CSeq')}`;
}
