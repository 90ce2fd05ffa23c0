//   send(1xx) ----> sent again after T1, 2 T1, ... ---- PRACK ----> the next one that waits
//                        | 64 T1 without a PRACK
//                        V
//                     onGivenUp
//   A 2xx waits behind those that hold a description (RFC 3262 3): what it answers must be known first.
import type { Timer } from '../clock.ts';
import { cseqOf, type SipRequest, type SipResponse } from '../message/sip-message.ts';

export interface ReliableProvisionalsOptions {
  readonly invite: SipRequest;
  /** The number of the first one, from 1 to 2^31 - 1. */
  readonly firstRseq: number;
  readonly t1: number;
  readonly after: (afterMs: number, action: () => void) => Timer;
  readonly transmit: (response: SipResponse) => void;
  /** No PRACK came in 64 T1. `heldAnswer`: a 2xx has been waiting, and will never go out. */
  readonly onGivenUp: (heldAnswer: boolean) => void;
}

/** How many may wait for the PRACK of the one before: a phone that never sends one does not fill our memory. */
const maxWaiting = 16;

/** The provisional responses to one INVITE that are repeated until their PRACK comes, RFC 3262 3. */
export class ReliableProvisionals {
  readonly #options: ReliableProvisionalsOptions;
  #nextRseq: number;
  #open: { readonly response: SipResponse; readonly rseq: number; timer: Timer } | undefined;
  readonly #waiting: SipResponse[] = [];
  /** The one that waited for its PRACK when the final response went out: RFC 3262 3, it may still come. */
  #outstanding: number | undefined;
  #answer: (() => void) | undefined;

  constructor(options: ReliableProvisionalsOptions) {
    this.#options = options;
    this.#nextRseq = options.firstRseq;
  }

  /** Whether one more can be taken. */
  get isFull(): boolean {
    return this.#waiting.length >= maxWaiting;
  }

  /** The RSeq of the next one. */
  nextRseq(): number {
    return this.#nextRseq++;
  }

  /** Sends it now, or when the one before has its PRACK: RFC 3262 3 allows one at a time. */
  send(response: SipResponse): void {
    if (this.#open !== undefined) this.#waiting.push(response);
    else this.#transmit(response);
  }

  /** Whether a description is on its way that nobody has acknowledged. */
  get hasOpenOffer(): boolean {
    return [this.#open?.response, ...this.#waiting].some(
      (response) => response !== undefined && response.body.length > 0,
    );
  }

  get holdsAnswer(): boolean {
    return this.#answer !== undefined;
  }

  /** Runs `answer` when no description is open any more; never if it is stopped before. */
  hold(answer: () => void): void {
    this.#answer = answer;
  }

  /** Whether this PRACK is for the response that waits for one. */
  acknowledge(prack: SipRequest): boolean {
    const rack = parseRack(prack.headers.get('RAck') ?? '');
    const { invite } = this.#options;
    if (rack === undefined || rack.cseq !== cseqOf(invite).number || rack.method !== 'INVITE') return false;
    if (rack.rseq === this.#outstanding) {
      this.#outstanding = undefined;
      return true;
    }
    if (rack.rseq !== this.#open?.rseq) return false;
    this.#open.timer.stop();
    this.#open = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#transmit(next);
    return true;
  }

  /** After the PRACK has been passed on: whoever answers the INVITE answers the PRACK first. */
  release(): void {
    if (this.hasOpenOffer) return;
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.();
  }

  /** The final response has gone out, or nobody cares any more. */
  stop(): void {
    this.#open?.timer.stop();
    this.#outstanding ??= this.#open?.rseq;
    this.#open = undefined;
    this.#waiting.length = 0;
    this.#answer = undefined;
  }

  #transmit(response: SipResponse): void {
    const { t1, transmit } = this.#options;
    transmit(response);
    this.#open = { response, rseq: Number(response.headers.get('RSeq')), timer: this.#again(response, t1, 0) };
  }

  #again(response: SipResponse, waitMs: number, passedMs: number): Timer {
    const { t1, after, transmit, onGivenUp } = this.#options;
    const stopAfterMs = 64 * t1;
    const nextMs = Math.min(waitMs, stopAfterMs - passedMs);
    return after(nextMs, () => {
      if (this.#open === undefined) return;
      if (passedMs + nextMs >= stopAfterMs) {
        const { holdsAnswer } = this;
        this.stop();
        return onGivenUp(holdsAnswer);
      }
      transmit(response);
      this.#open.timer = this.#again(response, waitMs * 2, passedMs + nextMs);
    });
  }
}

/** RFC 3262 7.2. What follows the method is ignored: some phones repeat it. */
export function parseRack(value: string): { rseq: number; cseq: number; method: string } | undefined {
  const match = /^(\d{1,10})[ \t]+(\d{1,10})[ \t]+(\S+)/.exec(value);
  return match === null ? undefined : { rseq: Number(match[1]), cseq: Number(match[2]), method: match[3] as string };
}
