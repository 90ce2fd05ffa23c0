import type { Socket } from 'node:net';
import type { Clock, Timer } from '../clock.ts';
import type { Flow, HostPort, StreamProtocol } from './flow.ts';
import { LostListeners } from './lost-listeners.ts';
import { StreamFramer } from './stream-framer.ts';
import type { Traffic } from './traffic.ts';

const pong = Buffer.from('\r\n');
const ping = Buffer.from('\r\n\r\n');
/** RFC 5626 4.4.1: of what we dial, so that no NAT or firewall on the way forgets a trunk between two calls. */
const pingEveryMs = 95_000;
const pongWithinMs = 10_000;
/** A peer that does not read may hold this much of our memory. */
export const maxUnsentBytes = 1024 * 1024;

export interface StreamFlowOptions {
  readonly protocol: StreamProtocol;
  /** Of TLS: the socket that deciphers. */
  readonly socket: Socket;
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly clock: Clock;
  readonly traffic: Traffic;
  /** The most that one message may have. */
  readonly messageBytes: number;
  /** A message, and the first byte of an accepted connection, must be complete in this time. */
  readonly messageWithinMs: number;
  /** Of a connection we dial: what its socket emits when it may be written to. An accepted one owes us a first byte. */
  readonly opensOn: 'connect' | 'secureConnect' | undefined;
  readonly onMessage: (bytes: Buffer, flow: StreamFlow) => void;
  readonly onBroken: (bytes: Buffer, why: string, flow: StreamFlow) => void;
  readonly onClosed: (flow: StreamFlow) => void;
}

/** One connection over TCP or TLS: framing, CR LF keep-alive, patience with a slow sender. */
export class StreamFlow implements Flow {
  readonly protocol: StreamProtocol;
  readonly local: HostPort;
  readonly remote: HostPort;
  readonly #options: StreamFlowOptions;
  readonly #framer: StreamFramer;
  readonly #lost: LostListeners;
  #patience: Timer | undefined;
  /** What is to be said when the peer has shown who it is; undefined once it has. */
  #unsaid: Buffer[] | undefined;
  #unsaidBytes = 0;
  #ping: Timer | undefined;
  /** Since the last ping. */
  #isHeard = false;
  #awaitsPong = false;
  /** Many peers do not know pings: only one that has answered one is given up when it does not. */
  #answersPings = false;
  #isOpen = true;

  constructor(options: StreamFlowOptions) {
    this.#options = options;
    this.#framer = new StreamFramer(options.messageBytes);
    this.#lost = new LostListeners(options.clock);
    this.protocol = options.protocol;
    this.local = options.local;
    this.remote = options.remote;
    const { socket, opensOn } = options;
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('error', () => this.close());
    socket.on('close', () => this.close());
    // A peer that half-closes has nothing more to ask, and cannot be rung either.
    socket.on('end', () => this.close());
    this.#patience = options.clock.after(options.messageWithinMs, () => this.close());
    if (opensOn === undefined) return;
    this.#unsaid = [];
    socket.once(opensOn, () => this.#opened());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get wirePort(): number | undefined {
    return this.#options.socket.localPort;
  }

  get isReady(): boolean {
    return this.#isOpen && this.#unsaid === undefined;
  }

  send(bytes: Buffer): void {
    if (this.#isOpen) this.#write(bytes);
  }

  #write(bytes: Buffer): void {
    const waitingBytes = this.#options.socket.writableLength + this.#unsaidBytes;
    if (waitingBytes > maxUnsentBytes) {
      // In a later turn: whoever sends may not be ready yet to be told of the loss.
      this.#options.clock.after(0, () => this.close());
    } else if (this.#unsaid === undefined) {
      // Not before: where it leaves from is known only now, and what waits may never leave.
      this.#options.traffic.countSent(bytes, this);
      this.#options.socket.write(bytes);
    } else {
      this.#unsaid.push(bytes);
      this.#unsaidBytes += bytes.length;
    }
  }

  onLost(listener: () => void): () => void {
    return this.#lost.add(listener);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#ping?.stop();
    this.#stopPatience();
    const { socket, clock, messageWithinMs } = this.#options;
    socket.destroySoon();
    // What was said last may still be read; a peer that reads nothing does not keep the socket for that.
    const patience = clock.after(messageWithinMs, () => socket.destroy());
    socket.once('close', () => patience.stop());
    this.#options.onClosed(this);
    this.#lost.tell();
  }

  #opened(): void {
    this.#stopPatience();
    const unsaid = this.#unsaid ?? [];
    this.#unsaid = undefined;
    this.#unsaidBytes = 0;
    for (const bytes of unsaid) this.#write(bytes);
    this.#pingLater();
  }

  #pingLater(): void {
    const { clock } = this.#options;
    this.#ping = clock.after(pingEveryMs, () => {
      this.#isHeard = false;
      this.#awaitsPong = true;
      this.#write(ping);
      this.#ping = clock.after(pongWithinMs, () => {
        this.#awaitsPong = false;
        if (this.#answersPings && !this.#isHeard) return this.close();
        this.#pingLater();
      });
    });
  }

  #received(chunk: Buffer): void {
    this.#isHeard = true;
    if (this.#ping !== undefined && !this.#framer.isMidMessage && chunk.equals(pong)) {
      // At another time it is no answer: some peers keep their way open by line ends.
      this.#answersPings ||= this.#awaitsPong;
      return;
    }
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
