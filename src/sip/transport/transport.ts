import type { Server, Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { parseMessage, type ParseResult } from '../message/parse-message.ts';
import { describe, type Flow, type HostPort, type ListenAddress, type Protocol, type Vantage } from './flow.ts';
import { isLoopback, isWildcard, localAddressFor } from './local-address.ts';
import type { Network, UdpSocket } from './network.ts';
import { stampVia } from './stamp-via.ts';
import { TcpFlow } from './tcp-flow.ts';

export interface TransportLimits {
  readonly tcpConnections: number;
  readonly tcpConnectionsPerSource: number;
  readonly tcpMessageWithinMs: number;
}

export const defaultTransportLimits: TransportLimits = {
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
  readonly onReceived: (result: ParseResult, flow: Flow) => void;
}

/** Counted since the start. */
export interface TransportCounters {
  datagrams: number;
  tcpMessages: number;
  tcpRefused: number;
  framingErrors: number;
}

type Listener =
  | { readonly protocol: 'udp'; readonly local: HostPort; readonly socket: UdpSocket }
  | { readonly protocol: 'tcp'; readonly local: HostPort; readonly server: Server };

/** Listening could not begin. The message names the address, the reason and the remedy. */
export class ListenError extends Error {
  readonly code: string;
  constructor(address: ListenAddress, cause: unknown) {
    const code = (cause as { code?: string }).code ?? 'UNKNOWN';
    super(`cannot listen on ${describe(address)}: ${remedies[code] ?? (cause as Error).message}`, { cause });
    this.name = 'ListenError';
    this.code = code;
  }
}

const remedies: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use by another program. Stop that program or choose another port.',
  EACCES: 'not permitted. Ports below 1024 need a privilege; choose a higher port.',
  EADDRNOTAVAIL: 'this machine has no such address. Use one of its own addresses, or 0.0.0.0 for all of them.',
};

/** All sockets of one SIP endpoint. Knows messages only far enough to stamp a Via. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #listeners: Listener[] = [];
  readonly #tcpFlows = new Map<string, TcpFlow>();
  readonly #accepted = new Map<string, number>();
  readonly counters: TransportCounters = { datagrams: 0, tcpMessages: 0, tcpRefused: 0, framingErrors: 0 };

  private constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** Rejects with ListenError, after closing what was already open. */
  static async open(options: TransportOptions): Promise<Transport> {
    const transport = new Transport(options);
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

  /** The way to a literal address: an open connection if there is one. Undefined if we listen on nothing of that kind. */
  flowTo(protocol: Protocol, to: HostPort): Flow | undefined {
    const listener = this.#listenerFor(protocol, to.host);
    if (listener === undefined) return undefined;
    if (listener.protocol === 'udp') return this.#udpFlow(listener.socket, listener.local, to);
    const open = this.#tcpFlows.get(key(to));
    if (open?.isOpen === true) return open;
    return this.#tcpFlow(this.#options.network.connectTcp(to), to, false);
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

  /** Protocols we listen on, in the order they were configured. */
  get protocols(): Protocol[] {
    return [...new Set(this.#listeners.map((listener) => listener.protocol))];
  }

  close(): void {
    for (const listener of this.#listeners.splice(0)) {
      if (listener.protocol === 'udp') listener.socket.close();
      else listener.server.close();
    }
    for (const flow of this.#tcpFlows.values()) flow.close();
  }

  async #listen(address: ListenAddress): Promise<Listener> {
    const { network } = this.#options;
    if (address.protocol === 'udp') {
      const socket: UdpSocket = await network.bindUdp(address, (bytes, from) => {
        this.counters.datagrams++;
        // Two line ends, or a single zero byte, are a phone keeping its NAT open: nothing to answer on UDP.
        if (bytes.length <= 4) return;
        this.#received(parseMessage(bytes), this.#udpFlow(socket, socket.local, from));
      });
      return { protocol: 'udp', local: socket.local, socket };
    }
    const server = await network.listenTcp(address, (socket) => this.#accept(socket));
    const { address: host, port } = server.address() as { address: string; port: number };
    return { protocol: 'tcp', local: { host, port }, server };
  }

  #accept(socket: Socket): void {
    const host = plainAddress(socket.remoteAddress ?? '');
    const already = this.#accepted.get(host) ?? 0;
    const { tcpConnections, tcpConnectionsPerSource } = this.#options.limits;
    if (host === '' || this.#tcpFlows.size >= tcpConnections || already >= tcpConnectionsPerSource) {
      this.counters.tcpRefused++;
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    this.#accepted.set(host, already + 1);
    const flow = this.#tcpFlow(socket, { host, port: socket.remotePort ?? 0 }, true);
    flow.onLost(() => {
      const left = (this.#accepted.get(host) ?? 1) - 1;
      if (left === 0) this.#accepted.delete(host);
      else this.#accepted.set(host, left);
    });
  }

  #tcpFlow(socket: Socket, remote: HostPort, isAccepted: boolean): TcpFlow {
    const listener = this.#listenerFor('tcp', remote.host);
    const flow = new TcpFlow({
      socket,
      remote,
      local: concrete(listener?.local ?? { host: '0.0.0.0', port: 0 }, remote.host),
      clock: this.#options.clock,
      messageWithinMs: this.#options.limits.tcpMessageWithinMs,
      isAccepted,
      onMessage: (bytes, from) => {
        this.counters.tcpMessages++;
        this.#received(parseMessage(bytes, true), from);
      },
      onBroken: (bytes, why, from) => {
        this.counters.framingErrors++;
        const result = parseMessage(bytes, true);
        // Framing is gone, so even a message that looks right is not taken; it can still be told why.
        if (result.kind === 'refuse') this.#received(result, from);
        else this.#received({ kind: 'drop', why }, from);
        from.close();
      },
      onClosed: (closed) => {
        if (this.#tcpFlows.get(key(closed.remote)) === closed) this.#tcpFlows.delete(key(closed.remote));
      },
    });
    this.#tcpFlows.set(key(remote), flow);
    return flow;
  }

  #received(result: ParseResult, flow: Flow): void {
    try {
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

  #udpFlow(socket: UdpSocket, local: HostPort, remote: HostPort): Flow {
    return new UdpFlow(socket, local, remote);
  }
}

class UdpFlow implements Flow {
  readonly protocol = 'udp';
  readonly isOpen = true;
  readonly remote: HostPort;
  readonly #socket: UdpSocket;
  readonly #bound: HostPort;
  #local: HostPort | undefined;

  constructor(socket: UdpSocket, bound: HostPort, remote: HostPort) {
    this.#socket = socket;
    this.#bound = bound;
    this.remote = remote;
  }

  /** Found out when it is asked for: that costs more than everything else a datagram needs. */
  get local(): HostPort {
    this.#local ??= concrete(this.#bound, this.remote.host);
    return this.#local;
  }

  send(bytes: Buffer): void {
    this.#socket.send(bytes, this.remote);
  }

  onLost(): () => void {
    return noop;
  }
}

function noop(): void {}

function concrete(local: HostPort, remoteHost: string): HostPort {
  return isWildcard(local.host) ? { host: localAddressFor(remoteHost), port: local.port } : local;
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function key(address: HostPort): string {
  return `${address.host} ${address.port}`;
}
