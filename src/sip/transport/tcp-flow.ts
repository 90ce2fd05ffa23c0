import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import type { Flow, HostPort } from './flow.ts';
import { StreamFramer } from './stream-framer.ts';

const pong = Buffer.from('\r\n');
/** A peer that does not read may hold this much of our memory. */
const maxUnsentBytes = 1024 * 1024;

export interface TcpFlowOptions {
  readonly socket: Socket;
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly clock: Clock;
  /** A message, and the first byte of an accepted connection, must be complete in this time. */
  readonly messageWithinMs: number;
  /** Whether the peer dialled us, and owes us a first byte. */
  readonly isAccepted: boolean;
  readonly onMessage: (bytes: Buffer, flow: TcpFlow) => void;
  readonly onBroken: (bytes: Buffer, why: string, flow: TcpFlow) => void;
  readonly onClosed: (flow: TcpFlow) => void;
}

/** One TCP connection: framing, CR LF keep-alive, patience with a slow sender. */
export class TcpFlow implements Flow {
  readonly protocol = 'tcp';
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly #options: TcpFlowOptions;
  readonly #framer = new StreamFramer();
  readonly #lostListeners = new Set<() => void>();
  #patience: Timer | undefined;
  #isOpen = true;

  constructor(options: TcpFlowOptions) {
    this.#options = options;
    this.local = options.local;
    this.remote = options.remote;
    const { socket } = options;
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
    // A peer that half-closes has nothing more to ask, and cannot be rung either.
    socket.on('end', () => this.close());
    if (options.isAccepted || socket.connecting) {
      this.#patience = options.clock.after(options.messageWithinMs, () => this.close());
    }
    socket.once('connect', () => this.#stopPatience());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  send(bytes: Buffer): void {
    if (!this.#isOpen) return;
    if (this.#options.socket.writableLength <= maxUnsentBytes) this.#options.socket.write(bytes);
    // In a later turn: whoever sends may not be ready yet to be told of the loss.
    else this.#options.clock.after(0, () => this.close());
  }

  onLost(listener: () => void): () => void {
    if (!this.#isOpen) {
      this.#options.clock.after(0, listener);
      return () => {};
    }
    this.#lostListeners.add(listener);
    return () => this.#lostListeners.delete(listener);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stopPatience();
    const { socket, clock, messageWithinMs } = this.#options;
    socket.destroySoon();
    // What was said last may still be read; a peer that reads nothing does not keep the socket for that.
    const patience = clock.after(messageWithinMs, () => socket.destroy());
    socket.once('close', () => patience.stop());
    this.#options.onClosed(this);
    for (const listener of this.#lostListeners) listener();
    this.#lostListeners.clear();
  }

  #received(chunk: Buffer): void {
    for (const frame of this.#framer.push(chunk)) {
      if (!this.#isOpen) return;
      this.#stopPatience();
      if (frame.kind === 'ping') this.send(pong);
      else if (frame.kind === 'message') this.#options.onMessage(frame.bytes, this);
      else this.#options.onBroken(frame.bytes, frame.why, this);
    }
    if (!this.#framer.isMidMessage) this.#stopPatience();
    else this.#patience ??= this.#options.clock.after(this.#options.messageWithinMs, () => this.close());
  }

  #stopPatience(): void {
    this.#patience?.stop();
    this.#patience = undefined;
  }
}
