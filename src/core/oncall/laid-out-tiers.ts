import type { Instant } from '../time/index.ts';
import type { OnCallAnswer } from './model.ts';
import { ShiftAnswer } from './shift-answer.ts';
import { holderOf, type ShiftShelf } from './shift-shelf.ts';
import type { TierShifts } from './tier-shifts.ts';
import type { DutyTier, ServicePlace } from './vocabulary.ts';

export interface TierOfAll {
  readonly tier: DutyTier;
  readonly shelf: ShiftShelf;
  /** Services of the roster. */
  readonly services: number;
}

/**
 * One tier of all services, as far as it is laid out. Where the shifts of a service lie stands in two numbers: so the
 * processor's cache holds them for 10⁴ services, and what has to be fetched is the holder's name.
 */
export class LaidOutTiers {
  readonly #of: TierOfAll;
  readonly #tiers = new Map<ServicePlace, TierShifts>();
  /** By place. Without turns: ask the tier itself. */
  #runs = new Int32Array();

  constructor(of: TierOfAll) {
    this.#of = of;
  }

  has(place: ServicePlace): boolean {
    return this.#tiers.has(place);
  }

  get(place: ServicePlace): TierShifts | undefined {
    return this.#tiers.get(place);
  }

  set(place: ServicePlace, tier: TierShifts): void {
    this.#tiers.set(place, tier);
    const { timetable, holders, turns } = tier.run;
    if (tier.added !== null || turns > HALF || timetable > HALF) return;
    if (this.#runs.length === 0) this.#runs = new Int32Array(this.#of.services * RUN);
    this.#runs[place * RUN + HOLDERS] = holders;
    this.#runs[place * RUN + TURNS] = (turns << 16) | timetable;
  }

  /** Who holds the tier, where one look at one shift says it. */
  holder(place: ServicePlace, at: Instant): OnCallAnswer | undefined {
    const runs = this.#runs;
    if (runs.length === 0) return undefined;
    const holders = runs[place * RUN + HOLDERS]!;
    const turns = runs[place * RUN + TURNS]!;
    if (turns === 0) return undefined;
    const { shelf } = this.#of;
    const timetable = turns & HALF;
    const shift = shelf.shiftAt(timetable, at);
    if (shift < 0) return undefined;
    return new ShiftAnswer(this.#of, timetable, shift, holderOf({ holders, turns: turns >>> 16 }, shift));
  }
}

/** Of 32 bits. */
const HALF = 0xff_ff;
/** Columns of a run: where its holders are; after how many shifts they come again, and its timetable. */
const [HOLDERS, TURNS, RUN] = [0, 1, 2];
