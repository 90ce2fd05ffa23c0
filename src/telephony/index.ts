import type { CallId } from '../core/call/index.ts';
import type { CallSink, Clock, HouseCalls, Random, Reachability, ServerKind } from '../engine/ports.ts';
import { AdoptedTalks } from './adopted-talks.ts';
import { Authenticator } from './auth/authenticator.ts';
import { askOptions } from './client-libraries/index.ts';
import { guarded } from './guarded.ts';
import { Inbound, isInDialog, refuseMethod } from './inbound.ts';
import type { ServerHealth } from './link-health.ts';
import { Media } from './media.ts';
import type { TelephonyOptions } from './options.ts';
import type {
  Bindings,
  ContactBinding,
  Credentials,
  Lamps,
  Log,
  LoginWatch,
  MessageKey,
  PlainSealer,
  SealRecipients,
} from './ports.ts';
import { MessageWaiting } from './message-waiting.ts';
import { Outbound } from './outbound.ts';
import { PromptLibrary } from './prompts.ts';
import { Registrar } from './registrar.ts';
import { type Lateness, onTime } from './round-trip.ts';
import { Registrations } from './registrations.ts';
import { firstLine } from './secrets.ts';
import type { Shell } from './shell.ts';
import { Signalling } from './signalling.ts';
import type { SignallingLink } from './signalling-link.ts';
import { TalkBook } from './talk-book.ts';
import { TrunkWatch } from './trunk-watch.ts';
import { Trunks } from './trunks.ts';

export type { ServerHealth } from './link-health.ts';
export type { TelephonyOptions } from './options.ts';
export type * from './ports.ts';
export type { Lateness } from './round-trip.ts';
export { MemoryBindings } from './ports.ts';
export { controlTls, readSecret, wholeFile } from './secrets.ts';

export interface TelephonyParts {
  readonly options: TelephonyOptions;
  readonly credentials: Credentials;
  readonly bindings: Bindings;
  readonly sealRecipients: SealRecipients;
  readonly plainSealer: PlainSealer;
  readonly messageKey: MessageKey;
  readonly lamps: Lamps;
  readonly logins?: LoginWatch;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface TelephonyHealth {
  readonly signalling: readonly ServerHealth[];
  readonly media: readonly ServerHealth[];
  /** Those that take calls out; `fault`: why one cannot, now. */
  readonly trunks: readonly { readonly name: string; readonly fault: string | null }[];
  /** "udp/192.0.2.7:5060": where phones and trunks are served, as the signalling servers say. */
  readonly serves: readonly string[];
  readonly registrations: number;
  readonly calls: number;
}

/**
 * Phones, trunks and media as the engine needs them, over signalling servers and media servers that it knows by address
 * only. The constructor reads secrets and prompts and throws if it cannot.
 */
export class Telephony {
  readonly #parts: TelephonyParts;
  readonly #shell: Shell;
  readonly #authenticator: Authenticator;
  readonly #adopted: AdoptedTalks;
  readonly #trunkWatches = new Map<string, TrunkWatch>();
  readonly #outbound: Outbound;
  #inbound: Inbound | null = null;
  #registrar: Registrar | null = null;
  #waiting: MessageWaiting | null = null;
  #isClosed = false;

