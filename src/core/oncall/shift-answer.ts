import type { Instant } from '../time/index.ts';
import type { OnCallAnswer } from './model.ts';
import type { Person } from './people.ts';
import type { LaidOutShift } from './shift-shelf.ts';
import type { TierShifts } from './tier-shifts.ts';
import type { DutyTier, PersonId } from './vocabulary.ts';

/** Where an answer finds what stands beside the name. */
export type AnswersFrom = Pick<TierShifts, 'tier' | 'shelf'>;

/** The holder of a shift. Everything but the name stays where it lies until it is read. */
export class ShiftAnswer implements OnCallAnswer {
  readonly personId: PersonId;
  readonly #from: AnswersFrom;
  readonly #timetable: number;
  readonly #shift: number;
  readonly #holder: number;

  constructor(from: AnswersFrom, timetable: number, shift: number, holder: number) {
    this.personId = from.shelf.personId(holder);
    this.#from = from;
    this.#timetable = timetable;
    this.#shift = shift;
    this.#holder = holder;
  }

  get person(): Person {
    return this.#from.shelf.person(this.#holder);
  }

  get tier(): DutyTier {
    return this.#from.tier;
  }

  get because(): string {
    const { rule, to } = this.#laidOut();
    return rule.isDated ? rule.says + rule.zone.show(to) : rule.says;
  }

  get since(): Instant {
    return this.#laidOut().from;
  }

  get until(): Instant {
    return this.#laidOut().to;
  }

  #laidOut(): LaidOutShift {
    return this.#from.shelf.shift(this.#timetable, this.#shift);
  }
}
