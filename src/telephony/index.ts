import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { CallSink, Clock, Random, Reachability } from '../engine/ports.ts';
import { PortError } from '../engine/ports.ts';
import { Authenticator } from './auth/authenticator.ts';
import {
  asError,
  connectSrf,
  createSrf,
  disconnectSrf,
  dropConnection,
  endById,
  failUnfinished,
  findUnknown,
  isConnected,
  rehome,
  requestById,
  unfinishedOf,
  writeTogether,
  type SrfClient,
  type SrfDialog,
  type Unfinished,
  type Unknown,
} from './client-libraries/index.ts';
import { Inbound, refuseMethod } from './inbound.ts';
import { type LinkHealth, MediaLink } from './media.ts';
import {
  type MediaServerOptions,
  serverNameOf,
  type SignallingServerOptions,
  type TelephonyOptions,
} from './options.ts';
import type { Bindings, ContactBinding, Credentials, Log, PlainSealer, SealRecipients } from './ports.ts';
import { OpenInvites } from './open-invites.ts';
import { Orphans } from './orphans.ts';
import { PromptLibrary } from './prompts.ts';
import { Registrar } from './registrar.ts';
import { Registrations } from './registrations.ts';
import { firstLine, readSecret, wholeFile } from './secrets.ts';
import { guarded, type Shell } from './shell.ts';
import { Trunks } from './trunks.ts';

export type { TelephonyOptions } from './options.ts';
export type * from './ports.ts';
export { MemoryBindings } from './ports.ts';

export interface TelephonyParts {
  readonly options: TelephonyOptions;
  readonly credentials: Credentials;
  readonly bindings: Bindings;
  readonly sealRecipients: SealRecipients;
  readonly plainSealer: PlainSealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface TelephonyHealth {
  readonly signalling: LinkHealth;
  /** "udp/192.0.2.7:5060": where phones and trunks are served, as the signalling server says. */
  readonly serves: readonly string[];
  readonly media: LinkHealth;
  readonly registrations: number;
  readonly calls: number;
}

/** How long a new leg waits for a lost connection: it is back in a second, and a chain must not burn down meanwhile. */
const waitForSignallingMs = 5000;

/** A server that has just opened its SIP ports needs a moment more before it can take requests. */
const settlesWithinMs = 100;

/**
 * Phones, trunks and media as the engine needs them, over a signalling server and a media server that it knows by
 * address only. The constructor reads secrets and prompts and throws if it cannot.
 */
export class Telephony {
  readonly #parts: TelephonyParts;
  readonly #srf: SrfClient;
  readonly #shell: Shell;
  readonly #authenticator: Authenticator;
  readonly #orphans: Orphans;
  readonly #dialogs = new Map<SrfDialog, Unknown>();
  readonly #server: SignallingServerOptions;
  readonly #secret: string;
  #serves: readonly string[] = [];
  #signalling: LinkHealth = { isUp: false, why: 'not connected yet' };
  readonly #waiting: (() => void)[] = [];
  #inbound: Inbound | null = null;
  #isClosed = false;

