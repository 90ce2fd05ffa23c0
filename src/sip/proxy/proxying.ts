//   targets ----> branches, one after another or all at once
//                    | 101-199: passed back            2xx: passed back, the others are cancelled
//                    | 300-699: kept; next target      600-699: the others are cancelled
//                    V
//                 none left: the best final response is passed back
import type { Clock, Timer } from '../clock.ts';
import type { IncomingRequest } from '../dialog/incoming-request.ts';
import type { OutgoingHandlers, OutgoingRequest } from '../dialog/outgoing-request.ts';
import { parseNameAddr } from '../message/name-addr.ts';
import type { SipRequest, SipResponse } from '../message/sip-message.ts';
import { parseUri } from '../message/uri.ts';
import type { Flow } from '../transport/flow.ts';
import { bestResponse } from './best-response.ts';

export interface ProxyingOptions {
  /** sip: URIs, the preferred one first. */
  readonly targets: readonly string[];
  readonly order: 'serial' | 'simultaneous';
  /** Whether the Contacts of a 3xx become further targets. */
  readonly followsRedirects?: boolean;
  /** How long a target may take to say anything above 100, and to answer; without a limit if absent. */
  readonly provisionalWithinMs?: number | undefined;
  readonly finalWithinMs?: number | undefined;
  /** How many branches there may be at once, with all that others make of them; at least 1. */
  readonly breadth: number;
}

export interface ProxyingHandlers {
  /** It is on its way to one more target. */
  onSent(request: SipRequest): void;
  /** Each final response of a target until it is done; `from` is undefined for a 408 or 503 that we made because nothing came. */
  onFinal(response: SipResponse, from: Flow | undefined): void;
  /** The status that went back to the caller first. */
  onDone(status: number): void;
}

/** What a proxied request needs of its endpoint. */
export interface ProxyHost {
  readonly clock: Clock;
  /** Undefined if it cannot be sent there. */
  forward(target: string, breadth: number, handlers: BranchHandlers): OutgoingRequest | undefined;
  /** Sends a response of a target back to the caller. */
  passBack(response: SipResponse): void;
}

export interface BranchHandlers extends OutgoingHandlers {
  /** A 100, which goes no further. */
  onTrying(): void;
  /** A 2xx after the final response. */
  onLater2xx(response: SipResponse): void;
}

interface Branch {
  readonly share: number;
  outgoing: OutgoingRequest | undefined;
  patience: Timer | undefined;
  timerC: Timer | undefined;
  hasSaidAnything: boolean;
  isGivenUp: boolean;
}

/** RFC 3261 16.6 step 11: more than three minutes. */
const timerCMs = 185_000;
/** Whoever redirects in circles comes to an end. */
const maxTargets = 32;

/** One request on its way through us, RFC 3261 16: its branches, and what goes back to whoever sent it. */
export class Proxying {
  readonly #incoming: IncomingRequest;
  readonly #options: ProxyingOptions;
  readonly #host: ProxyHost;
  readonly #handlers: ProxyingHandlers;
  readonly #waiting: string[];
  readonly #branches = new Set<Branch>();
  readonly #finals: SipResponse[] = [];
  /** What the caller is told when no target has said anything final. */
  #unreached: number | undefined;
  #tried = 0;
  #breadth: number;
  #state: 'trying' | 'cancelled' | 'done' = 'trying';

  constructor(incoming: IncomingRequest, options: ProxyingOptions, host: ProxyHost, handlers: ProxyingHandlers) {
    this.#incoming = incoming;
    this.#options = options;
    this.#host = host;
    this.#handlers = handlers;
    this.#waiting = [...options.targets];
    this.#breadth = options.breadth;
  }

  start(): void {
    this.#next();
  }

