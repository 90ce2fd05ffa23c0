import type { Socket } from 'node:net';
import type { AppLoad } from '../app-load.ts';
import { FrameReader, frame } from './frame-reader.ts';

/** An app that has not said who it is needs few bytes to do so. */
const maxBytesBeforeLogin = 4_096;
const maxFrameBytes = 1024 * 1024;
/** An app that stops reading may hold this much of our memory. */
const maxUnsentBytes = 64 * 1024 * 1024;

export interface AppConnectionEvents {
  onPayload(connection: AppConnection, payload: Buffer): void;
  onClosed(connection: AppConnection): void;
}

/** One app at the control port. */
export class AppConnection {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #uuid: () => string;
  readonly #events: AppConnectionEvents;
  isAuthenticated = false;
  isOpen = true;
  #isCorked = false;
  /** The tags it logged in with, joined; '' if none. Apps with the same tags are one app, before and after a restart. */
  tag = '';
  /** How late it said it was, and when it said so. */
  load: (AppLoad & { readonly atMs: number }) | undefined;
  /** The verbs it wants, lower case. */
  readonly verbs = new Set<string>();
  /** The kinds of call records it wants. */
  readonly recordKinds = new Set<string>();

  constructor(socket: Socket, uuid: () => string, events: AppConnectionEvents) {
    this.#socket = socket;
    this.#uuid = uuid;
    this.#events = events;
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('error', () => this.close());
    socket.on('end', () => this.close());
    socket.on('close', () => this.close());
  }

  /** Ready for requests: logged in and interested in something. */
  get isAttached(): boolean {
    return this.isOpen && this.isAuthenticated && this.verbs.size > 0;
  }

  /** Answers the app's message `id`. */
  reply(id: string, tokens: string, message?: Buffer): void {
    this.#write(frame(`${this.#uuid()}|response|${id}|${tokens}`, message));
  }

  /** Shows a SIP message to the app. */
  show(tokens: string, message: Buffer): void {
    this.#write(frame(`${this.#uuid()}|sip|${tokens}`, message));
  }

  /** Tells the app something else that it asked for. */
  tell(tokens: string, message: Buffer): void {
    this.#write(frame(`${this.#uuid()}|${tokens}`, message));
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#socket.destroySoon();
    this.#events.onClosed(this);
  }

  #write(bytes: Buffer): void {
    if (!this.isOpen) return;
    if (this.#socket.writableLength > maxUnsentBytes) return this.close();
    // What one turn of the event loop has to say goes out in one system call.
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes);
  }

  #received(chunk: Buffer): void {
    const payloads = this.#reader.push(chunk, this.isAuthenticated ? maxFrameBytes : maxBytesBeforeLogin);
    if (payloads === undefined) return this.close();
    for (const payload of payloads) {
      if (!this.isOpen) return;
      this.#events.onPayload(this, payload);
    }
  }
}
