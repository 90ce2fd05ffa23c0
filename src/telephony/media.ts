import type { Clock, Random } from '../engine/ports.ts';
import { PortError } from '../engine/ports.ts';
import { chooseServer, lastResort } from './choose-server.ts';
import type { LegNames } from './leg-names.ts';
import type { ServerHealth } from './link-health.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import { type EndpointWish, MediaLink } from './media-link.ts';
import type { TelephonyOptions } from './options.ts';
import type { Log, MessageKey, PlainSealer, TalkOver } from './ports.ts';
import type { Signalling } from './signalling.ts';
import type { SignallingLink } from './signalling-link.ts';

/** A caller waits for nothing longer: a media server that hangs must not cost the time of a STAT call. */
const endpointWithinMs = 5000;

/** When another server could do it. */
const firstTryMs = 2000;

/** A media server that was killed is back in a second: new endpoints wait for it, or a chain would burn down meanwhile. */
const patienceMs = 5000;

/** Who is in a call already loses more by giving up. */
const patienceOfMovedMs = 10_000;

/** Every media server. New calls go by weight to those that are up and not draining. */
export class Media {
  readonly links: readonly MediaLink[];
  readonly #signalling: Signalling;
  readonly #random: Random;
  readonly log: Log;

  constructor(
    options: TelephonyOptions['media'],
    parts: {
      clock: Clock;
      random: Random;
      log: Log;
      owner: string;
      signalling: Signalling;
      sealer: PlainSealer;
      messageKey: MessageKey;
      /** Ends a conversation that we go on with, by the dialog of one of its phones. false: it is none. */
      talkOver: TalkOver;
    },
  ) {
    this.links = options.servers.map((server) => new MediaLink({ ...parts, server, site: options }));
    this.#signalling = parts.signalling;
    this.#random = parts.random;
    this.log = parts.log;
  }

  /** Settles after the first attempt with each; later ones go on by themselves until close(). */
  async connect(): Promise<void> {
    await Promise.all(this.links.map((link) => link.connect()));
  }

  get health(): readonly ServerHealth[] {
    return this.links.map(({ name, isDraining, legs, health }) => ({ name, isDraining, legs, ...health }));
  }

  /** BYE in a dialog that is none of this process. true: it belonged to a conversation of an earlier one. */
  left(dialogId: string): boolean {
    return this.links.filter((link) => link.orphans.left(dialogId)).length > 0;
  }

  forCall(via: SignallingLink, names: LegNames): CallMedia {
    return new CallMedia(this, this.#signalling, via, names);
  }

  /**
   * One that can take a call, waiting for those that were lost a moment ago; one that is draining before none. `but` is
   * not taken. null: none is up.
   */
  async choose(but: MediaLink | null, waitMs: number): Promise<MediaLink | null> {
    const others = this.links.filter((link) => link !== but);
    const chosen = chooseServer(others, this.#random);
    if (chosen !== null) return chosen;
    const waitFor = others.filter((link) => link.worthWaitingMs(waitMs) > 0);
    if (waitFor.length > 0) await Promise.race(waitFor.map((link) => link.whenUp(waitMs)));
    return lastResort(others, this.#random);
  }

  close(): void {
    for (const link of this.links) link.close();
  }
}

/** The media of one call: every endpoint of it is made on the same server, for only there can they be bridged. */
export class CallMedia {
  readonly #media: Media;
  readonly #signalling: Signalling;
  readonly #via: SignallingLink;
  readonly #names: LegNames;
  #home: MediaLink | null = null;
  /** Where endpoints of this call have been made. */
  #inUse: MediaLink | null = null;

  constructor(media: Media, signalling: Signalling, via: SignallingLink, names: LegNames) {
    this.#names = names;
    this.#media = media;
    this.#signalling = signalling;
    this.#via = via;
  }

  /** Rejects with `mediaUnavailable` when no server can make it. */
  async endpoint(wish: EndpointWish): Promise<MediaEndpoint> {
    const home = await this.#homeNow();
    const withinMs = this.#media.links.length === 1 ? endpointWithinMs : firstTryMs;
    try {
      const made = await home.endpoint(
        { ...wish, name: this.#names.next() },
        this.#signalling.preferring(this.#via),
        withinMs,
      );
      this.#inUse = home;
      return made;
    } catch (error) {
      // It may hang. A call of which nothing is there yet can go elsewhere.
      if (this.#inUse === home) throw error;
      const other = this.#home === home ? await this.#media.choose(home, patienceMs) : this.#home;
      if (other === null) throw error;
      this.#media.log.warn(
        { server: home.name, instead: other.name, err: error },
        'media server could not take a call',
      );
      this.#home = other;
      return other.endpoint(
        { ...wish, name: this.#names.next() },
        this.#signalling.preferring(this.#via),
        endpointWithinMs,
      );
    }
  }

  async #homeNow(): Promise<MediaLink> {
    if (this.#home?.health.isUp) return this.#home;
    const chosen = await this.#media.choose(null, this.#inUse === null ? patienceMs : patienceOfMovedMs);
    // Another endpoint of this call may have chosen while this one waited.
    if (this.#home?.health.isUp) return this.#home;
    if (chosen === null) throw noneIsUp(this.#media);
    this.#home = chosen;
    return chosen;
  }
}

function noneIsUp({ health }: Media): PortError {
  const why = health.map((server) => `${server.name}: ${server.why}`).join('; ');
  return new PortError('mediaUnavailable', { cause: new Error(why) });
}