  /** The caller gave up: every branch is cancelled, and the caller gets 487, or the 2xx that was faster. */
  cancel(): void {
    if (this.#state !== 'trying') return;
    this.#state = 'cancelled';
    this.#cancelOthers(undefined);
    if (this.#branches.size === 0) this.#finish();
  }

  #next(): void {
    const isSerial = this.#options.order === 'serial';
    // RFC 5393 5.3.3.2: what there is no breadth for waits until a branch is over.
    while (this.#state === 'trying' && (isSerial ? this.#branches.size === 0 : this.#breadth > 0)) {
      const share = isSerial ? this.#breadth : Math.max(1, Math.floor(this.#breadth / this.#waiting.length));
      const target = this.#waiting.shift();
      if (target === undefined) break;
      this.#try(target, share);
    }
    if (this.#branches.size === 0 && this.#state !== 'done') this.#finish();
  }

  #try(target: string, share: number): void {
    if (this.#tried++ >= maxTargets) return;
    const branch: Branch = {
      share,
      outgoing: undefined,
      patience: undefined,
      timerC: undefined,
      hasSaidAnything: false,
      isGivenUp: false,
    };
    branch.outgoing = this.#host.forward(target, share, {
      onTrying: () => this.#heard(branch),
      onResponse: (response, { flow }) => this.#received(branch, response, flow),
      onLater2xx: (response) => this.#host.passBack(response),
    });
    if (branch.outgoing === undefined) {
      this.#unreached = 503;
      return;
    }
    this.#branches.add(branch);
    this.#breadth -= share;
    this.#handlers.onSent(branch.outgoing.sent);
    const { provisionalWithinMs, finalWithinMs } = this.#options;
    const patienceMs = Math.min(provisionalWithinMs ?? Infinity, finalWithinMs ?? Infinity);
    if (patienceMs < Infinity) branch.patience = this.#host.clock.after(patienceMs, () => this.#giveUp(branch));
    this.#restartTimerC(branch);
  }

  #received(branch: Branch, response: SipResponse, from: Flow | undefined): void {
    if (response.status < 200) return this.#rings(branch, response);
    branch.patience?.stop();
    branch.timerC?.stop();
    if (this.#branches.delete(branch)) this.#breadth += branch.share;
    if (this.#state !== 'done') this.#handlers.onFinal(response, from);
    if (response.status < 300) {
      const isFirst = this.#state !== 'done';
      this.#state = 'done';
      this.#host.passBack(response);
      this.#cancelOthers(branch);
      if (isFirst) this.#handlers.onDone(response.status);
      return;
    }
    if (this.#state === 'done') return;
    if (from === undefined) this.#unreached ??= response.status;
    else if (!branch.isGivenUp && !this.#followed(response)) this.#finals.push(response);
    // Nobody else is asked when one has spoken for all, or wants to know who asks (RFC 3261 16.7 step 5 and 10).
    const isForAll = response.status >= 600 || response.status === 401 || response.status === 407;
    if (isForAll) this.#waiting.length = 0;
    if (response.status >= 600) this.#cancelOthers(branch);
    this.#next();
  }

  #rings(branch: Branch, response: SipResponse): void {
    this.#restartTimerC(branch);
    this.#heard(branch);
    if (this.#state === 'trying') this.#host.passBack(response);
  }

  #heard(branch: Branch): void {
    if (branch.hasSaidAnything) return;
    branch.hasSaidAnything = true;
    branch.patience?.stop();
    const { finalWithinMs } = this.#options;
    if (finalWithinMs === undefined) return;
    branch.patience = this.#host.clock.after(finalWithinMs, () => this.#giveUp(branch));
  }

  /** The target took too long: if it has said anything it is cancelled and answers that, else nobody is there. */
  #giveUp(branch: Branch): void {
    branch.isGivenUp = true;
    if (branch.hasSaidAnything) branch.outgoing?.cancel();
    else branch.outgoing?.abandon();
  }

  #restartTimerC(branch: Branch): void {
    branch.timerC?.stop();
    if (this.#incoming.request.method !== 'INVITE') return;
    branch.timerC = this.#host.clock.after(timerCMs, () => this.#giveUp(branch));
  }

  #followed(response: SipResponse): boolean {
    if (this.#options.followsRedirects !== true || response.status >= 400) return false;
    const contacts = response.headers.list('Contact').map((contact) => parseNameAddr(contact)?.uri ?? '');
    const further = contacts.filter((uri) => parseUri(uri) !== undefined);
    this.#waiting.push(...further);
    return further.length > 0;
  }

  #cancelOthers(except: Branch | undefined): void {
    this.#waiting.length = 0;
    for (const branch of this.#branches) if (branch !== except) branch.outgoing?.cancel();
  }

  #finish(): void {
    const isCancelled = this.#state === 'cancelled';
    this.#state = 'done';
    const best = isCancelled ? undefined : bestResponse(this.#finals);
    const found = best?.status ?? (isCancelled ? 487 : (this.#unreached ?? 408));
    // RFC 3261 16.7 step 6: a 503 would say that we ourselves take no more calls.
    const status = found === 503 ? 500 : found;
    if (best === undefined || best.status !== status) this.#incoming.respond(status);
    else this.#host.passBack(best);
    this.#handlers.onDone(status);
  }
}
