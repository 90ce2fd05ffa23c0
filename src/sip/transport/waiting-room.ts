import type { Clock } from '../clock.ts';

/** Then its sender has said it again (timer A, RFC 3261 17.1.1.2), or is about to: whoever answers this one answers too late. */
const staleMs = 400;
/** So long at a time; in between everything else is read. */
const turnMs = 3;
/** A second of what a machine can read. The oldest go first: they would be stale anyway. */
const mostWaiting = 5_000;
/** Connections may carry messages of 64 KB. */
const mostWaitingBytes = 16 * 1024 * 1024;

interface Arrival {
  readonly bytes: Buffer;
  /** Its sender says it again when nobody answers: by UDP, and by nothing else. */
  readonly isSaidAgain: boolean;
  readonly serve: () => void;
}

interface Waiting extends Arrival {
  readonly atMs: number;
}

/**
 * Under too many calls new ones wait here until everything that belongs to running calls has been read: a socket knows no order
 * but that of arrival, and what it holds and nobody reads is thrown away whatever it is. A CANCEL stays behind the INVITE that it
 * takes back.
 */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isDue = false;
  /** Given up because they waited too long; their senders say them again. */
  stale = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Serves it later if it may wait, as who lets calls in sees it; else at once. */
  enter(arrival: Arrival, mayWait: (bytes: Buffer) => boolean): void {
    const { bytes } = arrival;
    if (isInvite(bytes) ? !mayWait(bytes) : this.#waiting.length === 0 || !isCancel(bytes)) return arrival.serve();
    this.#waiting.push({ ...arrival, atMs: this.#clock.now() });
    this.#waitingBytes += bytes.length;
    this.#turnLater();
    while (this.#waiting.length > mostWaiting || this.#waitingBytes > mostWaitingBytes) this.#sendAway(this.#next());
  }

  /** Nobody is served any more. */
  close(): void {
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  #next(): Waiting | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#waitingBytes -= next.bytes.length;
    return next;
  }

  /** Whoever does not say it again is told, by those who let calls in, that there are too many: silence would cost 32 s (timer B). */
  #sendAway(waited: Waiting | undefined): void {
    if (waited === undefined || !waited.isSaidAgain) return waited?.serve();
    this.stale++;
  }

  #turnLater(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.after(0, () => {
      this.#isDue = false;
      try {
        this.#turn();
      } finally {
        // One that cannot be served keeps none of the others waiting.
        if (this.#waiting.length > 0) this.#turnLater();
      }
    });
  }

  #turn(): void {
    const beganMs = this.#clock.now();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (this.#clock.now() - next.atMs > staleMs && !isCancel(next.bytes)) this.#sendAway(next);
      else next.serve();
      if (this.#clock.now() - beganMs >= turnMs) return;
    }
  }
}

// Each datagram is asked: by its first letter, nearly always.
function isInvite(bytes: Buffer): boolean {
  return bytes[0] === 73 && bytes.toString('latin1', 0, 7) === 'INVITE ';
}

function isCancel(bytes: Buffer): boolean {
  return bytes[0] === 67 && bytes.toString('latin1', 0, 7) === 'CANCEL ';
}
