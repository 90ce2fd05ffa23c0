/** The transports this library speaks. */
export type Protocol = 'udp' | StreamProtocol;

/** Those over a connection; RFC 7118 for the last two. */
export type StreamProtocol = 'tcp' | 'tls' | 'ws' | 'wss';

export const protocols: readonly Protocol[] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** An address to listen on. Port 0 means any free one. */
export interface ListenAddress extends HostPort {
  readonly protocol: Protocol;
}

/** One peer as seen from one of our sockets: enough to write Via and Contact. */
export interface Vantage {
  readonly protocol: Protocol;
  /** Our listening address as this peer can reach it. */
  readonly local: HostPort;
  readonly remote: HostPort;
  /** Ours on the wire, which of a connection that we have dialled is not the one that we listen on. Absent: that of `local`. */
  readonly wirePort?: number | undefined;
}

/**
 * A way to reach one peer from one of our sockets: a UDP socket with a remote address, or a connection.
 * What is sent into a flow that cannot take it is lost; `onLost` tells once, for connections only.
 */
export interface Flow extends Vantage {
  readonly isOpen: boolean;
  /** Of a connection: whether the peer has taken it, and has shown who it is. */
  readonly isReady?: boolean;
  send(bytes: Buffer): void;
  /** Ends a connection, after what has been sent; UDP has nothing to end. */
  close?(): void;
  /** Calls back once when the flow is lost, later than this call. Returns the way to stop listening. */
  onLost(listener: () => void): () => void;
}

export function isReliable(protocol: Protocol): boolean {
  return protocol !== 'udp';
}

export function isEncrypted(protocol: Protocol): boolean {
  return protocol === 'tls' || protocol === 'wss';
}

/** What a URI without a port means: RFC 3261 19.1.2, RFC 7118 5.2. */
export function defaultPort(protocol: Protocol): number {
  if (protocol === 'ws') return 80;
  if (protocol === 'wss') return 443;
  return protocol === 'tls' ? 5061 : 5060;
}

/** The `transport` parameter of a URI that names us: `;transport=tls`, '' for UDP. RFC 7118 5.2 knows no `wss`. */
export function transportParam(protocol: Protocol): string {
  if (protocol === 'udp') return '';
  return `;transport=${protocol === 'wss' ? 'ws' : protocol}`;
}

export function describe(address: ListenAddress): string {
  return `${address.protocol}/${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
