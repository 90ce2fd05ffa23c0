import { halfDay, piece, type Grammar } from './grammar.ts';

/** Of Mexico, as its voice. Before a noun and before "mil" the one is "un". */
export const spanish: Grammar = {
  number: (value) => number(value),
  ordinal: (value) => {
    if (value <= 20 || value % 10 === 0) return [`ordinal-${value}`];
    return [`ordinal-${value - (value % 10)}`, `ordinal-${value % 10}`];
  },
  // "domingo primero de noviembre de dos mil veintiséis"
  date: ({ year, month, day, weekday }) => [
    `day-${weekday}`,
    ...(day === 1 ? ['ordinal-1'] : number(day)),
    'de',
    `month-${month}`,
    'de',
    ...number(year),
  ],
  // "dos y cinco p. m.", "una en punto a. m."
  time: ({ hour, minute }) => {
    const clock = halfDay(hour);
    const hours = clock.hour === 1 ? ['una'] : number(clock.hour);
    return [...hours, ...(minute === 0 ? ['oclock'] : ['and', ...number(minute)]), clock.half];
  },
  duration: ({ hours, minutes, seconds }) => {
    const said: string[] = [];
    if (hours > 0) said.push(...feminine(hours), 'hours');
    if (minutes > 0) said.push(...number(minutes, 'un'), minutes === 1 ? 'minute' : 'minutes');
    if (seconds > 0 || said.length === 0) said.push(...number(seconds, 'un'), seconds === 1 ? 'ordinal-2' : 'seconds');
    return said;
  },
};

/** `one`: how a one at its end is said. 21 has a piece of its own that does not change. */
function number(value: number, one = 'digit-1'): readonly string[] {
  if (value >= 1_000_000) {
    const millions = Math.floor(value / 1_000_000);
    const said = millions === 1 ? ['un', 'million'] : [...number(millions, 'un'), 'millions'];
    return [...said, ...rest(value % 1_000_000, one)];
  }
  if (value >= 1000) {
    const thousands = Math.floor(value / 1000);
    return [...(thousands === 1 ? [] : number(thousands, 'un')), 'thousand', ...rest(value % 1000, one)];
  }
  if (value >= 200) return [`number-${value - (value % 100)}`, ...rest(value % 100, one)];
  if (value >= 100) return value === 100 ? ['hundred'] : ['hundred-and', ...number(value - 100, one)];
  if (value === 1) return [one];
  if (value < 30 || value % 10 === 0) return [piece(value)];
  return [piece(value - (value % 10)), 'and', ...number(value % 10, one)];
}

function rest(value: number, one: string): readonly string[] {
  return value === 0 ? [] : number(value, one);
}

/** Hours are feminine; there are no pieces for 21 and for hundreds of them. */
function feminine(value: number): readonly string[] {
  return number(value, 'una');
}
