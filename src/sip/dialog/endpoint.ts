import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../clock.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { ParseResult } from '../message/parse-message.ts';
import { responseTo, serialise, type SipRequest, type SipResponse } from '../message/sip-message.ts';
import { ProxyCore, type ProxyOptions } from '../proxy/proxy-core.ts';
import type { ProxyingHandlers } from '../proxy/proxying.ts';
import { RecordRoute } from '../proxy/record-route.ts';
import { type Random, systemRandom } from '../random.ts';
import { type SipTimers, standardTimers } from '../transaction/timers.ts';
import { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { Flow, HostPort, ListenAddress, Protocol, Vantage } from '../transport/flow.ts';
import { type Network, systemNetwork } from '../transport/network.ts';
import { defaultTransportLimits, Transport, type TransportLimits } from '../transport/transport.ts';
import { DialogTable } from './dialog-table.ts';
import type { EndpointHandlers } from './endpoint-handlers.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { OutgoingHandlers } from './outgoing-request.ts';
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
  readonly #ways: Ways;
  readonly #dialogs: DialogTable;
  readonly #layer: TransactionLayer;
  readonly #client: UserAgentClient;
  readonly #proxy: ProxyCore;
  #transport!: Transport;
  #isClosed = false;

  private constructor(options: EndpointOptions, surroundings: Surroundings) {
    const { handlers, advertisedHost } = options;
    const { clock, random, timers, network, logger } = surroundings;
    this.#random = random;
    this.#ways = new Ways({ network, advertisedHost });
    this.#dialogs = new DialogTable((dialog, ending) => handlers.onDialogEnded(dialog, ending));
    this.#layer = new TransactionLayer({
      clock,
      timers,
      replyFlow: (request, source) => this.#ways.back(request, source),
      onRequest: (transaction, isMerged) => server.requested(transaction, isMerged),
      onCancel: (cancel, invite) => server.cancelled(cancel, invite),
      onAck: (ack, flow) => server.acknowledged(ack, flow),
      onStrayResponse: () => void this.counters.strayResponses++,
    });
    const [ways, dialogs, layer] = [this.#ways, this.#dialogs, this.#layer];
    const sender = new RequestSender({ clock, timers, random, logger, layer, ways });
    const hasSessionTimers = options.sessionTimers === true;
    this.#client = new UserAgentClient({ clock, timers, random, sender, ways, dialogs, hasSessionTimers });
    const supported = new Set(options.supported ?? []);
    const recordRoute = new RecordRoute(ways, options.relayKey ?? randomBytes(32));
    const passBack = (incoming: IncomingRequest, response: SipResponse) => server.passBack(incoming, response);
    const onPassed = (request: SipRequest) => handlers.onPassed?.(request);
    this.#proxy = new ProxyCore({ clock, ways, sender, recordRoute, passBack, onPassed });
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
      onReceived: (result, flow) => endpoint.#received(result, flow),
    });
    endpoint.#ways.use(endpoint.#transport);
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

  get transportCounters(): Transport['counters'] {
    return this.#transport.counters;
  }

  /** Living things: for metrics, and for tests that nothing is forgotten. */
  get counts(): { dialogs: number; clients: number; servers: number } {
    return { dialogs: this.#dialogs.size, ...this.#layer.counts };
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

  /** Closes every socket at once. Says no goodbye: end the dialogs first if you want that. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#layer.close();
    this.#dialogs.close();
    this.#transport.close();
  }

  #received(result: ParseResult, flow: Flow): void {
    if (this.#isClosed) return;
    this.counters.received++;
    if (result.kind === 'drop') {
      this.counters.dropped++;
      return;
    }
    if (result.kind === 'refuse') {
      this.counters.refused++;
      // Stateless: somebody who cannot write SIP gets no memory of ours. An ACK is never answered.
      if (result.request.method === 'ACK') return;
      const refusal = responseTo(result.request, result.status, { toTag: this.#random.token(), reason: undefined });
      this.#ways.back(result.request, flow).send(serialise(refusal));
      return;
    }
    if (result.message.kind === 'request') this.#layer.receiveRequest(result.message, flow);
    else this.#layer.receiveResponse(result.message, flow);
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
