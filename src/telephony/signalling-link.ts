import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../engine/ports.ts';
import { PortError } from '../engine/ports.ts';
import {
  asError,
  connectSrf,
  createSrf,
  disconnectSrf,
  dropConnection,
  endById,
  failUnfinished,
  findUnknown,
  guardWire,
  isConnected,
  ping,
  rehome,
  type SrfClient,
  type SrfDialog,
  type SrfRequest,
  type SrfResponse,
  type Unfinished,
  type Unknown,
  unfinishedOf,
  writeTogether,
} from './client-libraries/index.ts';
import type { LinkHealth } from './link-health.ts';
import { serverNameOf, type SignallingServerOptions } from './options.ts';
import type { InvitesAt, OpenInvite } from './open-invites.ts';
import type { Log } from './ports.ts';
import { type Lateness, onTime, RoundTrip } from './round-trip.ts';
import { controlTls, readSecret } from './secrets.ts';
import { guarded } from './guarded.ts';

/** How long something new waits for a lost connection: it is back in a second, and a chain must not burn down meanwhile. */
export const waitForSignallingMs = 5000;

/** One that hangs keeps its connection open: it is asked now and then, and counts as lost after two answers that do not come. */
const askEveryMs = 3000;
const missesAllowed = 1;

/** Looked at so often: one that is not up at the second look in a row, though connected, is hung up. */
const greetsWithinMs = 3000;

/** A server that has just opened its SIP ports needs a moment more before it can take requests. */
const settlesWithinMs = 100;

/** Our own sipd does so as soon as it has heard what we want to be shown. */
const showsAgainWithinMs = 500;

/** The connection to one signalling server, kept up until `close`, and the dialogs that live there. */
export class SignallingLink {
  readonly name: string;
  readonly weight: number;
  /** No new calls are sent through it as long as another can take them. */
  isDraining: boolean;
  readonly srf: SrfClient;
  /** Live dialogs with phones and trunks, each with who is told when the server does not know it any more. */
  readonly dialogs = new Map<SrfDialog, Unknown>();
  /** Dialogs with media servers. */
  readonly mediaDialogs = new Set<SrfDialog>();
  /** Callers who have not got a final answer; `ask` finds out whether they still wait for one. */
  readonly unanswered = new Map<SrfRequest, { readonly response: SrfResponse; ask(): void }>();
  readonly openInvites: InvitesAt;
  /** INVITEs that an earlier process left, until this server has been told. */
  #left: readonly OpenInvite[];
  readonly #server: SignallingServerOptions;
  readonly #secret: string;
  readonly #tls: ConnectionOptions | null;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting = new Set<() => void>();
  #health: LinkHealth = { isUp: false, why: 'not connected yet' };
  #serves: readonly string[] = [];
  #unfinished: Unfinished | undefined;
  #misses = 0;
  readonly #roundTrip: RoundTrip;
  #ask: { cancel(): void } | null = null;
  #settling: { cancel(): void } | null = null;
  #greeting: { cancel(): void } | null = null;
  #isClosed = false;

  /** Throws `keyUnreadable` for a secret or a certificate that cannot be read. */
  constructor(
    server: SignallingServerOptions,
    parts: { appTag: string; clock: Clock; log: Log; openInvites: InvitesAt },
  ) {
    this.name = serverNameOf(server);
    this.weight = server.weight;
    this.isDraining = server.draining;
    this.#server = server;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.openInvites = parts.openInvites;
    this.#left = parts.openInvites.left;
    this.#secret = readSecret(`signalling server ${this.name}`, server);
    this.#tls = controlTls(server);
    this.srf = createSrf(parts.appTag);
    this.#roundTrip = new RoundTrip(parts.clock, (answered) => ping(this.srf, answered));
  }

  get health(): LinkHealth {
    return this.#health;
  }

  /** What this server tells us is read so late, in milliseconds: all the time, and at this moment. */
  get lateness(): Lateness {
    return this.#health.isUp ? this.#roundTrip : onTime;
  }

  get legs(): number {
    return this.dialogs.size + this.mediaDialogs.size + this.openInvites.count();
  }

  /** "udp/192.0.2.7:5060": where it serves phones and trunks; empty before it has said so. */
  get serves(): readonly string[] {
    return this.#serves;
  }

