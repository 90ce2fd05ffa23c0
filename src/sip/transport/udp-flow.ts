import type { Flow, HostPort } from './flow.ts';
import { concrete } from './local-address.ts';
import type { UdpSocket } from './network.ts';
import type { Traffic } from './traffic.ts';

/** A peer behind one of our UDP sockets. One is made for each datagram, so it is small. */
export class UdpFlow implements Flow {
  readonly protocol = 'udp';
  readonly isOpen = true;
  readonly remote: HostPort;
  readonly #socket: UdpSocket;
  readonly #traffic: Traffic;
  #local: HostPort | undefined;

  constructor(socket: UdpSocket, remote: HostPort, traffic: Traffic) {
    this.#socket = socket;
    this.remote = remote;
    this.#traffic = traffic;
  }

  /** Found out when it is asked for: that costs more than everything else a datagram needs. */
  get local(): HostPort {
    this.#local ??= concrete(this.#socket.local, this.remote.host);
    return this.#local;
  }

  get wirePort(): number {
    return this.#socket.local.port;
  }

  send(bytes: Buffer): void {
    this.#traffic.countSent(bytes, this);
    this.#socket.send(bytes, this.remote);
  }

  onLost(): () => void {
    return noop;
  }
}

function noop(): void {}
