import path from 'node:path';
import type { Clock } from '../engine/ports.ts';
import { PortError } from '../engine/ports.ts';
import { asError, type Endpoint, type EslEvent, MediaClient, profileFault } from './client-libraries/index.ts';
import { type EndpointEvents, MediaEndpoint, type MediaSite } from './media-endpoint.ts';
import { type MediaServerOptions, serverNameOf, type TelephonyOptions } from './options.ts';
import { notPlayed, openedByServer, type Playback } from './playback.ts';
import type { Log, MessageKey, PlainSealer, TalkOver } from './ports.ts';
import type { LegNames } from './leg-names.ts';
import type { LinkHealth } from './link-health.ts';
import { type Cipher, isDowngrade } from './media-cipher.ts';
import { sdpFacts } from './sdp.ts';
import { Orphans } from './orphans.ts';
import { type Recordings, sealedByServer, sealedByUs } from './recordings.ts';
import { readSecret } from './secrets.ts';
import { soundIn } from './sound-in.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { Signalling } from './signalling.ts';
import type { SignallingLink } from './signalling-link.ts';

const retryMs = 500;

/** One that hangs keeps its connections open: it is asked now and then, and counts as lost when it does not answer. */
const askEveryMs = 5000;
const answersWithinMs = 5000;

/** A server tells how a leg sounded right behind its end. */
const tellsWithinMs = 10_000;

/** From the end of a leg to that of the server's own connection, when the whole server dies. */
const diesWithinMs = 200;

export interface EndpointWish {
  /** The far end's description; null: the endpoint waits to be modified. */
  readonly remoteSdp: string | null;
  /** How the phone's sound travels; anything but `none` is asked for, and what comes without it is refused. */
  readonly cipher: Cipher;
  /** Further hosts the phone's sound may come from, separated by commas. */
  readonly mediaSource: string;
  readonly events: EndpointEvents;
}

/** The connection to one media server: made, watched, and made again with a fresh object whenever it ends. */
export class MediaLink {
  readonly name: string;
  readonly weight: number;
  /** No new calls for it as long as another can take them. */
  isDraining: boolean;
  readonly orphans: Orphans;
  readonly #options: MediaServerOptions;
  readonly #site: TelephonyOptions['media'];
  readonly #clock: Clock;
  readonly #log: Log;
  #server: MediaClient | null = null;
  #why = 'not connected yet';
  #isClosed = false;
  #hasSaidNoHints = false;
  #retry: { cancel(): void } | null = null;
  #lookAgain: { cancel(): void } | null = null;
  readonly #endpoints = new Set<MediaEndpoint>();
  /** By uuid: also those that have just ended, for their server tells then how they sounded. */
  readonly #heard = new Map<string, MediaEndpoint>();
  /** Proceed when the server is there. */
  readonly #waiting = new Set<() => void>();
  /** Told when it is lost: whoever waits for an answer of it. */
  readonly #asking = new Set<(why: string) => void>();
  readonly #recordings: Recordings;
  readonly #playback: Playback;

  /** When it went away, on the clock that never goes back; at the start it counts as just gone. */
  #lostAtMs: number;

  constructor(parts: {
    server: MediaServerOptions;
    site: TelephonyOptions['media'];
    clock: Clock;
    log: Log;
    /** Our tag, for what we leave on the server. */
    owner: string;
    signalling: Signalling;
    sealer: PlainSealer;
    messageKey: MessageKey;
    talkOver: TalkOver;
  }) {
    this.#playback = this.#playbackOf(parts.server, parts.site.recordings, parts.messageKey);
    this.#recordings = recordingsOf(parts.server, parts.site.recordings, parts.sealer);
    this.name = serverNameOf(parts.server);
    this.weight = parts.server.weight;
    this.isDraining = parts.server.draining;
    this.#options = parts.server;
    this.#site = parts.site;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#lostAtMs = parts.clock.monotonicMs();
    const { signalling, talkOver } = parts;
    this.orphans = new Orphans({
      ...parts,
      media: this,
      hungUp: (dialogId) => void talkOver(dialogId, 'hungUp'),
      hangUp: (dialogId, server) => void (talkOver(dialogId, 'lost') || signalling.inDialog('BYE', dialogId, server)),
      ask: (dialogId, server, done) => signalling.inDialog('OPTIONS', dialogId, server, done),
    });
  }

  get health(): LinkHealth {
    return this.#server ? { isUp: true, why: '' } : { isUp: false, why: this.#why };
  }

