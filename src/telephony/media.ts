import type { Clock } from '../engine/ports.ts';
import { PortError } from '../engine/ports.ts';
import { asError, connectMrf, type MediaServer, type SrfClient } from './client-libraries/index.ts';
import { MediaEndpoint } from './media-endpoint.ts';
import type { TelephonyOptions } from './options.ts';
import type { Log } from './ports.ts';
import { readSecret } from './secrets.ts';

export interface LinkHealth {
  readonly isUp: boolean;
  /** '' when up. */
  readonly why: string;
}

const retryMs = 500;

/** A caller waits for nothing longer: a media server that hangs must not cost the time of a STAT call. */
const endpointWithinMs = 5000;

/** The connection to the media server: made, watched, and made again with a fresh object whenever it ends. */
export class MediaLink {
  readonly #srf: SrfClient;
  readonly #options: TelephonyOptions['media'];
  readonly #clock: Clock;
  readonly #log: Log;
  #server: MediaServer | null = null;
  #why = 'not connected yet';
  #isClosed = false;
  #retry: { cancel(): void } | null = null;

  constructor(parts: { srf: SrfClient; options: TelephonyOptions['media']; clock: Clock; log: Log }) {
    this.#srf = parts.srf;
    this.#options = parts.options;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  get health(): LinkHealth {
    return this.#server ? { isUp: true, why: '' } : { isUp: false, why: this.#why };
  }

  /** Settles after the first attempt; later ones go on by themselves until close(). */
  async connect(): Promise<void> {
    const { host, port, listenHost, listenPort, profile } = this.#options;
    const to = { address: host, port, listenAddress: listenHost, listenPort, profile };
    try {
      const secret = readSecret('telephony.media', this.#options);
      const server = await connectMrf(this.#srf, { ...to, secret });
      if (this.#isClosed) return server.disconnect();
      this.#adopt(server);
    } catch (error) {
      this.#lost(asError(error).message);
    }
  }

  /** With the far end's description, or without: then the endpoint waits to be modified. */
  async endpoint(remoteSdp: string | null, onGone: () => void): Promise<MediaEndpoint> {
    if (!this.#server) throw new PortError('mediaUnavailable', { cause: new Error(this.#why) });
    const made = this.#server
      .createEndpoint(remoteSdp === null ? {} : { remoteSdp })
      .then((endpoint) => new MediaEndpoint(endpoint, onGone));
    let isLate = false;
    const tooLate = Promise.withResolvers<never>();
    const timer = this.#clock.after(endpointWithinMs, () => {
      isLate = true;
      tooLate.reject(new Error(`the media server made no endpoint within ${endpointWithinMs} ms`));
    });
    made.then(
      (endpoint) => isLate && endpoint.close(),
      () => {},
    );
    try {
      return await Promise.race([made, tooLate.promise]);
    } catch (cause) {
      throw new PortError('mediaUnavailable', { cause });
    } finally {
      timer.cancel();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#server?.disconnect();
    this.#server = null;
  }

  #adopt(server: MediaServer): void {
    this.#server = server;
    this.#log.info({ host: this.#options.host, port: this.#options.port }, 'media server connected');
    server.on('error', (error: Error) => this.#log.warn({ err: error }, 'media server error'));
    // drachtio-fsmrf 5.0.1 reconnects by itself, but with commands of the old connection still queued, so that
    // answers reach the wrong caller. The whole object is thrown away instead.
    server.once('end', () => {
      server.disconnect();
      if (this.#server === server) this.#lost('the media server closed the connection');
    });
  }

  #lost(why: string): void {
    if (this.#isClosed) return;
    if (this.#why !== why || this.#server) this.#log.warn({ why }, 'media server not connected');
    this.#server = null;
    this.#why = why;
    this.#retry = this.#clock.after(retryMs, () => void this.connect());
  }
}
