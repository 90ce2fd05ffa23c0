import type { Clock } from '../clock.ts';
import { contactUri } from '../dialog/contact-uri.ts';
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
import { breadthOf, forwardedRequest, isWornOut, routed, withBreadth } from './forwarded-request.ts';
import { LoopMark } from './loop-mark.ts';
import { type BranchHandlers, Proxying, type ProxyingHandlers, type ProxyingOptions } from './proxying.ts';
import { RecordRoute } from './record-route.ts';

export interface ProxyOptions extends Omit<ProxyingOptions, 'breadth'> {
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
  /** The request as it came, where it may come again. */
  readonly came?: SipRequest;
}

/** Passes requests on to others, RFC 3261 16: new ones when it is told to, those of dialogs it stays in by itself. */
export class ProxyCore implements Passage {
  readonly #clock: Clock;
  readonly #ways: Ways;
  readonly #sender: RequestSender;
  readonly #recordRoute: RecordRoute;
  readonly #loopMark: LoopMark;
  readonly #onPassed: (request: SipRequest) => void;
  readonly #passBack: (incoming: IncomingRequest, response: SipResponse) => void;

  constructor(parts: {
    readonly clock: Clock;
    readonly ways: Ways;
    readonly sender: RequestSender;
    /** What is ours in a message is known by it. */
    readonly key: Buffer;
    readonly passBack: (incoming: IncomingRequest, response: SipResponse) => void;
    readonly onPassed: (request: SipRequest) => void;
  }) {
    this.#onPassed = parts.onPassed;
    this.#clock = parts.clock;
    this.#ways = parts.ways;
    this.#sender = parts.sender;
    this.#recordRoute = new RecordRoute(parts.ways, parts.key);
    this.#loopMark = new LoopMark(parts.ways, parts.key);
    this.#passBack = parts.passBack;
  }

  /**
   * Passes an unanswered request outside dialogs on. One that has gone through too many hands gets 483, one that has been
   * multiplied too often 440 (RFC 5393 5).
   */
  proxy(incoming: IncomingRequest, options: ProxyOptions, handlers: ProxyingHandlers): void {
    const { request } = incoming;
    const breadth = breadthOf(request);
    const refusal = isWornOut(request) ? 483 : breadth < 1 ? 440 : undefined;
    if (refusal !== undefined) {
      incoming.respond(refusal);
      return handlers.onDone(refusal);
    }
    const copy = copyOf(request);
    this.#recordRoute.take(copy);
    const asked = parseUri(request.uri);
    const isForUs = asked !== undefined && this.#ways.isOwn(asked);
    this.#start(incoming, { ...options, breadth }, handlers, (target, share) => ({
      // A Request-URI that names somebody else stays, and the target is only the next hop.
      draft: withBreadth(forwardedRequest(copy, isForUs ? target : request.uri, options.headers), share),
      hop: target,
      came: request,
      flow: options.flowFor?.(target),
      finish: (headers, shown) => {
        if (!options.staysInPath) return;
        const isRegister = request.method === 'REGISTER';
        const from = { seen: incoming.source, onlyBy: wayBackTo(incoming) };
        const to = { seen: shown, onlyBy: options.flowFor?.(target) };
        this.#recordRoute.add(isRegister ? 'Path' : 'Record-Route', headers, callIdOf(request), from, to);
        if (isRegister) headers.add('Require', 'path');
      },
    }));
  }

  takes(request: SipRequest): boolean {
    return this.#recordRoute.isMarked(request);
  }

  judge(request: SipRequest): 'new' | 'loop' | 'spiral' {
    return this.#loopMark.judge(request);
  }

  pass(incoming: IncomingRequest): void {
    const { request } = incoming;
    if (isWornOut(request)) return void incoming.respond(483);
    const next = this.#onwards(request);
    this.#start(
      incoming,
      { targets: [next.hop], order: 'serial', breadth: 1 },
      { onSent: (sent) => this.#onPassed(sent), onFinal() {}, onDone() {} },
      () => next,
    );
  }

  passAck(ack: SipRequest): void {
    if (isWornOut(ack)) return;
    const { draft, hop, flow } = this.#onwards(ack);
    const way = this.#sender.wayTo(hop, flow);
    if (way.kind === 'refused') return;
    this.#sender.sendOnce(this.#sender.withVia(draft, this.#sender.shownOn(way, undefined)), way, () => {});
  }

  #onwards(request: SipRequest): Forward {
    const copy = copyOf(request);
    const onwards = this.#recordRoute.take(copy);
    const asked = parseUri(copy.uri);
    const last = copy.headers.list('Route').at(-1);
    // Whoever is next on the way is that side itself, and is reached where it was heard.
    const flow = onwards && last === undefined ? this.#ways.backTo(onwards.protocol, onwards.remote) : undefined;
    // RFC 3261 16.4: a strict router put us into the Request-URI, and the target last into Route.
    if (asked === undefined || !this.#ways.isOwn(asked) || last === undefined) {
      return { ...routed(forwardedRequest(copy, copy.uri)), flow };
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
    prepare: (target: string, breadth: number) => Forward,
  ): void {
    const passBack = (response: SipResponse): void => this.#passBack(incoming, withoutTopVia(response));
    const host = {
      clock: this.#clock,
      forward: (target: string, breadth: number, branch: BranchHandlers) =>
        this.#forward(prepare(target, breadth), branch),
      passBack,
    };
    const proxying = new Proxying(incoming, options, host, handlers);
    incoming.passage = proxying;
    proxying.start();
  }

  #forward({ draft, hop, flow, finish, came }: Forward, handlers: BranchHandlers): OutgoingRequest | undefined {
    const way = this.#sender.wayTo(hop, flow);
    if (way.kind === 'refused') return undefined;
    const shown = this.#sender.shownOn(way, undefined);
    finish?.(draft.headers, shown);
    const sent = this.#sender.withVia(draft, shown);
    if (came !== undefined) this.#loopMark.put(sent.headers, came);
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

/** A caller whose Contact does not say where it was heard, or who is heard over a connection only it can make. */
function wayBackTo({ request, source }: IncomingRequest): Flow | undefined {
  // Another proxy stands between us, and knows its own way.
  if (request.headers.has('Record-Route')) return undefined;
  if (source.protocol !== 'udp') return source;
  const uri = parseUri(contactUri(request) ?? '');
  const { host, port } = source.remote;
  return uri?.host === host && (uri.port ?? 5060) === port ? undefined : source;
}

/** RFC 3261 16.7 step 3. */
function withoutTopVia(response: SipResponse): SipResponse {
  const headers = response.headers.clone();
  const vias = headers.list('Via').slice(1);
  headers.remove('Via');
  for (const via of vias.toReversed()) headers.prepend('Via', via);
  return { ...response, headers };
}
