import {
  type Clock,
  type Flow,
  Headers,
  parseNameAddr,
  type SipRequest,
  type SipResponse,
  type Timer,
} from '../../sip/index.ts';
import type { AppLoad } from '../app-load.ts';
import type { SipdOptions } from '../options.ts';
import { bodyFault } from './body-fault.ts';
import { CallRate, lookEveryMs } from './call-rate.ts';
import { Challenges } from './challenges.ts';
import { Load } from './load.ts';
import { ReservedCalls } from './reserved-calls.ts';
import { SourceGate } from './source-gate.ts';
import { Trusted } from './trusted.ts';

/** What happens to a request that would open a transaction: nothing said at all, or a refusal without memory of ours. */
export type Screening = 'ignore' | { readonly status: number; readonly headers?: Headers } | undefined;

/** Unanswered INVITEs: from that source, and in all. */
export interface HalfOpen {
  readonly ofSource: number;
  readonly total: number;
}

/** Counted since the start. */
export interface AdmissionCounters {
  scannersIgnored: number;
  shedForLoad: number;
  refusedHalfOpen: number;
  refusedDialogs: number;
}

const scannerWeight = 10;

/** New calls are slowed down long before any are refused for lateness: of that, so much. */
const slowedDownAt = 0.3;

/** Of everything that is limited, a quarter more is there for calls that must get through. */
const reservedShare = 1.25;

/** Who gets in: before parsing by source, after it by what is asked for and how much there is to do already. */
export class Admission {
  readonly counters: AdmissionCounters = { scannersIgnored: 0, shedForLoad: 0, refusedHalfOpen: 0, refusedDialogs: 0 };
  readonly gate: SourceGate;
  readonly #clock: Clock;
  readonly #limits: SipdOptions['limits'];
  readonly #reserved: ReservedCalls;
  readonly #load: Load;
  readonly #challenges = new Challenges();
  readonly #dialogs: () => number;
  readonly #scanners: readonly string[];
  readonly #appLoad: () => AppLoad;
  readonly #rate: CallRate;
  /** New calls that were let in, until an app has said something to them. */
  readonly #new = new WeakSet<SipRequest>();
  #look: Timer | undefined;

