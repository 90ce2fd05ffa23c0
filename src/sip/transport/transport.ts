import type { Server } from 'node:net';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { defaultMessageLimits } from '../message/limits.ts';
import { parseMessage, type ParseResult } from '../message/parse-message.ts';
import { type ConnectionLimits, Connections } from './connections.ts';
import {
  type Flow,
  type HostPort,
  isEncrypted,
  type ListenAddress,
  type Protocol,
  type StreamProtocol,
  type Vantage,
} from './flow.ts';
import { ListenError } from './listen-error.ts';
import { concrete, isLoopback, isWildcard, localAddressFor } from './local-address.ts';
import type { Network, UdpSocket } from './network.ts';
import { stampVia } from './stamp-via.ts';
import { type TlsCredentials, TlsGate } from './tls-gate.ts';
import { isStun, stunAnswer } from './stun-answer.ts';
import { Traffic, type WireTap } from './traffic.ts';
import { UdpFlow } from './udp-flow.ts';
import { WaitingRoom } from './waiting-room.ts';
import { WsGate } from './ws-gate.ts';

export type TransportLimits = ConnectionLimits;

export const defaultTransportLimits: TransportLimits = {
  ...defaultMessageLimits,
  tcpConnections: 5_000,
  tcpConnectionsPerSource: 200,
  tcpMessageWithinMs: 4_000,
};

export interface TransportOptions {
  readonly listen: readonly ListenAddress[];
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: TransportLimits;
  /** Needed to listen on TLS and WSS, and to dial TLS. */
  readonly tls?: TlsCredentials | undefined;
  /** Whose pages may speak to us by WebSocket, `https://desk.example.org`; all if absent or empty. */
  readonly webOrigins?: readonly string[] | undefined;
  /** Whether bytes from there are read at all; they are if absent. */
  readonly admits?: ((bytes: Buffer, host: string) => boolean) | undefined;
  /** Whether an INVITE is served after everything else. */
  readonly mayWait?: ((bytes: Buffer) => boolean) | undefined;
  /** Sees every message that is let in or sent. */
  readonly tap?: WireTap | undefined;
  readonly onReceived: (result: ParseResult, flow: Flow) => void;
}

/** Counted since the start. */
export interface TransportCounters {
  datagrams: number;
  stunRequests: number;
  tcpMessages: number;
  tcpRefused: number;
  framingErrors: number;
}

type Listener =
  | { readonly protocol: 'udp'; readonly local: HostPort; readonly socket: UdpSocket }
  | { readonly protocol: StreamProtocol; readonly local: HostPort; readonly server: Server };