  /** Of ours, and of conversations that a process before this one left. */
  get legs(): number {
    return this.#endpoints.size + 2 * this.orphans.count;
  }

  /** Settles after the first attempt; later ones go on by themselves until close(). */
  async connect(): Promise<void> {
    const { host, port, listenHost, listenPort = 0, advertise, profile } = this.#options;
    const to = { address: host, port, listenAddress: listenHost, listenPort, profile, advertisedAddress: advertise };
    try {
      const secret = readSecret(`media server ${this.name}`, this.#options);
      const server: MediaClient = await MediaClient.connect(
        { ...to, secret },
        {
          ended: () => this.#server === server && this.#lost('the media server closed the connection'),
          hungUp: (event) => this.#measured(event),
          failed: (err) => this.#log.warn({ server: this.name, err }, 'media server error'),
        },
      );
      if (this.#isClosed) return server.disconnect();
      this.#adopt(server);
    } catch (error) {
      this.#lost(asError(error).message);
    }
  }

  /** The INVITE for it goes through `via`. Rejects with `mediaUnavailable`, after `withinMs` at the latest. */
  async endpoint(
    wish: EndpointWish & { readonly name: ReturnType<LegNames['next']> },
    via: SignallingLink,
    withinMs: number,
  ): Promise<MediaEndpoint> {
    const { remoteSdp, cipher, mediaSource, events, name } = wish;
    const server = this.#server;
    if (server === null) throw new PortError('mediaUnavailable', { cause: new Error(this.#why) });
    const headers = {
      ...name,
      ...(mediaSource === '' ? {} : { 'X-Media-Source': mediaSource }),
      // As drachtio-fsmrf 5.0.1 asks for it by its option `srtp`; for browsers mediad has a word of its own.
      ...(cipher === 'none' ? {} : { 'X-Secure-RTP': cipher === 'dtls' ? 'dtls' : 'true' }),
    };
    // drachtio-fsmrf 5.0.1 throws for an encrypted description, which it takes for one of a browser: that is given afterwards.
    const later = remoteSdp !== null && sdpFacts(remoteSdp).cipher !== 'none' ? remoteSdp : null;
    const made = server
      .createEndpoint(via.srf, { headers, ...(remoteSdp === null || later !== null ? {} : { remoteSdp }) })
      .then((endpoint) => this.#asWished(this.#keep(endpoint, events, via), cipher, later));
    const given = Promise.withResolvers<never>();
    let isLate = false;
    const giveUp = (why: string): void => {
      isLate = true;
      given.reject(new Error(why));
    };
    const timer = this.#clock.after(withinMs, () => giveUp(`${this.name} made no endpoint within ${withinMs} ms`));
    this.#asking.add(giveUp);
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
      this.#asking.delete(giveUp);
    }
  }

  /** The body of the answer; rejects when none comes. */
  async api(command: string): Promise<string> {
    const server = this.#server;
    if (server === null) throw new PortError('mediaUnavailable', { cause: new Error(this.#why) });
    const given = Promise.withResolvers<never>();
    const giveUp = (why: string): void => given.reject(new Error(why));
    const timer = this.#clock.after(answersWithinMs, () => giveUp('the media server does not answer'));
    this.#asking.add(giveUp);
    try {
      return await Promise.race([server.api(command), given.promise]);
    } finally {
      timer.cancel();
      this.#asking.delete(giveUp);
    }
  }

  /** How much longer something new should wait for it: one that was killed is back in a second. 0: not worth it. */
  worthWaitingMs(patienceMs: number): number {
    if (this.#server !== null || this.isDraining) return 0;
    return Math.max(0, this.#lostAtMs + patienceMs - this.#clock.monotonicMs());
  }

  /** Of ours. */
  isOurs(uuid: string): boolean {
    return [...this.#endpoints].some((endpoint) => endpoint.uuid === uuid);
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#lookAgain?.cancel();
    this.#heard.clear();
    this.orphans.close();
    this.#server?.disconnect();
    this.#server = null;
  }

  /** Resolves when it is there, or not worth waiting for any more. */
  whenUp(patienceMs: number): Promise<void> {
    const waitMs = this.worthWaitingMs(patienceMs);
    if (waitMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const proceed = (): void => {
        timer.cancel();
        this.#waiting.delete(proceed);
        resolve();
      };
      const timer = this.#clock.after(waitMs, proceed);
      this.#waiting.add(proceed);
    });
  }

  /**
   * A server that dies takes its legs along before its own connection ends, or after; on a busy machine that may come to us
   * any time later. So it is asked: one that answers is there.
   */
  async #isLostSoon(): Promise<boolean> {
    const server = this.#server;
    if (server === null) return true;
    await new Promise<void>((resolve) => void this.#clock.after(diesWithinMs, resolve));
    if (this.#server !== server) return true;
    return this.#ask().then(
      () => this.#server !== server,
      () => true,
    );
  }

  #keep(endpoint: Endpoint, events: EndpointEvents, via: SignallingLink): MediaEndpoint {
    let watch: SilenceWatch | null = null;
    const made: MediaEndpoint = new MediaEndpoint(endpoint, this.#whatEndpointsNeed(), events, () => {
      watch?.close();
      this.#clock.after(tellsWithinMs, () => this.#heard.delete(endpoint.uuid));
      this.#endpoints.delete(made);
      via.mediaDialogs.delete(made.dialog);
    });
    this.#endpoints.add(made);
    this.#heard.set(endpoint.uuid, made);
    via.mediaDialogs.add(made.dialog);
    if (this.#options.kind === 'freeswitch') {
      const [clock, everyMs] = [this.#clock, this.#site.silenceMs];
      const api = (command: string): Promise<string> => this.api(command);
      watch = new SilenceWatch(endpoint.uuid, { clock, everyMs, api, silent: () => made.silent() });
    }
    return made;
  }

  /** Offered to a phone it would be a downgrade that nobody has asked for. */
  async #asWished(endpoint: MediaEndpoint, cipher: Cipher, remoteSdp: string | null): Promise<MediaEndpoint> {
    try {
      if (isDowngrade(cipher, sdpFacts(endpoint.sdp).cipher))
        throw new Error(`media server ${this.name} does not encrypt (SRTP): let phones on TLS use another one`);
      if (remoteSdp !== null) await endpoint.modify(remoteSdp);
      return endpoint;
    } catch (error) {
      endpoint.close();
      throw error;
    }
  }

  #measured(event: EslEvent): void {
    const endpoint = this.#heard.get(event.getHeader('Unique-ID') ?? '');
    const sound = soundIn(event);
    if (endpoint !== undefined && sound !== null) endpoint.measured(sound);
  }

  #whatEndpointsNeed(): MediaSite {
    const { prompts } = this.#options;
    const root = this.#site.promptsRoot;
    return {
      prompt: (file) => (prompts === undefined ? file : path.posix.join(prompts, path.relative(root, file))),
      recordings: this.#recordings,
      playback: this.#playback,
      canHint: () => this.#canHint(),
      isLost: () => this.#isLostSoon(),
    };
  }

  #canHint(): boolean {
    if (this.#options.kind === 'mediad') return true;
    if (!this.#hasSaidNoHints) this.#log.info({ server: this.name }, 'media server cannot tell who has answered');
    this.#hasSaidNoHints = true;
    return false;
  }

  #playbackOf(server: MediaServerOptions, sealed: string, messageKey: MessageKey): Playback {
    if (server.kind !== 'mediad') return notPlayed(serverNameOf(server));
    const folder = server.recordings ?? sealed;
    return openedByServer({ folder, messageKey, api: (command) => this.api(command) });
  }

  /** Rejects when it does not answer, or takes no calls. */
  async #ask(): Promise<void> {
    const fault = profileFault(this.#options.profile, await this.api('sofia status'));
    if (fault !== null) throw new Error(`${this.name} ${fault}`);
  }

  /** Asks the server whether it is there and takes calls, for as long as it does. */
  #watch(server: MediaClient): void {
    this.#lookAgain = this.#clock.after(askEveryMs, () => {
      this.#ask().then(
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

  #adopt(server: MediaClient): void {
    this.#server = server;
    const { host, port } = this.#options;
    this.#log.info({ server: this.name, host, port }, 'media server connected');
    this.#watch(server);
    for (const proceed of this.#waiting) proceed();
    void this.orphans.find();
  }

  #lost(why: string): void {
    if (this.#isClosed) return;
    if (this.#why !== why || this.#server) this.#log.warn({ server: this.name, why }, 'media server not connected');
    if (this.#server) this.#lostAtMs = this.#clock.monotonicMs();
    this.#server = null;
    this.#why = why;
    this.#lookAgain?.cancel();
    for (const giveUp of this.#asking) giveUp(why);
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
