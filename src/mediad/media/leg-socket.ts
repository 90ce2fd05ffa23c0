/** A UDP socket of a leg; that of RTP is connected once the latch has closed. */
import { createSocket, type Socket } from 'node:dgram';
import type { Endpoint } from './messages.ts';

export class LegSocket {
  readonly #socket: Socket;
  #state: 'free' | 'connecting' | 'connected' = 'free';
  /** Where it shall be connected to; may change while an earlier wish is carried out. */
  #wanted: Endpoint | undefined;
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
    // Without a callback, which costs a turn of its own: a lost packet is lost, there is nothing to do about it 20 ms later.
    if (this.#state === 'connected') this.#socket.send(datagram);
    else this.#socket.send(datagram, to.port, to.address);
  }

  connect(to: Endpoint): void {
    this.#wanted = to;
    if (this.#state === 'free') this.#carryOut(to);
  }

  disconnect(): void {
    this.#wanted = undefined;
    if (this.#state !== 'connected' || this.#isClosed) return;
    this.#socket.disconnect();
    this.#state = 'free';
  }

  #carryOut(to: Endpoint): void {
    if (this.#isClosed) return;
    this.#state = 'connecting';
    this.#socket.connect(to.port, to.address, (...failure: unknown[]) => {
      if (this.#isClosed) return;
      // Unreachable: stays free, each packet is sent for itself.
      this.#state = failure.length > 0 ? 'free' : 'connected';
      const wanted = this.#wanted;
      if (this.#state === 'free' || wanted === to) return;
      this.#socket.disconnect();
      this.#state = 'free';
      if (wanted !== undefined) this.#carryOut(wanted);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}
