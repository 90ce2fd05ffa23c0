/** One UDP socket per leg, on an even port; connected once the latch has closed. */
import { createSocket, type Socket } from 'node:dgram';
import type { Endpoint } from './messages.ts';
import type { LegTransport } from './media-leg.ts';

export class LegSocket implements LegTransport {
  readonly #socket: Socket;
  #isConnected = false;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // ICMP errors of a phone that went away come here; the leg's own silence watch tells about it.
    socket.on('error', () => {});
  }

  /** Rejects with Node's error (EADDRINUSE, EADDRNOTAVAIL …). Port 0 is any free one. */
  static async bind(address: string, port: number): Promise<LegSocket> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port, exclusive: true }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    return new LegSocket(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  onDatagram(receive: (datagram: Buffer, source: Endpoint) => void): void {
    this.#socket.on('message', receive);
  }

  send(datagram: Buffer, to: Endpoint): void {
    if (this.#isClosed) return;
    if (this.#isConnected) this.#socket.send(datagram, ignore);
    else this.#socket.send(datagram, to.port, to.address, ignore);
  }

  connect(to: Endpoint): void {
    this.#socket.connect(to.port, to.address, () => {
      this.#isConnected = !this.#isClosed;
    });
  }

  disconnect(): void {
    if (!this.#isConnected || this.#isClosed) return;
    this.#isConnected = false;
    this.#socket.disconnect();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}

/** A lost packet is lost; there is nothing to do about it 20 ms later. */
function ignore(): void {}
