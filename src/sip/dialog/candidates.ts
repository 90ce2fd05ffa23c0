import type { Clock } from '../clock.ts';
import type { Located } from '../names/locator.ts';
import type { Flow } from '../transport/flow.ts';

/** A server that did not answer is tried last for so long. */
const restMs = 30_000;
const maxRemembered = 1_000;

/** Where servers were found dead lately. */
export class DeadServers {
  readonly #clock: Clock;
  readonly #untilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The living ones first, each group in its own order. */
  last(places: readonly Located[]): readonly Located[] {
    const isDead = (place: Located) => (this.#untilMs.get(keyOf(place)) ?? 0) > this.#clock.now();
    return [...places.filter((place) => !isDead(place)), ...places.filter(isDead)];
  }

  add(place: Located): void {
    const [oldest] = this.#untilMs.keys();
    if (this.#untilMs.size >= maxRemembered && oldest !== undefined) this.#untilMs.delete(oldest);
    this.#untilMs.set(keyOf(place), this.#clock.now() + restMs);
  }
}

/** The servers a request may go to, one after another (RFC 3263 4.3). */
export class Candidates {
  readonly #places: Located[];
  readonly #flowTo: (place: Located) => Flow | undefined;
  readonly #dead: DeadServers;
  #current: Located | undefined;

  constructor(places: readonly Located[], flowTo: (place: Located) => Flow | undefined, dead: DeadServers) {
    this.#places = [...dead.last(places)];
    this.#flowTo = flowTo;
    this.#dead = dead;
  }

  get hasMore(): boolean {
    return this.#places.length > 0;
  }

  /** The way to the next of them; undefined if there is none left. */
  next(): Flow | undefined {
    for (;;) {
      this.#current = this.#places.shift();
      if (this.#current === undefined) return undefined;
      const flow = this.#flowTo(this.#current);
      if (flow !== undefined) return flow;
    }
  }

  /** Nobody answered at the one that `next` gave last. */
  failed(): void {
    if (this.#current !== undefined) this.#dead.add(this.#current);
  }
}

function keyOf({ protocol, host, port }: Located): string {
  return `${protocol} ${host} ${port}`;
}
