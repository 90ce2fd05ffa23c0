import { type CompiledPlan, type PlanSource, statNumbers } from '../../core/dialplan/index.ts';
import type { Work } from '../../core/steps/index.ts';
import { systemClock } from '../../engine/index.ts';

const everyMs = 500;
/** The most that a signalling server takes; further ones are served like all others. */
const mostNumbers = 20_000;

/** Which numbers of the plan in force are STAT, known soon after each activation. */
export class StatNumbers {
  readonly #plan: () => CompiledPlan;
  #read: PlanSource | null = null;
  #known: ReadonlySet<string> | null = null;
  #numbers: readonly string[] | null = null;
  #timer: { cancel(): void } | null = null;
  #isClosed = false;

  constructor(plan: () => CompiledPlan) {
    this.#plan = plan;
    void this.#look();
  }

  /** The same list until it changes; null: not known yet. */
  get numbers(): readonly string[] | null {
    return this.#numbers;
  }

  /** As dialled; true as long as it is not known. */
  isStat(dialled: string): boolean {
    return this.#known?.has(dialled) ?? true;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { source } = this.#plan();
    if (source !== this.#read) {
      const stat = await littleByLittle(statNumbers(source), () => this.#isClosed);
      if (stat === null) return;
      this.#known = new Set(stat);
      this.#numbers = stat.slice(0, mostNumbers);
      this.#read = source;
    }
    if (!this.#isClosed) this.#timer = systemClock.after(everyMs, () => void this.#look());
  }
}

/** Calls are decided in between. null: it was given up. */
async function littleByLittle<T>(work: Work<T>, isGivenUp: () => boolean): Promise<T | null> {
  for (;;) {
    if (isGivenUp()) return null;
    const next = work.next();
    if (next.done) return next.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
