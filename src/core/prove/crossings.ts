import type { EscalationChain } from '../oncall/index.ts';
import { type Instant, instant, type Span } from '../time/index.ts';
import type { ChainPiece } from './chain-pieces.ts';
import type { Broken, ChainAt, Duties } from './chain-at.ts';
import { askingMs, limitOf, lookAt, type Looked } from './look-at-chain.ts';

/**
 * Calls that are on their way down a chain while duty passes on: some steps have asked for the people before, the others
 * ask for those behind. When every phone rings to its end, the first of the others begins at the change or after it:
 *
 *     chain begins   step 2           change    step 3           step 4
 *     ├──────────────┼────────────────┊────────┼────────────────┼─────────
 */

/** Something wrong, and when a chain has to begin to run into it. */
interface Crossed {
  readonly broken: Broken;
  readonly begins: Span;
}

interface Way extends Looked {
  /** The first step that begins behind the change. */
  readonly first: number;
  /** The step before it ends at the very moment of the change; otherwise it rings on, and successors with it. */
  readonly isExact: boolean;
}

export class Crossings {
  readonly #duties: Duties;
  readonly #at: ChainAt;
  readonly #chain: EscalationChain;
  /** Whether it could last too long at all. */
  readonly #isLong: boolean;
  readonly #ways = new Map<string, readonly Way[]>();

  constructor(duties: Duties, at: ChainAt, chain: EscalationChain) {
    this.#duties = duties;
    this.#at = at;
    this.#chain = chain;
    const mostMs = chain.steps.reduce((sum, { dwellMs }) => sum + dwellMs, 0);
    this.#isLong = mostMs + askingMs > limitOf(at, chain);
  }

  /** `unseen`: what is wrong behind the change, and no call comes into the chain in time to run into it. */
  *between(before: ChainPiece, after: ChainPiece, unseen: readonly Broken[]): Generator<Crossed> {
    const missed = new Set(unseen.flatMap((one) => (one.step === null ? [] : [nameOf(one)])));
    if (!this.#isLong && missed.size === 0) return;
    const name = `${before.holders}>${after.holders}`;
    const ways = this.#ways.get(name) ?? [...this.#waysAcross(before.from, after.from)];
    this.#ways.set(name, ways);
    for (const way of ways) {
      for (const broken of way.broken) {
        const { fault, step } = broken;
        const isNew = step === null ? fault.kind === 'tooLate' : step >= way.first && missed.has(nameOf(broken));
        if (!isNew) continue;
        const begins = beginsOf(way, { before, after, step: step ?? this.#chain.steps.length - 1 });
        if (begins.from < begins.to) yield { broken, begins };
      }
    }
  }

  *#waysAcross(before: Instant, after: Instant): Generator<Way> {
    for (let first = 1; first < this.#chain.steps.length; first++) {
      const at = (step: number) => (step < first ? before : after);
      for (const isExact of [false, true]) {
        const successors = (step: number) => (step === first - 1 && !isExact ? after : null);
        const looked = lookAt(this.#duties, this.#at, this.#chain, { at, successors });
        // A step that takes no time is on one side of the change alone.
        if (looked.beginsMs[first]! > looked.beginsMs[first - 1]!) yield { ...looked, first, isExact };
      }
    }
  }
}

function nameOf({ fault, step }: Broken): string {
  return `${fault.kind} ${fault.path} ${step}`;
}

/** When the chain begins if its first steps are before the change, and the others up to this one before the next. */
function beginsOf(
  { beginsMs, first, isExact }: Way,
  { before, after, step }: { readonly before: Span; readonly after: Span; readonly step: number },
): Span {
  const latest = after.from - beginsMs[first]!;
  const from = isExact ? latest : latest + 1;
  const to = isExact ? latest + 1 : after.from - beginsMs[first - 1]!;
  return {
    from: instant(Math.max(from, before.from)),
    to: instant(Math.min(to, after.to - beginsMs[step]!)),
  };
}
