import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../../engine/index.ts';
import type { Lateness } from '../../telephony/index.ts';
import { type ControlPort, controlFrame, cutFrame, replyIn } from '../ask-control-port.ts';

const againAfterMs = 1_000;
const everyMs = 100;
/** More unread than this is no answer of a server of ours. */
const maxHeldBytes = 65_536;

/**
 * A second connection to a signalling server, for what drachtio's protocol does not have: which numbers go before all
 * others, and how late we are. A server that does not know these commands is told nothing more.
 */
export class SideLine {
  readonly #to: ControlPort;
  readonly #secret: string;
  readonly #numbers: () => readonly string[] | null;
  readonly #lateness: () => Lateness;
  #socket: Socket | null = null;
  #timer: { cancel(): void } | null = null;
  #told: readonly string[] | null = null;
  #state: 'logsIn' | 'asks' | 'serves' | 'over' = 'logsIn';

  /** `numbers`: the same list until it changes; null while there is none. */
  constructor(
    to: ControlPort,
    secret: string,
    about: { readonly numbers: () => readonly string[] | null; readonly lateness: () => Lateness },
  ) {
    this.#to = to;
    this.#secret = secret;
    this.#numbers = about.numbers;
    this.#lateness = about.lateness;
    this.#open();
  }

  /** It is closed, or the server wants to hear nothing. */
  get isOver(): boolean {
    return this.#state === 'over';
  }

  close(): void {
    this.#state = 'over';
    this.#timer?.cancel();
    this.#socket?.destroy();
  }

  #open(): void {
    const { tls, ...at } = this.#to;
    const socket = tls === null ? connect(at) : connectTls({ ...at, ...tls });
    this.#socket = socket;
    this.#state = 'logsIn';
    this.#told = null;
    let held: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => this.#lost(socket));
    socket.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      if (held.length > maxHeldBytes) return socket.destroy();
      for (let next = cutFrame(held); next !== null; next = cutFrame(held)) {
        held = next.rest;
        const says = replyIn(next.payload)?.says;
        if (says !== undefined) this.#heard(says);
      }
    });
    this.#say(`authenticate|${this.#secret}|`);
  }

  #heard(says: string): void {
    switch (this.#state) {
      case 'logsIn':
        // Whoever refuses the secret tells it on the first connection too.
        if (!says.startsWith('OK')) return this.close();
        this.#state = 'asks';
        return this.#say('load|0');
      case 'asks':
        if (!says.startsWith('OK')) return this.close();
        this.#state = 'serves';
        return this.#tell();
      case 'serves':
      case 'over':
    }
  }

  #tell(): void {
    if (this.#state !== 'serves') return;
    const numbers = this.#numbers();
    if (numbers !== this.#told && numbers !== null) {
      this.#told = numbers;
      this.#say(`reserve\r\n${JSON.stringify({ numbers })}`);
    }
    const { lateMs, lateNowMs } = this.#lateness();
    this.#say(`load|${lateMs}|${lateNowMs}`);
    this.#timer = systemClock.after(everyMs, () => this.#tell());
  }

  #lost(socket: Socket): void {
    if (socket !== this.#socket || this.#state === 'over') return;
    this.#timer?.cancel();
    this.#timer = systemClock.after(againAfterMs, () => this.#open());
  }

  #say(text: string): void {
    this.#socket?.write(controlFrame(`cli|${text}`));
  }
}