  constructor(parts: TelephonyParts) {
    this.#parts = parts;
    const { options, clock, random, log } = parts;
    this.#server = options.signalling.servers[0] as SignallingServerOptions;
    this.#secret = readSecret(`signalling server ${serverNameOf(this.#server)}`, this.#server);
    this.#srf = createSrf(options.signalling.appTag);
    const registrations = new Registrations({ limits: options.sip, clock, store: parts.bindings, log });
    const passwords = trunkPasswords(options);
    this.#shell = {
      srf: this.#srf,
      media: new MediaLink({
        srf: this.#srf,
        server: options.media.servers[0] as MediaServerOptions,
        site: options.media,
        sealer: parts.plainSealer,
        clock,
        log,
        onConnected: () => void this.#orphans.find(),
      }),
      prompts: new PromptLibrary(options.media.promptsDirs),
      registrations,
      trunks: new Trunks(options.trunks),
      sealRecipients: parts.sealRecipients,
      options,
      log,
      clock,
      dialogs: this.#dialogs,
      unanswered: new Map(),
      openInvites: new OpenInvites(options.signalling.openInvites, log),
      whenUp: () => this.#whenUp(),
      trunkPassword: (trunk) => passwords.get(trunk),
    };
    this.#orphans = new Orphans({
      media: this.#shell.media,
      owner: options.signalling.appTag,
      clock,
      log,
      hangUp: (dialogId) => requestById(this.#srf, 'BYE', dialogId),
      ask: (dialogId, done) => requestById(this.#srf, 'OPTIONS', dialogId, done),
    });
    this.#authenticator = new Authenticator({
      credentials: parts.credentials,
      realm: options.sip.realm,
      digests: options.sip.digests,
      md5OnlyAgents: options.sip.md5OnlyAgents,
      clock,
      random,
      isKnownDevice: (extension, ip) => registrations.isKnownDevice(extension, ip),
    });
  }

  /**
   * Loads registrations, then connects. Resolves when the signalling server has taken us and the media server was
   * tried once; both are kept connected from then on. Rejects with `signallingUnavailable` if the secret is wrong.
   */
  async start(sink: CallSink): Promise<void> {
    await this.#shell.registrations.load();
    this.#route(new Inbound(this.#shell, this.#authenticator, sink));
    await this.#connect();
    await this.#shell.media.connect();
  }

  get reachability(): Reachability {
    return {
      isRegistered: (extension) => this.#shell.registrations.of(extension).length > 0,
      trunkFault: (trunk) =>
        this.#signalling.isUp
          ? this.#shell.trunks.fault(trunk)
          : `the signalling server is down: ${this.#signalling.why}`,
    };
  }

  /** Every phone that can be rung now. */
  get bindings(): readonly ContactBinding[] {
    return this.#shell.registrations.all();
  }

  health(): TelephonyHealth {
    return {
      signalling: this.#signalling,
      serves: this.#serves,
      media: this.#shell.media.health,
      registrations: this.bindings.length,
      calls: this.#inbound?.liveCalls ?? 0,
    };
  }

  /** Ends every call that is left and both connections. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbound?.close();
    this.#orphans.close();
    // One turn for the last BYEs to be written before the socket ends.
    await new Promise((resolve) => setImmediate(resolve));
    this.#shell.media.close();
    disconnectSrf(this.#srf);
    this.#shell.openInvites.close();
  }

  #whenUp(): Promise<void> {
    if (this.#signalling.isUp) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#parts.clock.after(waitForSignallingMs, resolve);
    });
  }

  #route(inbound: Inbound): void {
    const { authenticator, registrations, clock, log } = {
      authenticator: this.#authenticator,
      registrations: this.#shell.registrations,
      ...this.#parts,
    };
    const registrar = new Registrar({ authenticator, registrations, clock, log });
    this.#inbound = inbound;
    this.#srf.use(
      'invite',
      guarded(log, 'INVITE', (request, response) => inbound.invite(request, response)),
    );
    this.#srf.use(
      'register',
      guarded(log, 'REGISTER', (request, response) => registrar.register(request, response)),
    );
    for (const method of ['options', 'message', 'subscribe', 'publish', 'refer', 'info', 'notify']) {
      this.#srf.use(method, guarded(log, method, refuseMethod));
    }
    // Whatever is left belongs to no dialog of ours.
    this.#srf.use(
      guarded(log, 'request', (request, response) => {
        const isOrphans =
          request.method === 'BYE' && request.stackDialogId !== undefined && this.#orphans.left(request.stackDialogId);
        if (isOrphans) response.send(200, undefined, {});
        else refuseMethod(request, response);
      }),
    );
  }

  /** Nobody else will: a caller who waits for a process that is dead, and a phone that rings for it. */
  #endLeft(): void {
    const { openInvites } = this.#shell;
    for (const { whose, id } of openInvites.left.splice(0)) {
      endById(this.#srf, whose, id);
      openInvites.over(id);
    }
  }

  #connected(hostPorts: string): void {
    this.#signalling = { isUp: true, why: '' };
    this.#serves = hostPorts.split(',').map((text) => text.trim());
    writeTogether(this.#srf);
    rehome(this.#srf, [...this.#dialogs.keys(), ...this.#shell.media.dialogs], this.#shell.unanswered);
    for (const proceed of this.#waiting.splice(0)) proceed();
  }

  #connect(): Promise<void> {
    const { log, clock } = this.#parts;
    const { host, port } = this.#server;
    let unfinished: Unfinished | undefined;
    let connections = 0;
    const giveUp = (): void => {
      if (unfinished) failUnfinished(unfinished);
      unfinished = undefined;
    };
    const down = (why: string): void => {
      if (this.#isClosed) return;
      if (this.#signalling.isUp) {
        log.warn({ host, port, why }, 'signalling server lost');
        // What waits for its answer waits no longer than that, also when it never comes back.
        clock.after(waitForSignallingMs, () => this.#signalling.isUp || giveUp());
      }
      this.#signalling = { isUp: false, why };
    };
    return new Promise((resolve, reject) => {
      this.#srf.on(
        'connect',
        guarded(log, 'connect', (error: unknown, hostPorts: string) => {
          if (error) {
            down('the signalling server refused the secret');
            return reject(new PortError('signallingUnavailable', { cause: asError(error) }));
          }
          if (hostPorts === '') {
            // drachtio-server 0.9.10 takes apps before its SIP stack is there, and a request kills it then.
            down('the signalling server is still starting');
            return dropConnection(this.#srf);
          }
          const connection = ++connections;
          clock.after(settlesWithinMs, () => {
            if (connection !== connections || !isConnected(this.#srf) || this.#isClosed) return;
            log.info({ host, port, hostPorts }, 'signalling server connected');
            this.#connected(hostPorts);
            giveUp();
            unfinished = unfinishedOf(this.#srf);
            findUnknown(this.#dialogs, this.#shell.media.dialogs, (ms, run) => clock.after(ms, run));
            this.#endLeft();
            resolve();
          });
        }),
      );
      this.#srf.on(
        'error',
        guarded(log, 'error', (error: Error) => down(error.message)),
      );
      this.#srf.on(
        'close',
        guarded(log, 'close', () => down('connection closed')),
      );
      connectSrf(this.#srf, { host, port, secret: this.#secret, tls: tlsOf(this.#server) });
    });
  }
}

/** Throws `keyUnreadable` for an authority's file that cannot be read. */
function tlsOf({ host, tls, tlsCa, tlsName }: SignallingServerOptions): ConnectionOptions | null {
  if (!tls) return null;
  const servername = tlsName ?? (isIP(host) === 0 ? host : undefined);
  return {
    ...(tlsCa === undefined ? {} : { ca: wholeFile('signalling.servers: tlsCa', tlsCa) }),
    ...(servername === undefined ? {} : { servername }),
  };
}

function trunkPasswords(options: TelephonyOptions): ReadonlyMap<string, string> {
  const passwords = new Map<string, string>();
  for (const [name, { passwordFile }] of Object.entries(options.trunks)) {
    if (passwordFile !== undefined) passwords.set(name, firstLine(`trunks.${name}.passwordFile`, passwordFile));
  }
  return passwords;
}
