import { collect } from './collect.ts';
import { houseOf, type Questions } from './routing-house.ts';
import { type Percentiles, percentiles, twoPlaces } from './times.ts';
import { benchYear, tellYear } from './year.ts';

/**
 * How long one routing decision takes: the number is resolved and the primary of the service is looked up, as a call
 * does it, up to the name (id) of who that is. Deciding does not read the rest: the words of the trace, the rule and the
 * end of the shift, and the record of the person with the telephone numbers are looked up when they are wanted.
 * The number is a fresh string each time, as it is when it comes out of a datagram; it is made before the clock
 * starts. (A string that lies in the documents would have to be fetched from memory, which is no part of deciding.)
 * Every size is asked equally many questions, about any of its services at any moment of 120 days, in any order; the
 * sizes take turns in short rounds, so that whatever else the machine does falls upon all of them.
 */
export interface RoutingResult {
  readonly people: number;
  readonly services: number;
  readonly decisions: number;
  /** A question that comes before the shifts of its tier are laid out, and does that. */
  readonly first: Percentiles;
  /** When all shifts are laid out, which happens in slices of 2 ms after a roster came into force; one after the other. */
  readonly warm: InRounds;
  /** The same, and the record of the person by the name: what ringing takes. */
  readonly withRecord: InRounds;
  /** As `warm`, each after 4 MB of other memory were written to, as by a call that is handled in between. */
  readonly betweenWork: InRounds;
  /** The same answer by a linear scan over routes and services and over the days since the rotation began. */
  readonly linearScan: Percentiles;
  readonly compileMs: { readonly roster: number; readonly plan: number };
  /** Of the compiled roster, without the documents it was made from. */
  readonly indexBytesPerPerson: number;
}

interface InRounds extends Percentiles {
  /** p50 over that of the smallest roster in the same round: the median of all rounds. */
  readonly timesSmallest: number;
  /** A tenth of the rounds lies below the first of these, a tenth above the second. */
  readonly timesSmallestInRounds: readonly [number, number];
}

type House = ReturnType<typeof houseOf>;
type Ask = (house: House, questions: Questions, first: number, count: number) => Float64Array;

const SIZES = [
  { people: 100, services: 10 },
  { people: 10_000, services: 1_000 },
  { people: 1_000_000, services: 10_000 },
] as const;

/**
 * Ten thousand decisions take ten milliseconds: long enough for the caches to hold what they hold when a house is asked
 * alone, and short beside what else the machine does.
 */
const EACH = 10_000;
/** Four megabytes take a tenth of a millisecond and more. */
const EACH_BETWEEN_WORK = 100;
const WARM_UP_ROUNDS = 15;

export function benchRouting(decisions = 400_000): RoutingResult[] {
  // The code is compiled by its first thousands of runs; those of another roster count as well.
  const practice = houseOf(SIZES[0]);
  practice.asksFirst();
  practice.laysOut();
  const houses = SIZES.map((size) => houseOf(size));
  const first = houses.map((house) => percentiles(house.asksFirst()));
  for (const house of houses) house.laysOut();
  const linearScan = houses.map((house) => percentiles(house.scans(decisions / 1_000)));
  for (const house of [practice, ...houses]) house.asks(house.anyQuestions(decisions / 2), 0, decisions / 2);
  const warm = inRounds(houses, decisions / EACH, EACH, (house, ...asked) => house.asks(...asked));
  const work = otherWork();
  const betweenWork = inRounds(houses, decisions / 5_000, EACH_BETWEEN_WORK, (house, questions, ...which) =>
    house.asks((i) => work(questions(i)), ...which),
  );
  const withRecord = inRounds(houses, decisions / EACH, EACH, (house, ...asked) => house.asksForRecords(...asked));
  return houses.map(({ size, compileMs, indexBytesPerPerson }, i) => ({
    ...size,
    decisions,
    first: first[i]!,
    warm: warm[i]!,
    withRecord: withRecord[i]!,
    betweenWork: betweenWork[i]!,
    linearScan: linearScan[i]!,
    compileMs,
    indexBytesPerPerson,
  }));
}

/** Of each house, what it took over all rounds. */
function inRounds(houses: readonly House[], rounds: number, each: number, ask: Ask): InRounds[] {
  const asked = houses.map((house) => ({ house, questions: house.anyQuestions(rounds * each) }));
  collect();
  // Collecting everything also throws compiled code away.
  for (let i = 0; i < WARM_UP_ROUNDS; i++) for (const { house, questions } of asked) ask(house, questions, 0, each);
  const took = Array.from({ length: rounds }, (_, round) =>
    asked.map(({ house, questions }) => ask(house, questions, round * each, each)),
  );
  return houses.map((_, i) => {
    const ratios = took
      .map((round) => percentiles(round[i]!).p50Us / percentiles(round[0]!).p50Us)
      .sort((a, b) => a - b);
    return {
      ...percentiles(Float64Array.from(took.flatMap((round) => [...round[i]!]))),
      timesSmallest: twoPlaces(ratios[rounds / 2]!),
      timesSmallestInRounds: [twoPlaces(ratios[rounds / 10]!), twoPlaces(ratios[(9 * rounds) / 10]!)],
    };
  });
}

/** Writes to one word in each line of the cache. */
function otherWork(): <T>(then: T) => T {
  const words = new Int32Array(2 ** 20);
  return (then) => {
    for (let i = 0; i < words.length; i += 16) words[i]! += 1;
    return then;
  };
}

/** One line for each size and way of asking, with units in the head. */
export function tellRouting(results: readonly RoutingResult[]): string {
  const asked = results.flatMap(({ people, services, warm, withRecord, betweenWork }) =>
    Object.entries({ 'who it is': warm, '+ record': withRecord, 'after work': betweenWork }).map(
      ([how, { p50Us, p99Us, timesSmallest, timesSmallestInRounds }]) => [
        String(people),
        String(services),
        how,
        ...[p50Us, p99Us, timesSmallest].map((figure) => figure.toFixed(2)),
        timesSmallestInRounds.map((ratio) => ratio.toFixed(2)).join('-'),
      ],
    ),
  );
  const others = results.map(({ people, services, first, linearScan, compileMs }) => [
    String(people),
    String(services),
    ...[first.p50Us, first.p99Us, linearScan.p50Us].map((us) => us.toFixed(2)),
    ...[compileMs.roster, compileMs.plan].map((ms) => ms.toFixed(0)),
  ]);
  return [
    'A decision: the number is resolved, and who is on call is known by id. "+ record": the person is looked up too.',
    '"after work": each after 4 MB of other memory were written to.',
    ...[
      ['people', 'services', 'decided', 'p50 µs', 'p99 µs', '÷ smallest', 'in rounds'],
      ...asked,
      ['people', 'services', 'first p50', 'first p99', 'linear scan', 'roster ms', 'plan ms'],
      ...others,
    ].map((row) => row.map((cell) => cell.padStart(11)).join(' ')),
  ].join('\n');
}

if (import.meta.main) {
  const results = benchRouting();
  const year = benchYear();
  const json = JSON.stringify({ bench: 'routing', results, year }, null, 2);
  process.stdout.write(`${json}\n${tellRouting(results)}\n${tellYear(year)}\n`);
}
