import type { CompiledPlan } from '../core/dialplan/index.ts';
import { type CompiledRoster, compilingRoster } from '../core/oncall/index.ts';
import type { Instant } from '../core/time/index.ts';
import type { Clock, DocumentVersion, Overrides } from '../engine/ports.ts';
import type { ReadSource } from './document-reader.ts';
import { isPlausible, rosterWindow } from './roster-window.ts';
import { inSlices } from './slices.ts';

/** Documents that are checked, compiled and ready to come into force. */
export interface Good {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly version: DocumentVersion;
  /** What the roster is laid out from again every day. */
  readonly source: Pick<ReadSource, 'roster' | 'people'>;
}

export interface InForceParts {
  readonly overrides: Overrides;
  readonly clock: Clock;
  /** The overrides could not be read; those known before stay in force. Told once each time. */
  onOverridesUnread(error: unknown): void;
  /** The clock cannot be right: nobody is rung by schedule until it is. Told once each time. */
  onClockImplausible(now: Instant): void;
  /** Something was put in force, or the same was laid out around another day. */
  onLaidOut(): void;
}

const DAY_MS = 86_400_000;
/** Laying out all shifts of a large roster takes a second: a little at a time, because calls are being decided. */
const SLICE_MS = 2;
const BETWEEN_SLICES_MS = 10;

/** The one version that answers, with what people changed on top of it, laid out around today. */
export class InForce {
  readonly #parts: InForceParts;
  #good: Good | null = null;
  #laidOutAt: Instant = 0 as Instant;
  #overridesSeen = -1;
  #isUnread = false;
  readonly #elder = new WeakMap<CompiledRoster, CompiledRoster>();
  #slice: { cancel(): void } | null = null;
  #renewing: Promise<void> | null = null;
  #isClosed = false;

  constructor(parts: InForceParts) {
    this.#parts = parts;
  }

  /** null: nothing was put in force yet. */
  get good(): Good | null {
    return this.#good;
  }

  put(good: Good): void {
    const known = this.#good?.roster.overrides ?? [];
    this.#good = { ...good, roster: good.roster.withOverrides(known) };
    this.#overridesSeen = -1;
    this.#lookForOverrides();
    this.#laidOutAt = this.#parts.clock.now();
    if (!isPlausible(this.#laidOutAt)) this.#parts.onClockImplausible(this.#laidOutAt);
    this.#layOutAhead(this.#good.roster);
    this.#parts.onLaidOut();
  }

  /** Looks whether people changed something, or the day did. True when something was changed. */
  look(): boolean {
    this.#keepWindow();
    const before = this.#good;
    this.#lookForOverrides();
    return this.#good !== before;
  }

  /** A roster that a call holds on to, with the overrides of now. */
  upToDate(roster: CompiledRoster, now: CompiledRoster): CompiledRoster {
    if (roster === now || roster.overrides === now.overrides) return roster;
    // Of the same version, now laid out around a later day; or of the one before, for calls that outlast it.
    if (roster.version === now.version && roster.window.from === now.window.from) return now;
    const known = this.#elder.get(roster);
    if (known?.overrides === now.overrides) return known;
    const elder = roster.withOverrides(now.overrides);
    this.#elder.set(roster, elder);
    return elder;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#slice?.cancel();
    await this.#renewing;
  }

  /** Puts what people changed on top of the rules. While the store cannot say, what was known before stays so. */
  #lookForOverrides(): void {
    const { overrides } = this.#parts;
    if (this.#good === null) return;
    try {
      const revision = overrides.revision();
      if (revision === this.#overridesSeen) return;
      const { roster } = this.#good;
      this.#good = { ...this.#good, roster: roster.withOverrides(overrides.list(roster.window.from)) };
      this.#overridesSeen = revision;
      this.#isUnread = false;
    } catch (error) {
      if (!this.#isUnread) this.#parts.onOverridesUnread(error);
      this.#isUnread = true;
    }
  }

  /** So that the first call to a service does not wait for its shifts to be laid out. */
  #layOutAhead(roster: CompiledRoster): void {
    const { clock } = this.#parts;
    this.#slice?.cancel();
    this.#slice = clock.after(BETWEEN_SLICES_MS, () => {
      const until = clock.monotonicMs() + SLICE_MS;
      while (clock.monotonicMs() < until) if (this.#isClosed || !roster.layOutNext()) return;
      this.#layOutAhead(roster);
    });
  }

  /** Lays the same version out again every day, and when the clock was set. */
  #keepWindow(): void {
    const now = this.#parts.clock.now();
    const isFresh = Math.abs(now - this.#laidOutAt) < DAY_MS && isPlausible(now) === isPlausible(this.#laidOutAt);
    if (isFresh || this.#good === null || this.#renewing !== null) return;
    this.#renewing = this.#renew(this.#good, now).finally(() => {
      this.#renewing = null;
    });
  }

  async #renew(good: Good, now: Instant): Promise<void> {
    const { roster, people } = good.source;
    const work = compilingRoster(roster, people, rosterWindow(now));
    const again = await inSlices(work, this.#parts.clock, () => !this.#isClosed);
    // Something else has come into force meanwhile, laid out around this day.
    if (again !== null && this.#good?.version === good.version) this.put({ ...this.#good, roster: again });
  }
}
