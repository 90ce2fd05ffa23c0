import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { serialise, type SipRequest } from '../message/sip-message.ts';
import { hostPortText } from '../message/uri.ts';
import { magicCookie } from '../message/via.ts';
import type { Random } from '../random.ts';
import { type SipTimers, transactionTimeoutMs } from '../transaction/timers.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { Flow, Vantage } from '../transport/flow.ts';
import type { Dialog, DraftRequest } from './dialog.ts';
import type { Candidates } from './candidates.ts';
import { type DialogMaker, type OutgoingHandlers, OutgoingRequest } from './outgoing-request.ts';
import type { NamedPlace, Way, Ways } from './ways.ts';

export interface RequestSenderParts {
  readonly clock: Clock;
  readonly timers: SipTimers;
  readonly random: Random;
  readonly logger: Logger;
  readonly layer: TransactionLayer;
  readonly ways: Ways;
}

/** Puts our Via on a request and sends it on its way, at once or when the name of its next hop has been looked up. */
export class RequestSender {
  readonly #parts: RequestSenderParts;

  constructor(parts: RequestSenderParts) {
    this.#parts = parts;
  }

  /** For a request outside any dialog: over the connection if it is open, else where the URI points. */
  wayTo(uri: string, flow: Flow | undefined): Way {
    return flow?.isOpen === true ? { kind: 'flow', flow } : this.#parts.ways.to(uri);
  }

  /**
   * How the next hop sees us. The answer of the resolver comes later than the request has to be written: towards a name,
   * and where there is no way, we show the address that faces the world.
   */
  shownOn(way: Way, otherwise: Flow | undefined): Vantage {
    if (way.kind === 'flow') return way.flow;
    const protocol = otherwise?.protocol ?? (way.kind === 'name' ? way.name.shownAs : 'udp');
    return this.#parts.ways.anyVantage(protocol);
  }

  withVia(draft: DraftRequest, flow: Vantage): SipRequest {
    draft.headers.prepend('Via', this.#via(flow));
    return { kind: 'request', ...draft };
  }

  /** What fails does so in a later turn, so that the caller has the request in hand before its first response. */
  start(
    sent: SipRequest,
    way: Way,
    user: { readonly within: Dialog | undefined; readonly handlers: OutgoingHandlers; readonly maker: DialogMaker },
  ): OutgoingRequest {
    const { layer, clock, timers, ways } = this.#parts;
    const outgoing = new OutgoingRequest({ sent, layer, clock, forgetAfterMs: transactionTimeoutMs(timers), ...user });
    const isTooLong = way.kind === 'flow' && way.isFixed !== true && ways.isTooLong(sent, way.flow);
    if (isTooLong) this.#startAt(outgoing, ways.byTcpFirst(way.flow.remote));
    else if (way.kind === 'flow') outgoing.start(way.flow);
    else if (way.kind === 'name') this.#startAfterLookup(outgoing, way.name);
    else clock.after(0, () => outgoing.fail(503, 'no way to the next hop'));
    return outgoing;
  }

  /** For an ACK, which has no transaction. */
  sendOnce(sent: SipRequest, way: Way, onSent: (bytes: Buffer, flow: Flow) => void): void {
    const send = (flow: Flow): void => {
      const bytes = serialise(sent);
      flow.send(bytes);
      onSent(bytes, flow);
    };
    const notSent = (reason: string): void => this.#parts.logger.warn({ reason }, 'ack not sent');
    if (way.kind === 'flow') send(way.flow);
    else if (way.kind === 'refused') notSent(way.why);
    else {
      void this.#parts.ways.lookup(way.name).then((candidates) => {
        const flow = candidates.next();
        if (flow === undefined) return notSent('no way to this address');
        this.#restamp(sent, flow);
        send(flow);
      });
    }
  }

  #startAfterLookup(outgoing: OutgoingRequest, name: NamedPlace): void {
    void this.#parts.ways.lookup(name).then((candidates) => this.#startAt(outgoing, candidates));
  }

  #startAt(outgoing: OutgoingRequest, candidates: Candidates): void {
    outgoing.startAt(candidates, (sent, flow) => this.#restamp(sent, flow));
  }

  /** For another server, or the one that a name turned out to be: another transaction. */
  #restamp(sent: SipRequest, flow: Flow): void {
    // What a proxy has written behind the branch stays.
    const [before = ''] = sent.headers.list('Via');
    const [, rest = ''] = /;branch=[^;]*(.*)$/.exec(before) ?? [];
    sent.headers.replaceFirst('Via', this.#via(flow) + rest);
  }

  #via(flow: Vantage): string {
    const { host, port } = this.#parts.ways.sentBy(flow);
    const branch = `${magicCookie}${this.#parts.random.token()}`;
    return `SIP/2.0/${flow.protocol.toUpperCase()} ${hostPortText(host, port)};rport;branch=${branch}`;
  }
}
