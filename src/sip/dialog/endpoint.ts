import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../clock.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { ParseResult } from '../message/parse-message.ts';
import type { Headers } from '../message/headers.ts';
import { responseTo, serialise, type SipRequest, type SipResponse, toTagOf } from '../message/sip-message.ts';
import { ProxyCore, type ProxyOptions } from '../proxy/proxy-core.ts';
import type { ProxyingHandlers } from '../proxy/proxying.ts';
import { type Random, systemRandom } from '../random.ts';
import { type SipTimers, standardTimers } from '../transaction/timers.ts';
import { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { Flow, HostPort, ListenAddress, Protocol, Vantage } from '../transport/flow.ts';
import { type Network, systemNetwork } from '../transport/network.ts';
import type { TlsCredentials } from '../transport/tls-gate.ts';
import type { WireTap } from '../transport/traffic.ts';
import { defaultTransportLimits, Transport, type TransportLimits } from '../transport/transport.ts';
import type { Dialog } from './dialog.ts';
import type { DialogSnapshot } from './dialog-snapshot.ts';
import { DialogTable } from './dialog-table.ts';
import type { EndpointHandlers } from './endpoint-handlers.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { OutgoingHandlers } from './outgoing-request.ts';
import { statelessTag } from './stateless-tag.ts';
import { RequestSender } from './request-sender.ts';
import { type NewRequest, type RequestResult, UserAgentClient } from './user-agent-client.ts';
import { UserAgentServer } from './user-agent-server.ts';
import { Ways } from './ways.ts';

export interface EndpointOptions {
  readonly listen: readonly ListenAddress[];
  readonly handlers: EndpointHandlers;
  /** The host name or address that peers outside this machine are told; our own address towards them if absent. */
  readonly advertisedHost?: string | undefined;
  /** Option tags a peer may put into Require; anything else is answered 420. */
  readonly supported?: readonly string[];
  /** Marks the calls we are proxy of. Random if absent: then those calls do not outlive the endpoint. */
  readonly relayKey?: Buffer;
  /** Whether sessions end that nobody refreshes, RFC 4028; `supported` should name `timer` then. */
  readonly sessionTimers?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly timers?: SipTimers;
  readonly network?: Network;
  readonly logger?: Logger;
  readonly limits?: TransportLimits;
  /** Whose pages may speak to us by WebSocket; all if absent or empty. */
  readonly webOrigins?: readonly string[] | undefined;
  /** Who is let in; everybody if absent. */
  readonly admission?: EndpointAdmission | undefined;
  /** Needed to listen on TLS and WSS, and to dial TLS. */
  readonly tls?: TlsCredentials | undefined;
  /** Sees every message that is let in or sent. */
  readonly tap?: WireTap | undefined;
}

/** Whether bytes are parsed, and whether a request opens a transaction. */
export interface EndpointAdmission {
  /** Before parsing. */
  admits(bytes: Buffer, host: string): boolean;
  /** Before parsing too: whether an INVITE is served after everything else. */
  mayWait(bytes: Buffer): boolean;
  /**
   * A new request outside dialogs, not ACK and not CANCEL. 'ignore': not a byte comes back. A status: it is refused, and
   * nothing of it is remembered. Undefined: it is served.
   */
  screen(
    request: SipRequest,
    source: Flow,
    halfOpen: { readonly ofSource: number; readonly total: number },
  ): 'ignore' | { readonly status: number; readonly headers?: Headers } | undefined;
  /** Something that could not be served came from there. */
  malformed(source: Flow): void;
}

/** Counted since the start. */
export interface EndpointCounters {
  received: number;
  /** Malformed requests that were answered. */
  refused: number;
  /** What could not even be answered. */
  dropped: number;
  strayResponses: number;
}

/**
 * A SIP user agent: transports, transactions and dialogs in one. It answers 100, CANCEL, merged requests, strays and
 * malformed requests itself, repeats what must be repeated, and passes everything else up.
 */
export class SipEndpoint {
  readonly counters: EndpointCounters = { received: 0, refused: 0, dropped: 0, strayResponses: 0 };
  readonly #random: Random;
  readonly #admission: EndpointAdmission | undefined;
  readonly #ways: Ways;
  readonly #dialogs: DialogTable;
  readonly #layer: TransactionLayer;
  readonly #client: UserAgentClient;
  readonly #proxy: ProxyCore;
  #transport!: Transport;
  #tagKey: string | undefined;
  #isClosed = false;
  #isOpen = false;

  private constructor(options: EndpointOptions, surroundings: Surroundings) {
    const { handlers, advertisedHost } = options;
    const { clock, random, timers, network, logger } = surroundings;
    this.#random = random;
    this.#admission = options.admission;
    this.#ways = new Ways({ network, clock, random, advertisedHost });
    this.#dialogs = new DialogTable((dialog, ending) => handlers.onDialogEnded(dialog, ending));
    this.#layer = new TransactionLayer({
      clock,
      timers,
      replyFlow: (request, source) => this.#ways.back(request, source),
      onRequest: (transaction, arrived, isMerged) => server.requested(transaction, arrived, isMerged),
      screens: (request, flow) => this.#screens(request, flow),
      onCancel: (transaction, cancel, invite) => server.cancelled(transaction, cancel, invite),
      onAck: (ack, flow) => server.acknowledged(ack, flow),
      onStrayResponse: () => void this.counters.strayResponses++,
    });
    const [ways, dialogs, layer] = [this.#ways, this.#dialogs, this.#layer];
    const sender = new RequestSender({ clock, timers, random, logger, layer, ways });
    const hasSessionTimers = options.sessionTimers === true;
    this.#client = new UserAgentClient({ clock, timers, random, sender, ways, dialogs, hasSessionTimers });
    const supported = new Set(options.supported ?? []);
    const key = options.relayKey ?? randomBytes(32);
    const passBack = (incoming: IncomingRequest, response: SipResponse) => server.passBack(incoming, response);
    const onPassed = (request: SipRequest) => handlers.onPassed?.(request);
    this.#proxy = new ProxyCore({ clock, ways, sender, key, passBack, onPassed });
    const passage = this.#proxy;
    const server = new UserAgentServer({
      handlers,
      supported,
      random,
      dialogs,
      host: this.#client,
      passage,
      hasSessionTimers,
    });
  }

  /** Opens the sockets. Rejects with ListenError, which names the address, the reason and the remedy. */
  static async open(options: EndpointOptions): Promise<SipEndpoint> {
    const surroundings = surroundingsOf(options);
    const { network, clock, logger } = surroundings;
    const endpoint = new SipEndpoint(options, surroundings);
    endpoint.#transport = await Transport.open({
      listen: options.listen,
      network,
      clock,
      logger,
      limits: options.limits ?? defaultTransportLimits,
      tls: options.tls,
      tap: options.tap,
      webOrigins: options.webOrigins,
      admits: options.admission?.admits.bind(options.admission),
      mayWait: options.admission?.mayWait.bind(options.admission),
      onReceived: (result, flow) => endpoint.#received(result, flow),
    });
    endpoint.#ways.use(endpoint.#transport);
    endpoint.#isOpen = true;
    return endpoint;
  }

  /** Where it listens, with real port numbers. */
  get addresses(): ListenAddress[] {
    return this.#transport.addresses;
  }

  /** As `addresses`, a wildcard replaced by the address that faces the world. */
  get visibleAddresses(): ListenAddress[] {
    return this.#transport.visibleAddresses;
  }

  get protocols(): Protocol[] {
    return this.#transport.protocols;
  }

  /** Messages received and sent, by method and status. */
  get traffic(): Transport['traffic'] {
    return this.#transport.traffic;
  }

  get transportCounters(): Transport['counters'] & Readonly<Record<'newCallsWaiting' | 'newCallsStale', number>> {
    const { waiting, stale } = this.#transport.newCalls;
    return { ...this.#transport.counters, newCallsWaiting: waiting, newCallsStale: stale };
  }

  /** Living things: for metrics, and for tests that nothing is forgotten. */
  get counts(): { dialogs: number; clients: number; servers: number } {
    return { dialogs: this.#dialogs.size, ...this.#layer.counts };
  }

  /** Transactions by `client invite calling` and the like; it costs time for each of them. */
  get transactionStates(): ReadonlyMap<string, number> {
    return this.#layer.states;
  }

  /** INVITEs that nobody has answered yet. */
  get halfOpen(): number {
    return this.#layer.halfOpen.total;
  }

  /** Sends a request outside any dialog. Refused only for what can be known at once; the rest comes as a response. */
  request(draft: NewRequest, handlers: OutgoingHandlers): RequestResult {
    return this.#client.request(draft, handlers);
  }

  /**
   * Passes an unanswered request outside dialogs on to somebody else, whose answer goes back to the caller. With
   * `staysInPath` the later requests of its dialog go through us without anybody being asked.
   */
  proxy(incoming: IncomingRequest, options: ProxyOptions, handlers: ProxyingHandlers): void {
    if (incoming.dialog !== undefined) this.#dialogs.forget(incoming.dialog);
    this.#proxy.proxy(incoming, options, handlers);
  }

  /** Goes on with a dialog of the endpoint that was here before; undefined if we have no transport for its peer. */
  restore(snapshot: DialogSnapshot): Dialog | undefined {
    const dialog = this.#client.restore(snapshot);
    return dialog === undefined ? undefined : this.#dialogs.add(dialog);
  }

  /** How the receiver of such a request would see us; undefined if it would be refused. */
  vantageFor(draft: Pick<NewRequest, 'uri' | 'nextHop' | 'flow'>): Vantage | undefined {
    if (draft.flow !== undefined && draft.flow.isOpen) return draft.flow;
    return this.#ways.vantageOf(draft.nextHop ?? draft.uri);
  }

  /** `<sip:host:port;transport=…>`, as the peer of `flow` should see us. */
  contactFor(flow: Vantage): string {
    return this.#ways.contactFor(flow);
  }

  /** Our address as the peer of `flow` should see it. */
  sentBy(flow: Vantage): HostPort {
    return this.#ways.sentBy(flow);
  }

  /** New TLS connections are made with these. Throws Error if they cannot be used; the old ones stay then. */
  renewCredentials(credentials: TlsCredentials): void {
    this.#transport.renew(credentials);
  }

  /** Closes every socket at once. Says no goodbye: end the dialogs first if you want that. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#layer.close();
    this.#dialogs.close();
    this.#transport.close();
  }

  #received(result: ParseResult, flow: Flow): void {
    // Until every socket is open nobody is served: who asks in between asks again.
    if (this.#isClosed || !this.#isOpen) return;
    this.counters.received++;
    if (result.kind === 'drop') {
      this.counters.dropped++;
      this.#admission?.malformed(flow);
      return;
    }
    if (result.kind === 'refuse') {
      this.counters.refused++;
      // Stateless: somebody who cannot write SIP gets no memory of ours. An ACK is never answered.
      if (result.request.method === 'ACK') return;
      this.#admission?.malformed(flow);
      this.#refuse(result.request, result.status, flow);
      if (result.isHopeless === true) flow.close?.();
      return;
    }
    if (result.message.kind === 'request') this.#layer.receiveRequest(result.message, flow);
    else this.#layer.receiveResponse(result.message, flow);
  }

  /** Whether a new request has been dealt with before anything is remembered of it. */
  #screens(request: SipRequest, flow: Flow): boolean {
    // What belongs to a call that has begun is served, however much there is to do.
    if (this.#admission === undefined || toTagOf(request) !== '') return false;
    const { halfOpen } = this.#layer;
    const counts = { ofSource: halfOpen.of(flow.remote.host), total: halfOpen.total };
    const screening = this.#admission.screen(request, flow, counts);
    if (screening === undefined) return false;
    if (screening !== 'ignore') this.#refuse(request, screening.status, flow, screening.headers);
    return true;
  }

  #refuse(request: SipRequest, status: number, flow: Flow, headers?: Headers): void {
    this.#tagKey ??= this.#random.token();
    const toTag = statelessTag(request, this.#tagKey);
    const refusal = responseTo(request, status, { toTag, ...(headers && { headers }) });
    this.#ways.back(request, flow).send(serialise(refusal));
  }
}

/** Clock, randomness and network behind their seams. */
type Surroundings = Required<Pick<EndpointOptions, 'clock' | 'random' | 'timers' | 'network' | 'logger'>>;

function surroundingsOf(options: EndpointOptions): Surroundings {
  const {
    random = systemRandom,
    timers = standardTimers,
    network = systemNetwork,
    logger = silentLogger,
    clock = systemClock,
  } = options;
  return { random, timers, network, logger, clock: guarded(clock, logger) };
}

/** Our own mistake in a timer must not end everybody's calls: it is logged, and that one timer has run. */
function guarded(clock: Clock, logger: Logger): Clock {
  return {
    now: () => clock.now(),
    after: (afterMs, action) =>
      clock.after(afterMs, () => {
        try {
          action();
        } catch (error) {
          logger.error({ error: (error as Error).stack }, 'timer failed');
        }
      }),
  };
}
