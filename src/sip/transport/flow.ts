/** The transports this library speaks. */
export type Protocol = 'udp' | 'tcp';

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
}

/**
 * A way to reach one peer from one of our sockets: a UDP socket with a remote address, or a TCP connection.
 * What is sent into a flow that cannot take it is lost; `onLost` tells once, for TCP only.
 */
export interface Flow extends Vantage {
  readonly isOpen: boolean;
  send(bytes: Buffer): void;
  /** Calls back once when the flow is lost, later than this call. Returns the way to stop listening. */
  onLost(listener: () => void): () => void;
}

export function isReliable(protocol: Protocol): boolean {
  return protocol !== 'udp';
}

export function describe(address: ListenAddress): string {
  return `${address.protocol}/${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
