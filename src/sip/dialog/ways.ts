import type { Clock } from '../clock.ts';
import { type SipRequest, topViaOf } from '../message/sip-message.ts';
import { hostPortText, type SipUri } from '../message/uri.ts';
import { type Located, Locator, type Wanted } from '../names/locator.ts';
import type { Random } from '../random.ts';
import {
  defaultPort,
  type Flow,
  type HostPort,
  isReliable,
  type Protocol,
  transportParam,
  type Vantage,
} from '../transport/flow.ts';
import { isLoopback } from '../transport/local-address.ts';
import type { Network } from '../transport/network.ts';
import type { Transport } from '../transport/transport.ts';
import { Candidates, DeadServers } from './candidates.ts';
import type { Dialog } from './dialog.ts';
import { LostFlow } from './lost-flow.ts';
import { hopOf } from './next-hop.ts';

/** Start line without the URI, and Content-Length. */
const framingChars = 50;

/** A place known by name, to be looked up before something can be sent there; `protocol` is what the URI suggests. */
export type NamedPlace = Wanted & { readonly shownAs: Protocol };

export type Way =
  /** `isFixed`: nothing else is known to reach the peer. */
  | { readonly kind: 'flow'; readonly flow: Flow; readonly isFixed?: boolean }
  | { readonly kind: 'name'; readonly name: NamedPlace }
  | { readonly kind: 'refused'; readonly why: string };

/** Which way a message goes, and how whoever gets it sees us. */
export class Ways {
  readonly #locator: Locator;
  readonly #dead: DeadServers;
  readonly #network: Network;
  readonly #advertisedHost: string | undefined;
  #transport: Transport | undefined;

  constructor(parts: {
    readonly network: Network;
    readonly clock: Clock;
    readonly random: Random;
    readonly advertisedHost: string | undefined;
  }) {
    const { network, clock, random } = parts;
    this.#locator = new Locator({ clock, random, names: network.names });
    this.#network = network;
    this.#dead = new DeadServers(parts.clock);
    this.#advertisedHost = parts.advertisedHost;
  }

  /** Once the sockets are open. */
  use(transport: Transport): void {
    this.#transport = transport;
  }

