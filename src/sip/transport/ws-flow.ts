import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../clock.ts';
import type { Flow, HostPort, StreamProtocol } from './flow.ts';
import { LostListeners } from './lost-listeners.ts';
import { maxUnsentBytes } from './stream-flow.ts';
import type { Traffic } from './traffic.ts';

/** A browser that is gone without a word is noticed within two of these (RFC 5626 4.4.1). */
const pingEveryMs = 15_000;
const pong = Buffer.from('\r\n');

export interface WsFlowOptions {
  readonly protocol: StreamProtocol;
  readonly connection: WebSocket;
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly clock: Clock;
  readonly traffic: Traffic;
  readonly onMessage: (bytes: Buffer, flow: Flow) => void;
  readonly onClosed: (flow: Flow) => void;
}

/** One WebSocket: each of its messages is one of SIP, as text or as bytes (RFC 7118 5.1). */
export class WsFlow implements Flow {
  readonly protocol: StreamProtocol;
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly #options: WsFlowOptions;
  readonly #lost: LostListeners;
  #ping: Timer | undefined;
  #isHeard = true;
  #isOpen = true;

  constructor(options: WsFlowOptions) {
    this.#options = options;
    this.protocol = options.protocol;
    this.local = options.local;
    this.remote = options.remote;
    this.#lost = new LostListeners(options.clock);
    const { connection } = options;
    connection.on('message', (data: Buffer) => this.#received(data));
    connection.on('pong', () => (this.#isHeard = true));
    connection.on('error', () => this.close());
    connection.on('close', () => this.close());
    this.#pingLater();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  send(bytes: Buffer): void {
    if (!this.#isOpen) return;
    this.#options.traffic.countSent(bytes, this);
    // As text: browsers hand bytes to pages as something that many libraries do not expect.
    if (this.#options.connection.bufferedAmount <= maxUnsentBytes) this.#options.connection.send(bytes.toString());
    else this.#options.clock.after(0, () => this.close());
  }

  onLost(listener: () => void): () => void {
    return this.#lost.add(listener);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#ping?.stop();
    // No closing handshake to wait for: SIP has said what there was to say.
    this.#options.connection.terminate();
    this.#options.onClosed(this);
    this.#lost.tell();
  }

  #received(data: Buffer): void {
    if (!this.#isOpen) return;
    this.#isHeard = true;
    if (data.length > 4) this.#options.onMessage(data, this);
    else if (data.toString('latin1') === '\r\n\r\n') this.#options.connection.send(pong.toString());
  }

  #pingLater(): void {
    this.#ping = this.#options.clock.after(pingEveryMs, () => {
      if (!this.#isHeard) return this.close();
      this.#isHeard = false;
      this.#options.connection.ping();
      this.#pingLater();
    });
  }
}