/** All sockets of one SIP endpoint. Knows messages only far enough to stamp a Via. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #listeners: Listener[] = [];
  readonly #connections: Connections;
  readonly #tls: TlsGate | undefined;
  readonly #waitingRoom: WaitingRoom;
  readonly traffic: Traffic;
  readonly counters: TransportCounters = {
    datagrams: 0,
    stunRequests: 0,
    tcpMessages: 0,
    tcpRefused: 0,
    framingErrors: 0,
  };

  private constructor(options: TransportOptions, ws: WsGate | undefined) {
    this.#options = options;
    const { network, clock, limits, tls } = options;
    this.traffic = new Traffic(options.tap);
    this.#waitingRoom = new WaitingRoom(clock);
    this.#tls = tls === undefined ? undefined : new TlsGate(tls);
    this.#connections = new Connections({
      network,
      clock,
      limits,
      traffic: this.traffic,
      tls: this.#tls,
      ws,
      localTo: (protocol, host) =>
        concrete(this.#listenerFor(protocol, host)?.local ?? { host: '0.0.0.0', port: 0 }, host),
      onMessage: (bytes, from) => {
        this.counters.tcpMessages++;
        if (!this.#admits(bytes, from.remote)) return;
        // Whoever has hung up meanwhile has given up the call, too.
        this.#inTurn(bytes, false, () => void (from.isOpen && this.#read(bytes, from)));
      },
      onBroken: (bytes, why, from) => {
        this.counters.framingErrors++;
        const result = parseMessage(bytes, true, limits);
        // Framing is gone, so even a message that looks right is not taken; it can still be told why.
        this.#received(result.kind === 'refuse' ? result : { kind: 'drop', why }, from);
      },
    });
  }

  /** Rejects with ListenError, after closing what was already open. */
  static async open(options: TransportOptions): Promise<Transport> {
    const hasWs = options.listen.some(({ protocol }) => protocol === 'ws' || protocol === 'wss');
    const ws = hasWs ? await WsGate.open(options.limits.messageBytes, options.webOrigins ?? []) : undefined;
    const transport = new Transport(options, ws);
    for (const address of options.listen) {
      try {
        transport.#listeners.push(await transport.#listen(address));
      } catch (cause) {
        transport.close();
        throw new ListenError(address, cause);
      }
    }
    return transport;
  }

  /** Where we really listen, port 0 replaced by the port that was given. */
  get addresses(): ListenAddress[] {
    return this.#listeners.map(({ protocol, local }) => ({ protocol, host: local.host, port: local.port }));
  }

  /** As `addresses`, a wildcard replaced by the address that faces the world. */
  get visibleAddresses(): ListenAddress[] {
    return this.addresses.map((address) =>
      isWildcard(address.host)
        ? { ...address, host: localAddressFor(address.host === '::' ? '2001:db8::1' : '192.0.2.1') }
        : address,
    );
  }

  /**
   * The way to a literal address: an open connection if there is one. Undefined if we listen on nothing of that kind.
   * `name`: what the peer was called, for its certificate; the address if absent.
   */
  flowTo(protocol: Protocol, to: HostPort, name: string = to.host): Flow | undefined {
    const listener = this.#listenerFor(protocol, to.host);
    if (listener === undefined) return undefined;
    if (listener.protocol === 'udp') return new UdpFlow(listener.socket, to, this.traffic);
    return this.#connections.to(listener.protocol, to, name);
  }

  /** To where somebody was heard, over the connection they made: undefined when that is closed. */
  flowBack(protocol: Protocol, remote: HostPort): Flow | undefined {
    return protocol === 'udp' ? this.flowTo(protocol, remote) : this.#connections.from(protocol, remote);
  }

  /** New connections are made with these. Throws Error if they cannot be used; the old ones stay then. */
  renew(credentials: TlsCredentials): void {
    this.#tls?.renew(credentials);
  }

  /** How we would appear to a peer, without connecting to it. */
  vantageTo(protocol: Protocol, remote: HostPort): Vantage | undefined {
    const listener = this.#listenerFor(protocol, remote.host);
    return listener === undefined ? undefined : { protocol, local: concrete(listener.local, remote.host), remote };
  }

  /** Whether `address` is one of our own listening sockets. */
  isOwn(protocol: Protocol, address: HostPort): boolean {
    return this.#listeners.some(
      (listener) =>
        listener.protocol === protocol &&
        listener.local.port === address.port &&
        (listener.local.host === address.host ||
          (isWildcard(listener.local.host) && localAddressFor(address.host) === address.host)),
    );
  }

  /** New calls that wait to be read now, and those that waited too long since the start. */
  get newCalls(): { readonly waiting: number; readonly stale: number } {
    return { waiting: this.#waitingRoom.size, stale: this.#waitingRoom.stale };
  }

  /** Protocols we listen on, in the order they were configured. */
  get protocols(): Protocol[] {
    return [...new Set(this.#listeners.map((listener) => listener.protocol))];
  }

  close(): void {
    for (const listener of this.#listeners.splice(0)) {
      if (listener.protocol === 'udp') listener.socket.close();
      else listener.server.close();
    }
    this.#waitingRoom.close();
    this.#connections.close();
  }

  async #listen(address: ListenAddress): Promise<Listener> {
    const { network } = this.#options;
    if (address.protocol === 'udp') {
      const socket: UdpSocket = await network.bindUdp(address, (bytes, from) => {
        this.counters.datagrams++;
        // Two line ends, or a single zero byte, are a phone keeping its NAT open: nothing to answer on UDP.
        if (bytes.length <= 4 || !this.#admits(bytes, from)) return;
        if (isStun(bytes)) return this.#answerStun(bytes, socket, from);
        this.#inTurn(bytes, true, () => this.#read(bytes, new UdpFlow(socket, from, this.traffic)));
      });
      return { protocol: 'udp', local: socket.local, socket };
    }
    const { protocol } = address;
    if (isEncrypted(protocol) && this.#tls === undefined)
      throw new Error('it needs a certificate and a key, and has none');
    const server = await network.listenTcp(address, (socket) => {
      if (!this.#connections.accept(socket, protocol)) this.counters.tcpRefused++;
    });
    const { address: host, port } = server.address() as { address: string; port: number };
    return { protocol, local: { host, port }, server };
  }

  #answerStun(bytes: Buffer, socket: UdpSocket, from: HostPort): void {
    this.counters.stunRequests++;
    const answer = stunAnswer(bytes, from);
    if (answer !== undefined) socket.send(answer, from);
  }

  #admits(bytes: Buffer, { host }: HostPort): boolean {
    return this.#options.admits?.(bytes, host) ?? true;
  }

  /** Now, or after everything else if it is a new call and those are too many. */
  #inTurn(bytes: Buffer, isSaidAgain: boolean, serve: () => void): void {
    const { mayWait } = this.#options;
    if (mayWait === undefined) serve();
    else this.#waitingRoom.enter({ bytes, isSaidAgain, serve }, mayWait);
  }

  #read(bytes: Buffer, from: Flow): void {
    this.traffic.arrived(bytes, from);
    // A datagram ends the message, and a message of a WebSocket has its own length (RFC 7118 5.3).
    const isStream = from.protocol === 'tcp' || from.protocol === 'tls';
    this.#received(parseMessage(bytes, isStream, this.#options.limits), from);
  }

  #received(result: ParseResult, flow: Flow): void {
    try {
      if (result.kind === 'message') this.traffic.countReceived(result.message);
      if (result.kind === 'message' && result.message.kind === 'request') stampVia(result.message, flow.remote);
      if (result.kind === 'refuse') stampVia(result.request, flow.remote);
      this.#options.onReceived(result, flow);
    } catch (error) {
      // Our own mistake must not let one peer's message end everybody's calls.
      this.#options.logger.error({ error: (error as Error).stack, protocol: flow.protocol }, 'message not handled');
    }
  }

  #listenerFor(protocol: Protocol, remoteHost: string): Listener | undefined {
    // Only literal addresses get here, and only those of IPv6 have colons.
    const wantsV6 = remoteHost.includes(':');
    const isNear = isLoopback(remoteHost);
    let second: Listener | undefined;
    for (const listener of this.#listeners) {
      const { host } = listener.local;
      if (listener.protocol !== protocol || host.includes(':') !== wantsV6) continue;
      if (isLoopback(host) === isNear) return listener;
      // A socket bound to loopback reaches nobody else: better none, and an error at once, than silence.
      if (isNear) second ??= listener;
    }
    return second;
  }
}
