/**
 * Ports for each new leg: an even one for RTP and the odd one above it for RTCP (RFC 3550 11), in turn, so that what still comes for a leg that has
 * ended does not reach the next one; beginning anywhere, so that neither does what phones still send to a media server that was killed a second ago.
 */
import { randomInt } from 'node:crypto';
import { LegSocket } from './leg-socket.ts';
import type { LegTransport } from './leg-wire.ts';
import type { Endpoint, WorkerSettings } from './messages.ts';

export class LegPorts {
  readonly #settings: Pick<WorkerSettings, 'bindAddress' | 'portsFrom' | 'portsTo'>;
  #next: number;

  /** `random`: 0 to `below` - 1. */
  constructor(
    settings: Pick<WorkerSettings, 'bindAddress' | 'portsFrom' | 'portsTo'>,
    random: (below: number) => number = randomInt,
  ) {
    this.#settings = settings;
    const { portsFrom, portsTo } = settings;
    this.#next = evenFrom(portsFrom) + 2 * random(Math.max(1, Math.floor((portsTo - portsFrom) / 2)));
  }

  /** Rejects when none is free. */
  async bind(): Promise<PortPair> {
    const { bindAddress, portsFrom, portsTo } = this.#settings;
    // Any two: the session description says which.
    if (portsFrom === 0) return PortPair.bind(bindAddress, 0, 0);
    const first = evenFrom(portsFrom);
    for (let tries = 0; first + 2 * tries < portsTo; tries++) {
      const port = this.#next < first || this.#next >= portsTo ? first : this.#next;
      this.#next = port + 2;
      try {
        return await PortPair.bind(bindAddress, port, port + 1);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      }
    }
    throw new Error(`all pairs of ports from ${portsFrom} to ${portsTo} are in use`);
  }
}

function evenFrom(port: number): number {
  return port + (port % 2);
}

/** Two sockets of one leg. */
export class PortPair implements LegTransport {
  readonly #sound: LegSocket;
  readonly #control: LegSocket;

  private constructor(sound: LegSocket, control: LegSocket) {
    this.#sound = sound;
    this.#control = control;
  }

  static async bind(address: string, port: number, controlPort: number): Promise<PortPair> {
    const sound = await LegSocket.bind(address, port);
    try {
      return new PortPair(sound, await LegSocket.bind(address, controlPort));
    } catch (error) {
      sound.close();
      throw error;
    }
  }

  get port(): number {
    return this.#sound.port;
  }

  get controlPort(): number {
    return this.#control.port;
  }

  onDatagram(receive: (datagram: Buffer, source: Endpoint) => void): void {
    this.#sound.onDatagram(receive);
  }

  onControl(receive: (datagram: Buffer, source: Endpoint) => void): void {
    this.#control.onDatagram(receive);
  }

  send(datagram: Buffer, to: Endpoint): void {
    this.#sound.send(datagram, to);
  }

  /** Never connected: a few packets a minute. */
  sendControl(datagram: Buffer, to: Endpoint): void {
    this.#control.send(datagram, to);
  }

  connect(to: Endpoint): void {
    this.#sound.connect(to);
  }

  disconnect(): void {
    this.#sound.disconnect();
  }

  close(): void {
    this.#sound.close();
    this.#control.close();
  }
}
