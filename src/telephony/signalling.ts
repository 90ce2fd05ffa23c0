import type { Clock, Random } from '../engine/ports.ts';
import { lastResort } from './choose-server.ts';
import { leanSrf, requestById } from './client-libraries/index.ts';
import type { ServerHealth } from './link-health.ts';
import { type InvitesAt, OpenInvites } from './open-invites.ts';
import { serverNameOf, type TelephonyOptions } from './options.ts';
import type { ContactBinding, Log } from './ports.ts';
import { SignallingLink, waitForSignallingMs } from './signalling-link.ts';

/** A server that needs longer than the first one is not waited for at the start. */
const othersWithinMs = 1000;

/** Every signalling server. A call belongs to the one that brought it; what goes out is sent through one that is up. */
export class Signalling {
  readonly links: readonly SignallingLink[];
  readonly #openInvites: OpenInvites;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #log: Log;

  /** Throws `keyUnreadable`. */
  constructor(options: TelephonyOptions['signalling'], parts: { clock: Clock; random: Random; log: Log }) {
    if (!leanSrf())
      parts.log.warn({}, 'drachtio-srf is of a version whose inside is not known: it costs more than it must');
    const openInvites = new OpenInvites(options.openInvites, parts.log);
    this.#openInvites = openInvites;
    const invitesAt = openInvites.of(options.servers.map(serverNameOf));
    this.links = options.servers.map((server, i) => {
      return new SignallingLink(server, { ...parts, appTag: options.appTag, openInvites: invitesAt[i] as InvitesAt });
    });
    this.#random = parts.random;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /**
   * Resolves when one has taken us and the others had a moment for it, or when a few seconds have passed without.
   * Rejects when all refuse the secret.
   */
  async connect(): Promise<void> {
    const taken = this.links.map((link) => link.connect());
    const refused = Promise.allSettled(taken).then((all) => {
      const [first] = all;
      if (first?.status === 'rejected' && all.every(({ status }) => status === 'rejected')) throw first.reason;
    });
    const one = Promise.any(taken).then(
      () => this.#after(othersWithinMs),
      () => refused,
    );
    await Promise.race([refused, one, this.#after(waitForSignallingMs)]);
    if (!this.isUp) this.#log.error({ servers: this.links.length }, 'no signalling server is there yet');
  }

  get isUp(): boolean {
    return this.links.some(({ health }) => health.isUp);
  }

  get health(): readonly ServerHealth[] {
    return this.links.map(({ name, isDraining, legs, health }) => ({ name, isDraining, legs, ...health }));
  }

  named(name: string): SignallingLink | undefined {
    return this.links.find((link) => link.name === name);
  }

  /** For an outside number, by weight. One that is draining or down only when there is no other. */
  forTrunk(): SignallingLink {
    return lastResort(this.links, this.#random) ?? (this.links[0] as SignallingLink);
  }

  /**
   * The server at which the phone has registered: it may hold the only connection to it. Another one while that is
   * down: a phone that can be sent to from anywhere still rings.
   */
  forPhone({ server }: Pick<ContactBinding, 'server'>): SignallingLink {
    const home = this.named(server);
    return home?.health.isUp ? home : this.forTrunk();
  }

  /** The given one while it is up. */
  preferring(link: SignallingLink): SignallingLink {
    return link.health.isUp ? link : this.forTrunk();
  }

  /** A request in a dialog of an earlier process, which `server` knows. `done` as in `requestById`. */
  inDialog(method: 'BYE' | 'OPTIONS', dialogId: string, server: string, done?: (status: number | null) => void): void {
    const [only] = this.links;
    const link = this.named(server) ?? (this.links.length === 1 ? only : undefined);
    if (link) requestById(link.srf, method, dialogId, done);
    // It is not in the configuration any more: nobody can say what has become of the dialog.
    else done?.(null);
  }

  /** Resolves when one is up, or after a few seconds without. */
  async whenUp(): Promise<void> {
    if (!this.isUp) await Promise.race(this.links.map((link) => link.whenUp()));
  }

  close(): void {
    for (const link of this.links) link.close();
    this.#openInvites.close();
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve));
  }
}
