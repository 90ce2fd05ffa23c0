import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock } from '../clock.ts';
import type { MessageLimits } from '../message/limits.ts';
import type { Flow, HostPort, StreamProtocol } from './flow.ts';
import { isEncrypted } from './flow.ts';
import type { Network } from './network.ts';
import { StreamFlow, type StreamFlowOptions } from './stream-flow.ts';
import type { Traffic } from './traffic.ts';
import type { TlsGate } from './tls-gate.ts';
import { WsFlow } from './ws-flow.ts';
import type { WsGate } from './ws-gate.ts';

export interface ConnectionLimits extends MessageLimits {
  readonly tcpConnections: number;
  readonly tcpConnectionsPerSource: number;
  /** A handshake, the first byte, and each message must be complete in this time. */
  readonly tcpMessageWithinMs: number;
}

export interface ConnectionOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly traffic: Traffic;
  /** Without it there is no TLS. */
  readonly tls: TlsGate | undefined;
  /** Without it there are no WebSockets. */
  readonly ws: WsGate | undefined;
  /** Our own address as a peer at that host can reach it. */
  readonly localTo: (protocol: StreamProtocol, remoteHost: string) => HostPort;
  readonly onMessage: (bytes: Buffer, flow: Flow) => void;
  /** Framing is lost: the flow closes soon after this call. */
  readonly onBroken: (bytes: Buffer, why: string, flow: Flow) => void;
}

const lastWordsMs = 1_000;

/** Every open connection, accepted or dialled, and how many each peer has. */
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #flows = new Map<string, StreamFlow | WsFlow>();
  /** In a handshake. */
  readonly #halfway = new Set<Socket>();
  /** Accepted and not closed, from the first packet on: a handshake that never ends is a connection too. */
  readonly #accepted = new Map<string, number>();
  #acceptedCount = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** False if there are too many: it has been closed without a word. */
  accept(socket: Socket, protocol: StreamProtocol): boolean {
    const host = plainAddress(socket.remoteAddress ?? '');
    const already = this.#accepted.get(host) ?? 0;
    const { tcpConnections, tcpConnectionsPerSource } = this.#options.limits;
    socket.on('error', () => {});
    if (host === '' || this.#acceptedCount >= tcpConnections || already >= tcpConnectionsPerSource) {
      socket.destroy();
      return false;
    }
    this.#count(socket, host);
    const remote = { host, port: socket.remotePort ?? 0 };
    if (isEncrypted(protocol)) this.#afterHandshake(socket, (secured) => this.#open(secured, protocol, remote));
    else this.#open(socket, protocol, remote);
    return true;
  }

  /**
   * The connection to a literal address, dialled if there is none. `name` is what the peer's certificate must say.
   * Undefined if this protocol cannot be dialled: browsers are not, nor is anybody by TLS without credentials.
   */
  to(protocol: StreamProtocol, remote: HostPort, name: string): Flow | undefined {
    // Whoever has called us from there is there; whom we have called there is there under that name.
    const open = this.from(protocol, remote) ?? this.#flows.get(key(protocol, remote, name));
    if (open?.isOpen === true) return open;
    const { network, tls } = this.#options;
    if (protocol === 'tcp') return this.#flow(network.connectTcp(remote), protocol, remote, { opensOn: 'connect' });
    if (protocol !== 'tls' || tls === undefined) return undefined;
    const socket = tls.dial(network.connectTcp(remote), name);
    return this.#flow(socket, protocol, remote, { opensOn: 'secureConnect', peerName: name });
  }

  /** The connection that somebody has made from there, while it is open. */
  from(protocol: StreamProtocol, remote: HostPort): Flow | undefined {
    const flow = this.#flows.get(key(protocol, remote));
    return flow?.isOpen === true ? flow : undefined;
  }

  close(): void {
    for (const socket of this.#halfway) socket.destroy();
    for (const flow of this.#flows.values()) flow.close();
  }

  #open(socket: Socket, protocol: StreamProtocol, remote: HostPort): void {
    if (protocol === 'tcp' || protocol === 'tls') return void this.#flow(socket, protocol, remote, {});
    const done = this.#opening(socket);
    this.#options.ws?.accept(socket, (connection) => {
      done();
      this.#wsFlow(connection, protocol, remote);
    });
  }

  #wsFlow(connection: WebSocket, protocol: StreamProtocol, remote: HostPort): void {
    const { clock, traffic, localTo, onMessage } = this.#options;
    const id = key(protocol, remote);
    const flow = new WsFlow({
      protocol,
      connection,
      remote,
      local: localTo(protocol, remote.host),
      clock,
      traffic,
      onMessage,
      onClosed: () => this.#flows.delete(id),
    });
    this.#flows.set(id, flow);
  }

  #afterHandshake(socket: Socket, onSecured: (secured: Socket) => void): void {
    const done = this.#opening(socket);
    this.#options.tls?.accept(socket, (secured) => {
      done();
      onSecured(secured);
    });
  }

  /** A socket that is no flow yet has so long to become one. Returns the way to say that it has. */
  #opening(socket: Socket): () => void {
    const { clock, limits } = this.#options;
    const patience = clock.after(limits.tcpMessageWithinMs, () => socket.destroy());
    this.#halfway.add(socket);
    const done = (): void => {
      patience.stop();
      this.#halfway.delete(socket);
    };
    socket.once('close', done);
    return done;
  }

  #count(socket: Socket, host: string): void {
    this.#acceptedCount++;
    this.#accepted.set(host, (this.#accepted.get(host) ?? 0) + 1);
    socket.once('close', () => {
      this.#acceptedCount--;
      const left = (this.#accepted.get(host) ?? 1) - 1;
      if (left === 0) this.#accepted.delete(host);
      else this.#accepted.set(host, left);
    });
  }

  #flow(
    socket: Socket,
    protocol: StreamProtocol,
    remote: HostPort,
    { opensOn, peerName }: { readonly opensOn?: StreamFlowOptions['opensOn']; readonly peerName?: string },
  ): StreamFlow {
    const { clock, limits, traffic, localTo, onMessage, onBroken } = this.#options;
    const id = key(protocol, remote, peerName);
    const flow = new StreamFlow({
      protocol,
      socket,
      remote,
      local: localTo(protocol, remote.host),
      clock,
      traffic,
      messageBytes: limits.messageBytes,
      messageWithinMs: limits.tcpMessageWithinMs,
      opensOn,
      onMessage,
      onBroken: (bytes, why, from) => {
        onBroken(bytes, why, from);
        // Nothing more is read; what was asked before may still be answered (RFC 4475 3.1.1.8).
        clock.after(lastWordsMs, () => from.close());
      },
      onClosed: (closed) => {
        if (this.#flows.get(id) === closed) this.#flows.delete(id);
      },
    });
    this.#flows.set(id, flow);
    return flow;
  }
}

// A socket of both kinds shows peers of IPv4 like this (RFC 4291 2.5.5.2); lists of addresses know them by the plain form.
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** `peerName`: of a connection that we dialled by TLS, for its certificate is of that name and no other. */
function key(protocol: StreamProtocol, address: HostPort, peerName = ''): string {
  return `${protocol} ${address.host} ${address.port} ${peerName}`;
}
