import type { Clock } from '../clock.ts';
import type { DraftRequest } from '../dialog/dialog.ts';
import type { IncomingRequest } from '../dialog/incoming-request.ts';
import type { DialogMaker, OutgoingRequest } from '../dialog/outgoing-request.ts';
import type { RequestSender } from '../dialog/request-sender.ts';
import type { Passage } from '../dialog/user-agent-server.ts';
import type { Ways } from '../dialog/ways.ts';
import type { Headers } from '../message/headers.ts';
import { parseNameAddr } from '../message/name-addr.ts';
import { callIdOf, type SipRequest, type SipResponse } from '../message/sip-message.ts';
import { parseUri } from '../message/uri.ts';
import type { Flow, Vantage } from '../transport/flow.ts';
import { forwardedRequest, isWornOut, routed } from './forwarded-request.ts';
import { type BranchHandlers, Proxying, type ProxyingHandlers, type ProxyingOptions } from './proxying.ts';
import type { RecordRoute } from './record-route.ts';

export interface ProxyOptions extends ProxyingOptions {
  /** Whether later requests of the dialog come through us too: Record-Route, and Path for REGISTER (RFC 3327). */
  readonly staysInPath: boolean;
  /** Replace or extend the headers of the request. */
  readonly headers?: Headers;
  /** The open connection to a target, if it can be reached by none but that. */
  readonly flowFor?: (uri: string) => Flow | undefined;
}

interface Forward {
  readonly draft: DraftRequest;
  readonly hop: string;
  readonly flow?: Flow | undefined;
  readonly finish?: (headers: Headers, shown: Vantage) => void;
}

/** Passes requests on to others, RFC 3261 16: new ones when it is told to, those of dialogs it stays in by itself. */
export class ProxyCore implements Passage {
  readonly #clock: Clock;
  readonly #ways: Ways;
  readonly #sender: RequestSender;
  readonly #recordRoute: RecordRoute;
  readonly #onPassed: (request: SipRequest) => void;
  readonly #passBack: (incoming: IncomingRequest, response: SipResponse) => void;

  constructor(parts: {
    readonly clock: Clock;
    readonly ways: Ways;
    readonly sender: RequestSender;
    readonly recordRoute: RecordRoute;
    readonly passBack: (incoming: IncomingRequest, response: SipResponse) => void;
    readonly onPassed: (request: SipRequest) => void;
  }) {
    this.#onPassed = parts.onPassed;
    this.#clock = parts.clock;
    this.#ways = parts.ways;
    this.#sender = parts.sender;
    this.#recordRoute = parts.recordRoute;
    this.#passBack = parts.passBack;
  }

  /** Passes an unanswered request outside dialogs on. A request that has gone through too many hands gets 483. */
  proxy(incoming: IncomingRequest, options: ProxyOptions, handlers: ProxyingHandlers): void {
    const { request } = incoming;
    if (isWornOut(request)) {
      incoming.respond(483);
      return handlers.onDone(483);
    }
    const copy = copyOf(request);
    this.#recordRoute.take(copy);
    const asked = parseUri(request.uri);
    const isForUs = asked !== undefined && this.#ways.isOwn(asked);
    this.#start(incoming, options, handlers, (target) => ({
      // A Request-URI that names somebody else stays, and the target is only the next hop.
      draft: forwardedRequest(copy, isForUs ? target : request.uri, options.headers),
      hop: target,
      flow: options.flowFor?.(target),
      finish: (headers, shown) => {
        if (!options.staysInPath) return;
        const isRegister = request.method === 'REGISTER';
        this.#recordRoute.add(isRegister ? 'Path' : 'Record-Route', headers, callIdOf(request), incoming.source, shown);
        if (isRegister) headers.add('Require', 'path');
      },
    }));
  }

  takes(request: SipRequest): boolean {
    return this.#recordRoute.isMarked(request);
  }

  pass(incoming: IncomingRequest): void {
    const { request } = incoming;
    if (isWornOut(request)) return void incoming.respond(483);
    const next = this.#onwards(request);
    this.#start(
      incoming,
      { targets: [next.hop], order: 'serial' },
      { onSent: (sent) => this.#onPassed(sent), onFinal() {}, onDone() {} },
      () => next,
    );
  }

  passAck(ack: SipRequest): void {
    if (isWornOut(ack)) return;
    const { draft, hop } = this.#onwards(ack);
    const way = this.#sender.wayTo(hop, undefined);
    if (way.kind === 'refused') return;
    this.#sender.sendOnce(this.#sender.withVia(draft, this.#sender.shownOn(way, undefined)), way, () => {});
  }

  #onwards(request: SipRequest): Forward {
    const copy = copyOf(request);
    this.#recordRoute.take(copy);
    const asked = parseUri(copy.uri);
    const last = copy.headers.list('Route').at(-1);
    // RFC 3261 16.4: a strict router put us into the Request-URI, and the target last into Route.
    if (asked === undefined || !this.#ways.isOwn(asked) || last === undefined) {
      return routed(forwardedRequest(copy, copy.uri));
    }
    const rest = copy.headers.list('Route').slice(0, -1);
    copy.headers.remove('Route');
    for (const route of rest) copy.headers.add('Route', route);
    return routed(forwardedRequest(copy, parseNameAddr(last)?.uri ?? copy.uri));
  }

  #start(
    incoming: IncomingRequest,
    options: ProxyingOptions,
    handlers: ProxyingHandlers,
    prepare: (target: string) => Forward,
  ): void {
    const passBack = (response: SipResponse): void => this.#passBack(incoming, withoutTopVia(response));
    const host = {
      clock: this.#clock,
      forward: (target: string, branch: BranchHandlers) => this.#forward(prepare(target), branch),
      passBack,
    };
    const proxying = new Proxying(incoming, options, host, handlers);
    incoming.passage = proxying;
    proxying.start();
  }

  #forward({ draft, hop, flow, finish }: Forward, handlers: BranchHandlers): OutgoingRequest | undefined {
    const way = this.#sender.wayTo(hop, flow);
    if (way.kind === 'refused') return undefined;
    const shown = this.#sender.shownOn(way, undefined);
    finish?.(draft.headers, shown);
    const sent = this.#sender.withVia(draft, shown);
    return this.#sender.start(sent, way, { within: undefined, handlers, maker: new NoDialogs(handlers) });
  }
}

/** Dialogs are the business of those at both ends. */
class NoDialogs implements DialogMaker {
  readonly #handlers: BranchHandlers;
  #isSettled = false;

  constructor(handlers: BranchHandlers) {
    this.#handlers = handlers;
  }

  isNews(_outgoing: OutgoingRequest, response: SipResponse): boolean {
    if (response.status === 100) this.#handlers.onTrying();
    return true;
  }

  dialogFor(_outgoing: OutgoingRequest, response: SipResponse): undefined {
    if (this.#isSettled && response.status < 300) this.#handlers.onLater2xx(response);
  }

  settled(): void {
    this.#isSettled = true;
  }
}

function copyOf(request: SipRequest): SipRequest {
  return { ...request, headers: request.headers.clone() };
}

/** RFC 3261 16.7 step 3. */
function withoutTopVia(response: SipResponse): SipResponse {
  const headers = response.headers.clone();
  const vias = headers.list('Via').slice(1);
  headers.remove('Via');
  for (const via of vias.toReversed()) headers.prepend('Via', via);
  return { ...response, headers };
}
