import path from 'node:path';
import type { Clock } from '../engine/ports.ts';
import { PortError } from '../engine/ports.ts';
import {
  asError,
  connectMrf,
  type Endpoint,
  type MediaServer,
  type SrfClient,
  type SrfDialog,
} from './client-libraries/index.ts';
import { type EndpointEvents, MediaEndpoint, type MediaPaths } from './media-endpoint.ts';
import { type Recordings, sealedByServer, sealedByUs } from './recordings.ts';
import { SilenceWatch } from './silence-watch.ts';
import { type MediaServerOptions, serverNameOf, type TelephonyOptions } from './options.ts';
import type { Log, PlainSealer } from './ports.ts';
import { readSecret } from './secrets.ts';

export interface LinkHealth {
  readonly isUp: boolean;
  /** '' when up. */
  readonly why: string;
}

const retryMs = 500;

/** A caller waits for nothing longer: a media server that hangs must not cost the time of a STAT call. */
const endpointWithinMs = 5000;

/** A media server that was killed is back in a second: new endpoints wait for it, or a chain would burn down meanwhile. */
const waitForServerMs = 5000;

/** One that hangs keeps its connections open: it is asked now and then, and counts as lost when it does not answer. */
const askEveryMs = 5000;
const answersWithinMs = 5000;

/** The connection to the media server: made, watched, and made again with a fresh object whenever it ends. */
export class MediaLink {
  readonly #srf: SrfClient;
  readonly #options: MediaServerOptions;
  readonly #site: TelephonyOptions['media'];
  readonly #clock: Clock;
  readonly #log: Log;
  #server: MediaServer | null = null;
  #why = 'not connected yet';
  #isClosed = false;
  #retry: { cancel(): void } | null = null;
  #lookAgain: { cancel(): void } | null = null;
  readonly #endpoints = new Set<MediaEndpoint>();
  /** Proceed when the server is there. */
  readonly #waiting = new Set<() => void>();
  /** Told when it is lost. */
  readonly #creating = new Set<(why: string) => void>();
  readonly #recordings: Recordings;
  readonly #onConnected: () => void;

  constructor(parts: {
    srf: SrfClient;
    server: MediaServerOptions;
    site: TelephonyOptions['media'];
    sealer: PlainSealer;
    clock: Clock;
    log: Log;
    onConnected: () => void;
  }) {
    this.#recordings = recordingsOf(parts.server, parts.site.recordings, parts.sealer);
    this.#onConnected = parts.onConnected;
    this.#srf = parts.srf;
    this.#options = parts.server;
    this.#site = parts.site;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  get health(): LinkHealth {
    return this.#server ? { isUp: true, why: '' } : { isUp: false, why: this.#why };
  }