  constructor(parts: {
    clock: Clock;
    limits: SipdOptions['limits'];
    dialogs: () => number;
    /** How late the app says it is; it never is if absent. */
    appLoad?: () => AppLoad;
    /** How full the kernel's room for what we have not read is, 0 to 1; empty if absent. */
    unreadShare?: () => number;
  }) {
    const { clock, limits, dialogs } = parts;
    this.#appLoad = parts.appLoad ?? (() => ({ lateMs: 0, lateNowMs: 0 }));
    this.#rate = new CallRate(limits.shedWhenLateMs * slowedDownAt);
    this.#clock = clock;
    this.#limits = limits;
    this.#dialogs = dialogs;
    this.#reserved = new ReservedCalls(limits.reservedNumbers);
    this.gate = new SourceGate(limits, new Trusted(limits.trusted), (bytes) => this.#reserved.isAskedForIn(bytes));
    this.#load = new Load(clock, parts.unreadShare ?? (() => 0), limits.shedWhenLateMs);
    this.#scanners = limits.scanners.map((name) => name.toLowerCase());
    this.#watch();
  }

  /** Of us and of the app, whoever is later. */
  get lateMs(): number {
    return Math.max(this.#load.lateMs, this.#appLoad().lateMs);
  }

  /** New calls that are let in a second at the most; Infinity: as many as come. */
  get callsPerSecond(): number {
    return this.#rate.perSecond;
  }

  get reservedNumbers(): number {
    return this.#reserved.count;
  }

  /** Calls to these numbers go before all others too, as long as nobody stands in for this app. */
  reserve(app: object, numbers: readonly string[]): void {
    this.#reserved.reserve(app, numbers);
  }

  appGone(app: object): void {
    this.#reserved.appGone(app);
  }

  /** Before parsing. */
  admits(bytes: Buffer, host: string): boolean {
    return this.gate.admits(bytes, host, this.#clock.now());
  }

  /** Before parsing: while calls are too many, everything else is read first. */
  mayWait(bytes: Buffer): boolean {
    return this.#rate.perSecond !== Number.POSITIVE_INFINITY && !this.#reserved.isAskedForIn(bytes);
  }

  /** A new request outside dialogs; never ACK or CANCEL. */
  screen(request: SipRequest, source: Flow, halfOpen: HalfOpen): Screening {
    const { host } = source.remote;
    if (this.#isScanner(request)) {
      this.counters.scannersIgnored++;
      this.gate.blame(host, this.#clock.now(), scannerWeight);
      return 'ignore';
    }
    return this.#overload(request, host, halfOpen) ?? bodyFault(request);
  }

  /** A request of a stranger was malformed. */
  malformed(source: Flow): void {
    this.gate.blame(source.remote.host, this.#clock.now());
  }

  /** An app has said the first thing to a request. */
  begun(request: SipRequest): void {
    if (this.#new.delete(request)) this.#rate.begun();
  }

  /** What an app has answered tells who a source is. */
  answered(request: SipRequest, response: SipResponse, source: Flow): void {
    const { host } = source.remote;
    const now = this.#clock.now();
    if (isChallenge(response)) this.#challenges.made(response, now);
    if (request.method === 'REGISTER' && response.status < 300 && response.status >= 200) {
      return this.gate.know(host, now, expiresMs(request, response));
    }
    const isWrongPassword = isChallenge(response) && hasCredentials(request) && !isStale(response);
    if (isWrongPassword || response.status === 403 || response.status === 404) this.gate.blame(host, now);
  }

  close(): void {
    this.#look?.stop();
    this.#load.close();
  }

  #overload(request: SipRequest, host: string, halfOpen: HalfOpen): Screening {
    const { halfOpenTotal, halfOpenPerSource, dialogs, shedWhenLateMs } = this.#limits;
    const isCall = request.method === 'INVITE';
    const isReserved = isCall && this.#reserved.isAskedForBy(request.uri);
    // Not without end: whoever knows such a number could fill the memory with calls to it.
    const most = (limit: number): number => (isReserved ? limit * reservedShare : limit);
    if (isCall && halfOpen.total >= most(halfOpenTotal)) return this.#busy('refusedHalfOpen');
    if (isCall && halfOpen.ofSource >= most(halfOpenPerSource) && !this.gate.isTrusted(host)) {
      return this.#busy('refusedHalfOpen');
    }
    if (isCall && this.#dialogs() >= most(dialogs)) return this.#busy('refusedDialogs');
    if (isReserved) return undefined;
    // Calls that have begun go on; of what is new, calls are refused first, for they are most of the work; whoever answers a
    // challenge has cost half of that already.
    const nowMs = this.#clock.now();
    const isNewCall = isCall && !this.#challenges.isAnsweredBy(request, nowMs);
    const patience = isNewCall ? 1 : 2;
    if (this.lateMs > shedWhenLateMs * patience) return this.#busy('shedForLoad');
    if (!isNewCall) return undefined;
    if (!this.#rate.admits(nowMs, host)) return this.#busy('shedForLoad');
    this.#new.add(request);
    return undefined;
  }

  #watch(): void {
    this.#look = this.#clock.after(lookEveryMs, () => {
      this.#rate.look(this.#clock.now(), Math.max(this.#load.lateNowMs, this.#appLoad().lateNowMs));
      this.#watch();
    });
  }

  #busy(counter: keyof AdmissionCounters): Screening {
    this.counters[counter]++;
    return { status: 503, headers: new Headers().add('Retry-After', String(this.#limits.retryAfterSeconds)) };
  }

  #isScanner(request: SipRequest): boolean {
    const agent = request.headers.get('User-Agent')?.toLowerCase() ?? '';
    const to = request.headers.get('To')?.toLowerCase() ?? '';
    return this.#scanners.some((name) => agent.includes(name) || to.includes(`"${name}"`) || to.includes(`:${name}@`));
  }
}

function isChallenge({ status }: SipResponse): boolean {
  return status === 401 || status === 407;
}

function hasCredentials({ headers }: SipRequest): boolean {
  return headers.has('Authorization') || headers.has('Proxy-Authorization');
}

// A nonce that was good once is no wrong guess (RFC 7616 3.3).
function isStale({ headers }: SipResponse): boolean {
  const challenge = headers.get('WWW-Authenticate') ?? headers.get('Proxy-Authenticate') ?? '';
  return /stale="?true/i.test(challenge);
}

function expiresMs(register: SipRequest, answer: SipResponse): number {
  const given = answer.headers.list('Contact').flatMap((value) => parseNameAddr(value)?.params.get('expires') ?? []);
  const seconds = Number(given[0] ?? answer.headers.get('Expires') ?? register.headers.get('Expires') ?? 0);
  return Number.isFinite(seconds) ? seconds * 1_000 : 0;
}