  /** Resolves when the server has taken us, be it after an hour; rejects when it refuses the secret. Call once. */
  connect(): Promise<void> {
    const { host, port } = this.#server;
    return new Promise((resolve, reject) => {
      this.srf.on(
        'connect',
        guarded(this.#log, 'connect', (error: unknown, hostPorts: string) => {
          if (!error) return this.#greeted(hostPorts, resolve);
          const why = 'it refused the secret';
          this.#down(why);
          const says = `signalling server ${this.name} (${host}:${port}): ${why}: give the one that it was started with`;
          reject(new PortError('signallingUnavailable', { says, cause: asError(error) }));
        }),
      );
      this.srf.on(
        'error',
        guarded(this.#log, 'error', (error: Error) => this.#down(error.message)),
      );
      this.srf.on(
        'close',
        // Who closes it has said why, or is told so: a wrong secret, another protocol.
        guarded(this.#log, 'close', () => this.#down(this.#health.isUp ? 'connection closed' : this.#health.why)),
      );
      connectSrf(this.srf, { host, port, secret: this.#secret, tls: this.#tls });
      guardWire(this.srf, (why) => this.#down(why));
      this.#awaitGreeting();
    });
  }

  /** Resolves when it is connected, or after a few seconds without. */
  whenUp(): Promise<void> {
    if (this.#health.isUp) return Promise.resolve();
    return new Promise((resolve) => {
      const proceed = (): void => {
        timer.cancel();
        this.#waiting.delete(proceed);
        resolve();
      };
      const timer = this.#clock.after(waitForSignallingMs, proceed);
      this.#waiting.add(proceed);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#roundTrip.close();
    this.#ask?.cancel();
    this.#settling?.cancel();
    this.#greeting?.cancel();
    disconnectSrf(this.srf);
  }

  /** A server that takes the connection and says nothing, or nothing that is an answer. */
  #awaitGreeting(wasConnected = false): void {
    this.#greeting = this.#clock.after(greetsWithinMs, () => {
      if (this.#health.isUp) return this.#awaitGreeting();
      if (wasConnected && isConnected(this.srf)) {
        this.#down('it does not answer the greeting');
        dropConnection(this.srf);
      }
      this.#awaitGreeting(isConnected(this.srf));
    });
  }

  /** drachtio-server 0.9.10 takes apps before its SIP stack is there, and a request kills it then. */
  #greeted(hostPorts: string, isUp: () => void): void {
    if (hostPorts === '') {
      this.#down('it is still starting');
      return dropConnection(this.srf);
    }
    // What our own sipd has kept for us comes with the next bytes.
    rehome(this.srf, [...this.dialogs.keys(), ...this.mediaDialogs]);
    this.#settling?.cancel();
    this.#settling = this.#clock.after(settlesWithinMs, () => {
      this.#up(hostPorts);
      isUp();
    });
  }

  #up(hostPorts: string): void {
    const { host, port } = this.#server;
    this.#log.info({ server: this.name, host, port, hostPorts }, 'signalling server connected');
    this.#health = { isUp: true, why: '' };
    this.#serves = hostPorts.split(',').map((text) => text.trim());
    this.#misses = 0;
    for (const proceed of this.#waiting) proceed();
    writeTogether(this.srf);
    this.#takeBack();
    this.#giveUp();
    this.#unfinished = unfinishedOf(this.srf);
    findUnknown(this.dialogs, this.mediaDialogs, (ms, run) => this.#clock.after(ms, run));
    this.#endLeft();
    this.#roundTrip.begin();
    this.#watch();
  }

  /** What was there before the connection was lost. Callers are asked when the server has had time to show them again. */
  #takeBack(): void {
    const callers = [...this.unanswered].map(([request, { response }]) => [request, response] as const);
    rehome(this.srf, [...this.dialogs.keys(), ...this.mediaDialogs], callers);
    this.#clock.after(showsAgainWithinMs, () => {
      for (const [request] of callers) this.unanswered.get(request)?.ask();
    });
  }

  /** Nobody else will: a caller who waits for a process that is dead, and a phone that rings for it. */
  #endLeft(): void {
    for (const { whose, id } of this.#left) {
      endById(this.srf, whose, id);
      this.openInvites.over(id);
    }
    this.#left = [];
  }

  #down(why: string): void {
    if (this.#isClosed) return;
    this.#roundTrip.close();
    this.#ask?.cancel();
    this.#settling?.cancel();
    if (this.#health.isUp) {
      this.#log.warn({ server: this.name, why }, 'signalling server lost');
      // What waits for its answer waits no longer than that, also when it never comes back.
      this.#clock.after(waitForSignallingMs, () => this.#health.isUp || this.#giveUp());
    } else if (this.#health.why !== why) {
      this.#log.warn({ server: this.name, why }, 'signalling server not connected');
    }
    this.#health = { isUp: false, why };
  }

  #giveUp(): void {
    if (this.#unfinished) failUnfinished(this.#unfinished);
    this.#unfinished = undefined;
  }

  #watch(): void {
    this.#ask?.cancel();
    let isAnswered = false;
    ping(this.srf, () => {
      isAnswered = true;
      this.#misses = 0;
    });
    this.#ask = this.#clock.after(askEveryMs, () => {
      if (!isAnswered) this.#misses += 1;
      if (this.#misses <= missesAllowed) return this.#watch();
      this.#down('it does not answer');
      dropConnection(this.srf);
    });
  }
}