  /** Settles after the first attempt; later ones go on by themselves until close(). */
  async connect(): Promise<void> {
    const { host, port, listenHost, listenPort = 0, advertise, profile } = this.#options;
    const to = { address: host, port, listenAddress: listenHost, listenPort, profile, advertisedAddress: advertise };
    try {
      const secret = readSecret(`media server ${serverNameOf(this.#options)}`, this.#options);
      const server = await connectMrf(this.#srf, { ...to, secret });
      if (this.#isClosed) return server.disconnect();
      this.#adopt(server);
    } catch (error) {
      this.#lost(asError(error).message);
    }
  }

  /**
   * With the far end's description, or without: then the endpoint waits to be modified. `mediaSource`: further hosts
   * the phone's sound may come from, separated by commas.
   */
  async endpoint(remoteSdp: string | null, mediaSource: string, events: EndpointEvents): Promise<MediaEndpoint> {
    await this.#whenUp();
    const server = this.#server;
    if (server === null) throw new PortError('mediaUnavailable', { cause: new Error(this.#why) });
    const headers = mediaSource === '' ? {} : { headers: { 'X-Media-Source': mediaSource } };
    const made = server
      .createEndpoint({ ...headers, ...(remoteSdp === null ? {} : { remoteSdp }) })
      .then((endpoint) => this.#keep(endpoint, events));
    const given = Promise.withResolvers<never>();
    let isLate = false;
    const giveUp = (why: string): void => {
      isLate = true;
      given.reject(new Error(why));
    };
    const timer = this.#clock.after(endpointWithinMs, () =>
      giveUp(`the media server made no endpoint within ${endpointWithinMs} ms`),
    );
    this.#creating.add(giveUp);
    made.then(
      (endpoint) => isLate && endpoint.close(),
      () => {},
    );
    try {
      return await Promise.race([made, given.promise]);
    } catch (cause) {
      throw new PortError('mediaUnavailable', { cause });
    } finally {
      timer.cancel();
      this.#creating.delete(giveUp);
    }
  }

  /** The body of the answer; rejects when none comes. */
  async api(command: string): Promise<string> {
    const server = this.#server;
    if (server === null) throw new PortError('mediaUnavailable', { cause: new Error(this.#why) });
    const late = Promise.withResolvers<never>();
    const timer = this.#clock.after(answersWithinMs, () => late.reject(new Error('the media server does not answer')));
    try {
      return await Promise.race([server.api(command), late.promise]);
    } finally {
      timer.cancel();
    }
  }

  /** The dialogs of our endpoints with the media server. */
  get dialogs(): readonly SrfDialog[] {
    return [...this.#endpoints].map((endpoint) => endpoint.dialog);
  }

  /** Of ours. */
  isOurs(uuid: string): boolean {
    return [...this.#endpoints].some((endpoint) => endpoint.uuid === uuid);
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#lookAgain?.cancel();
    this.#server?.disconnect();
    this.#server = null;
  }

  #whenUp(): Promise<void> {
    if (this.#server !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const proceed = (): void => {
        timer.cancel();
        this.#waiting.delete(proceed);
        resolve();
      };
      const timer = this.#clock.after(waitForServerMs, proceed);
      this.#waiting.add(proceed);
    });
  }

  #keep(endpoint: Endpoint, events: EndpointEvents): MediaEndpoint {
    let watch: SilenceWatch | null = null;
    const made: MediaEndpoint = new MediaEndpoint(endpoint, this.#paths(), events, () => {
      watch?.close();
      this.#endpoints.delete(made);
    });
    this.#endpoints.add(made);
    if (this.#options.kind === 'freeswitch') {
      const [clock, everyMs] = [this.#clock, this.#site.silenceMs];
      const api = (command: string): Promise<string> => this.api(command);
      watch = new SilenceWatch(endpoint.uuid, { clock, everyMs, api, silent: () => made.silent() });
    }
    return made;
  }

  #paths(): MediaPaths {
    const { prompts } = this.#options;
    const root = this.#site.promptsRoot;
    return {
      prompt: (file) => (prompts === undefined ? file : path.posix.join(prompts, path.relative(root, file))),
      recordings: this.#recordings,
    };
  }

  /** Asks the server whether it is there, for as long as it is. */
  #watch(server: MediaServer): void {
    this.#lookAgain = this.#clock.after(askEveryMs, () => {
      this.api('version').then(
        () => this.#server === server && this.#watch(server),
        (error: unknown) => {
          if (this.#server !== server) return;
          server.disconnect();
          this.#lost(asError(error).message);
          for (const endpoint of this.#endpoints) endpoint.lost();
        },
      );
    });
  }

  #adopt(server: MediaServer): void {
    this.#server = server;
    this.#log.info({ host: this.#options.host, port: this.#options.port }, 'media server connected');
    server.on('error', (error: Error) => this.#log.warn({ err: error }, 'media server error'));
    this.#watch(server);
    for (const proceed of this.#waiting) proceed();
    this.#onConnected();
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
    this.#lookAgain?.cancel();
    for (const giveUp of this.#creating) giveUp(why);
    this.#retry = this.#clock.after(retryMs, () => void this.connect());
  }
}

function recordingsOf(server: MediaServerOptions, sealed: string, sealer: PlainSealer): Recordings {
  const { kind, plain, recordings } = server;
  if (kind === 'mediad') return sealedByServer(recordings ?? sealed);
  if (plain !== undefined) return sealedByUs({ plain, plainThere: recordings ?? plain, sealed, sealer });
  const why = `media server ${serverNameOf(server)} has no folder in memory to record to: set its "plain"`;
  return { begin: () => Promise.reject(new Error(why)) };
}
