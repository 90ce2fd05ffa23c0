import type { Instant } from '../time/index.ts';
import type { OnCallAnswer } from './model.ts';
import { BLOCK_ROWS, shiftAt, shiftIn, type ShiftShelf, type TierShifts } from './tier-shifts.ts';
import type { DutyTier, ServicePlace } from './vocabulary.ts';
import { answerAt } from './who-is-on-call.ts';

export interface TierOfAll {
  readonly tier: DutyTier;
  readonly shelf: ShiftShelf;
  /** Services of the roster. */
  readonly services: number;
}

/**
 * One tier of all services, as far as it is laid out. Where the shifts of a service lie stands in two numbers: so the
 * processor's cache holds them for 10⁴ services, and what has to be fetched is the one shift and its holder.
 */
export class LaidOutTiers {
  readonly #of: TierOfAll;
  readonly #tiers = new Map<ServicePlace, TierShifts>();
  /** By place. Without shifts: ask the tier itself. */
  #runs = new Int32Array();
  /** When the first shift of a run begins and how long each is; most tiers are like others in this. */
  readonly #cadences: { readonly since: number; readonly eachMs: number }[] = [];
  readonly #cadencePlaces = new Map<string, number>();

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
    const { shelf, block, start, count, added } = tier;
    if (count === 0 || added !== null) return;
    const { from } = shiftIn(shelf, block, start);
    const { to } = shiftIn(shelf, block, start + count - 1);
    const cadence = this.#cadence(from, (to - from) / count);
    if (count > HALF || cadence > HALF || block > HALF / 2) return;
    if (this.#runs.length === 0) this.#runs = new Int32Array(this.#of.services * RUN);
    this.#runs[place * RUN + WHERE] = block * BLOCK_ROWS + start;
    this.#runs[place * RUN + SHIFTS] = (count << 16) | cadence;
  }

  #cadence(since: number, eachMs: number): number {
    const key = `${since} ${eachMs}`;
    const known = this.#cadencePlaces.get(key);
    if (known !== undefined) return known;
    const place = this.#cadences.push({ since, eachMs }) - 1;
    this.#cadencePlaces.set(key, place);
    return place;
  }

  /** Who holds the tier, where one look at one shift says it. */
  holder(place: ServicePlace, at: Instant): OnCallAnswer | undefined {
    const runs = this.#runs;
    if (runs.length === 0) return undefined;
    const where = runs[place * RUN + WHERE]!;
    const shifts = runs[place * RUN + SHIFTS]!;
    if (shifts === 0) return undefined;
    const { since, eachMs } = this.#cadences[shifts & HALF]!;
    const { tier, shelf } = this.#of;
    const block = where >>> 16;
    const run = { start: where & HALF, count: shifts >>> 16 };
    const shift = shiftAt(shelf.blocks[block]!, run, Math.floor((at - since) / eachMs), at);
    return shift < 0 ? undefined : answerAt(shelf, block, shift, tier);
  }
}

/** Of 32 bits. */
const HALF = 0xff_ff;
/** Columns of a run: block and start; count and cadence. */
const [WHERE, SHIFTS, RUN] = [0, 1, 2];
