import Mrf from 'drachtio-fsmrf';
import { type Endpoint, type EslEvent, answerHint, mediaSilent } from './live-endpoint.ts';
import { probeMediaServer } from './probe-media-server.ts';
import { probeListen } from './probe-port.ts';
import type { SrfClient } from './srf-types.ts';

const trialMs = 3000;

/** The event that has the numbers of a leg. */
const hangUp = 'CHANNEL_HANGUP_COMPLETE';

export interface MediaClientEvents {
  /** The server has closed the connection; told once, and not after `disconnect`. */
  ended(): void;
  /** Nothing ends by it. */
  failed(error: Error): void;
  /** A leg on this server is over, ours or somebody else's: with all its variables. */
  hungUp(event: EslEvent): void;
}

/** One connection to a media server, which is never made again by itself. */
export class MediaClient {
  readonly #server: Mrf.MediaServer;
  readonly #carrier: Carrier;
  #isOver = false;

  private constructor(server: Mrf.MediaServer, carrier: Carrier, events: MediaClientEvents) {
    this.#server = server;
    this.#carrier = carrier;
    server.conn.subscribe([hangUp]);
    server.conn.on(`esl::event::${hangUp}::*`, (event: EslEvent) => {
      if (!this.#isOver) events.hungUp(event);
    });
    server.on('error', (error: Error) => events.failed(error));
    // drachtio-fsmrf 5.0.1 reconnects by itself, but with commands of the old connection still queued, so that
    // answers reach the wrong caller. The whole object is thrown away instead.
    server.once('end', () => {
      if (this.#isOver) return;
      this.disconnect();
      events.ended();
    });
  }

  /** Rejects if it cannot be made, when the trial before it takes some seconds, or the connection itself `withinMs`. */
  static async connect(to: Mrf.ConnectOptions, events: MediaClientEvents, withinMs = trialMs): Promise<MediaClient> {
    const { address: host, port, secret, profile } = to;
    await probeMediaServer({ host, port, secret, profile }, trialMs);
    await probeListen(to.listenAddress, to.listenPort);
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`media server at ${to.address}:${to.port} was not ready within ${withinMs} ms`)),
        withinMs,
      );
    });
    const carrier = new Carrier();
    const connecting = new Mrf(carrier, { customEvents: [mediaSilent, answerHint] }).connect(to);
    try {
      return new MediaClient(await Promise.race([connecting, tooLong]), carrier, events);
    } catch (error) {
      // The library goes on: a connection that comes later would be held by nobody.
      connecting.then(
        (late) => late.disconnect(),
        () => {},
      );
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The INVITE goes through `via`. Settles late or never when the server does not answer. */
  createEndpoint(via: SrfClient, wish: { remoteSdp?: string; headers?: Record<string, string> }): Promise<Endpoint> {
    return this.#carrier.through(via, () => this.#server.createEndpoint(wish));
  }

  /** The body of the answer; never settles when the server does not answer. */
  api(command: string): Promise<string> {
    return this.#server.api(command);
  }

  /** May be called twice. */
  disconnect(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#server.disconnect();
  }
}

/** drachtio-fsmrf 5.0.1 takes one signalling client for good, and calls it before `createEndpoint` returns. */
class Carrier {
  #via: SrfClient | null = null;

  through<T>(via: SrfClient, run: () => T): T {
    this.#via = via;
    try {
      return run();
    } finally {
      this.#via = null;
    }
  }

  createUAC(...about: Parameters<SrfClient['createUAC']>): unknown {
    if (this.#via === null) throw new Error('an endpoint was asked for behind our back');
    return this.#via.createUAC(...about);
  }
}