  constructor(parts: TelephonyParts) {
    this.#parts = parts;
    const { options, clock, random, log } = parts;
    const registrations = new Registrations({ limits: options.sip, clock, store: parts.bindings, log });
    const passwords = trunkPasswords(options);
    const signalling = new Signalling(options.signalling, { clock, random, log });
    this.#shell = {
      signalling,
      media: new Media(options.media, {
        clock,
        random,
        log,
        signalling,
        owner: options.signalling.appTag,
        sealer: parts.plainSealer,
        messageKey: parts.messageKey,
        talkOver: (dialogId, why) => this.#adopted.over(dialogId, why),
      }),
      prompts: new PromptLibrary(options.media.promptsDirs),
      registrations,
      trunks: new Trunks(options.trunks),
      talks: new TalkBook(options.signalling.talks, signalling, log),
      sealRecipients: parts.sealRecipients,
      options,
      log,
      clock,
      random,
      trunkPassword: (trunk) => passwords.get(trunk),
    };
    this.#adopted = new AdoptedTalks(this.#shell);
    this.#outbound = new Outbound(this.#shell);
    this.#authenticator = new Authenticator({
      credentials: parts.credentials,
      realm: options.sip.realm,
      digests: options.sip.digests,
      md5OnlyAgents: options.sip.md5OnlyAgents,
      clock,
      random,
      isKnownDevice: (extension, ip) => registrations.isKnownDevice(extension, ip),
      watch: parts.logins,
    });
  }

  /**
   * Loads registrations, then connects. Resolves when a signalling server has taken us (or a few seconds have passed
   * without) and the media servers were tried once; all are kept connected from then on. Rejects with
   * `signallingUnavailable` if the secret is wrong.
   */
  async start(sink: CallSink): Promise<void> {
    const { signalling, media, registrations } = this.#shell;
    await registrations.load();
    const inbound = new Inbound(this.#shell, this.#authenticator, sink);
    this.#inbound = inbound;
    const { clock, log } = this.#parts;
    const authenticator = this.#authenticator;
    const waiting = new MessageWaiting({ ...this.#parts, signalling, registrations, authenticator });
    this.#waiting = waiting;
    const onRegistered = (extension: string): void => waiting.registered(extension);
    const registrar = new Registrar({ authenticator, registrations, clock, log, onRegistered });
    this.#registrar = registrar;
    for (const link of signalling.links) this.#route(link, { inbound, registrar, waiting });
    const isConnected = signalling.connect();
    this.#adopted.restore(sink);
    await isConnected;
    await media.connect();
    this.#watchTrunks();
    waiting.start();
  }

  /** Calls whose people still talk, as far as the process before this one knew. `start` goes on with them. */
  get talking(): readonly CallId[] {
    return this.#shell.talks.left.map(({ callId }) => callId);
  }

  /** Calls that the house makes by itself. */
  get houseCalls(): HouseCalls {
    return this.#outbound;
  }

  get reachability(): Reachability {
    const { signalling, registrations, trunks } = this.#shell;
    return {
      isRegistered: (extension) => registrations.of(extension).length > 0,
      trunkFault: (trunk) =>
        signalling.isUp
          ? (trunks.fault(trunk) ?? this.#trunkWatches.get(trunk)?.fault() ?? null)
          : noneIsUp(signalling),
    };
  }

  /** Every phone that can be rung now. */
  get bindings(): readonly ContactBinding[] {
    return this.#shell.registrations.all();
  }

  /** The extension has no phone any more, or another one: whatever is registered for it rings no longer. */
  forget(extension: string): void {
    this.#shell.registrations.forget(extension);
  }

  health(): TelephonyHealth {
    const { signalling, media } = this.#shell;
    return {
      signalling: signalling.health,
      media: media.health,
      trunks: [...this.#trunkWatches].map(([name, watch]) => ({ name, fault: watch.fault() })),
      serves: signalling.links.flatMap(({ serves }) => serves),
      registrations: this.bindings.length,
      calls: (this.#inbound?.liveCalls ?? 0) + this.#outbound.liveCalls,
    };
  }

  /**
   * No new calls for a server as long as another can take them; what runs on it goes on. Or the end of that. false: there
   * is no such server.
   */
  drain(kind: ServerKind, name: string, isDraining: boolean): boolean {
    const link = this.#shell[kind].links.find((one) => one.name === name);
    if (link === undefined) return false;
    link.isDraining = isDraining;
    return true;
  }

  /** How late what a signalling server tells us is read; not at all for one that is down. */
  lateness(name: string): Lateness {
    return this.#shell.signalling.named(name)?.lateness ?? onTime;
  }

  /** Ends every call that is left and all connections. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inbound?.close();
    this.#adopted.close();
    this.#outbound.close();
    this.#registrar?.close();
    this.#waiting?.close();
    for (const watch of this.#trunkWatches.values()) watch.close();
    // One turn for the last BYEs to be written before the socket ends.
    await new Promise((resolve) => setImmediate(resolve));
    this.#shell.media.close();
    this.#shell.signalling.close();
    this.#shell.talks.close();
  }

  #watchTrunks(): void {
    const { clock, log, options } = this.#parts;
    const { signalling, trunks } = this.#shell;
    for (const [trunk, { target, optionsSeconds }] of Object.entries(options.trunks)) {
      if (target === undefined || optionsSeconds === 0 || this.#isClosed) continue;
      const ask = (name: string, done: (status: number | null) => void): void =>
        askOptions(signalling.forTrunk().srf, trunks.uri(name), done);
      this.#trunkWatches.set(trunk, new TrunkWatch({ trunk, everyMs: optionsSeconds * 1000, ask, clock, log }));
    }
  }

  #route(
    link: SignallingLink,
    { inbound, registrar, waiting }: { inbound: Inbound; registrar: Registrar; waiting: MessageWaiting },
  ): void {
    const { log } = this.#parts;
    const { srf } = link;
    srf.use(
      'invite',
      guarded(log, 'INVITE', (request, response) => inbound.invite(link, request, response)),
    );
    srf.use(
      'register',
      guarded(log, 'REGISTER', (request, response) => registrar.register(link.name, request, response)),
    );
    srf.use(
      'options',
      guarded(log, 'OPTIONS', (request, response) => {
        // Carriers and load balancers ask in this way whom to send the next call to.
        if (link.isDraining) response.send(503, undefined, { headers: { 'Retry-After': '60' } });
        else refuseMethod(request, response);
      }),
    );
    srf.use(
      'subscribe',
      guarded(log, 'SUBSCRIBE', (request, response) => {
        if (isInDialog(request)) refuseMethod(request, response);
        else waiting.subscribe(link, request, response);
      }),
    );
    for (const method of ['message', 'publish', 'refer', 'info', 'notify']) {
      srf.use(method, guarded(log, method, refuseMethod));
    }
    // Whatever is left belongs to no dialog of ours.
    srf.use(
      guarded(log, 'request', (request, response) => {
        const { method, stackDialogId } = request;
        const isOrphans = method === 'BYE' && stackDialogId !== undefined && this.#shell.media.left(stackDialogId);
        if (isOrphans) response.send(200, undefined, {});
        else refuseMethod(request, response);
      }),
    );
  }
}

function noneIsUp({ health }: Signalling): string {
  return `no signalling server is up: ${health.map(({ name, why }) => `${name}: ${why}`).join('; ')}`;
}

function trunkPasswords(options: TelephonyOptions): ReadonlyMap<string, string> {
  const passwords = new Map<string, string>();
  for (const [name, { passwordFile }] of Object.entries(options.trunks)) {
    if (passwordFile !== undefined) passwords.set(name, firstLine(`trunks.${name}.passwordFile`, passwordFile));
  }
  return passwords;
}