  /**
   * RFC 3261 18.1.1: whether a request for UDP may be cut into fragments on its way, which routers and firewalls lose, and
   * could go by TCP. A URI that says UDP itself is of somebody who is reached by nothing else.
   */
  isTooLong({ uri, headers, body }: SipRequest, { protocol, remote }: Flow): boolean {
    if (protocol !== 'udp' || !this.#protocols.includes('tcp')) return false;
    const chars = uri.length + headers.chars + body.length + framingChars;
    return chars > this.#network.longestDatagramTo(remote.host) && !/;transport=udp/i.test(uri);
  }

  /** For a request outside any dialog. */
  to(uri: string): Way {
    const found = hopOf(uri, this.#protocols);
    if (found.kind === 'refused') return found;
    const { hop } = found;
    if (!hop.isLiteral) return { kind: 'name', name: { ...hop.wanted, shownAs: hop.protocol } };
    if (this.#transport?.isOwn(hop.protocol, hop)) return { kind: 'refused', why: 'can not send request to myself' };
    const flow = this.#transport?.flowTo(hop.protocol, hop);
    return flow === undefined
      ? { kind: 'refused', why: 'requested protocol/transport not available' }
      : { kind: 'flow', flow };
  }

  /** For a request in a dialog. */
  within(dialog: Dialog): Way {
    const { uri, flow, address } = dialog.nextHop();
    if (flow !== undefined) return { kind: 'flow', flow, isFixed: true };
    const { protocol } = dialog.flow;
    if (address !== undefined) return this.#direct(protocol, address, true);
    const found = hopOf(uri, this.#protocols);
    if (found.kind === 'refused') return found;
    const { hop } = found;
    return hop.isLiteral
      ? this.#direct(hop.protocol, hop, hop.wanted.protocol !== undefined)
      : { kind: 'name', name: { ...hop.wanted, shownAs: hop.protocol } };
  }

  /** The servers of that name that we have a transport for and that are not ourselves. Never rejects. */
  async lookup(name: NamedPlace): Promise<Candidates> {
    const found = await this.#locator.locate(name, this.#protocols);
    const others = found.filter((place) => this.#transport?.isOwn(place.protocol, place) === false);
    return this.#candidates(others, name.host);
  }

  /** One address, by TCP first because the request is too long for UDP. */
  byTcpFirst({ host, port }: HostPort): Candidates {
    const places = (['tcp', 'udp'] as const).map((protocol) => ({ protocol, host, port }));
    return this.#candidates(places, host);
  }

  /** To where a peer was heard by the endpoint before us. A connection does not come back by itself. */
  flowAgain(protocol: Protocol, remote: HostPort): Flow | undefined {
    if (!isReliable(protocol)) return this.#transport?.flowTo(protocol, remote);
    const vantage = this.#transport?.vantageTo(protocol, remote);
    return vantage === undefined ? undefined : new LostFlow(protocol, vantage.local, remote);
  }

  /** To where a peer was heard before; undefined when that was over a connection that is closed. */
  backTo(protocol: Protocol, remote: HostPort): Flow | undefined {
    return this.#transport?.flowBack(protocol, remote);
  }

  /** RFC 3261 18.2.2 and RFC 3581 4. */
  back(request: SipRequest, source: Flow): Flow {
    const via = topViaOf(request);
    if (isReliable(source.protocol) || via === undefined || via.params.has('rport')) return source;
    const port = via.port ?? 5060;
    if (port === source.remote.port) return source;
    return this.#transport?.flowTo('udp', { host: source.remote.host, port }) ?? source;
  }

  /** How the receiver of a request to this URI would see us; undefined if it would be refused. */
  vantageOf(uri: string): Vantage | undefined {
    const found = hopOf(uri, this.#protocols);
    if (found.kind === 'refused') return undefined;
    const { hop } = found;
    return hop.isLiteral ? this.#transport?.vantageTo(hop.protocol, hop) : this.anyVantage(hop.protocol);
  }

  /** How the world sees us, for a peer whose address is not known yet. */
  anyVantage(protocol: Protocol): Vantage {
    for (const host of ['192.0.2.1', '2001:db8::1', '127.0.0.1', '::1']) {
      const vantage = this.#transport?.vantageTo(protocol, { host, port: defaultPort(protocol) });
      if (vantage !== undefined) return vantage;
    }
    throw new Error(`no ${protocol} socket, although the caller made sure of one`);
  }

  /** Whether a URI names this endpoint, under one of its addresses or under its advertised name. */
  isOwn(uri: Pick<SipUri, 'host' | 'port'>): boolean {
    const { host } = uri;
    const isOurs = (protocol: Protocol): boolean =>
      this.#transport?.isOwn(protocol, { host, port: uri.port ?? defaultPort(protocol) }) === true;
    if (this.#protocols.some(isOurs)) return true;
    const port = uri.port ?? defaultPort('udp');
    return host === this.#advertisedHost && this.#transport?.addresses.some((own) => own.port === port) === true;
  }

  /** Our address as the peer of `flow` should see it. */
  sentBy(flow: Vantage): HostPort {
    if (this.#advertisedHost === undefined || isLoopback(flow.remote.host)) return flow.local;
    return { host: this.#advertisedHost, port: flow.local.port };
  }

  /** `<sip:host:port;transport=…>`, as the peer of `flow` should see us. */
  contactFor(flow: Vantage): string {
    const { host, port } = this.sentBy(flow);
    return `<sip:${hostPortText(host, port)}${transportParam(flow.protocol)}>`;
  }

  get #protocols(): readonly Protocol[] {
    return this.#transport?.protocols ?? [];
  }

  #candidates(places: readonly Located[], name: string): Candidates {
    const flowTo = (place: Located) => this.#transport?.flowTo(place.protocol, place, name);
    return new Candidates(places, flowTo, this.#dead);
  }

  #direct(protocol: Protocol, address: HostPort, isFixed: boolean): Way {
    const flow = this.#transport?.flowTo(protocol, address);
    return flow === undefined ? { kind: 'refused', why: 'no way to the next hop' } : { kind: 'flow', flow, isFixed };
  }
}
