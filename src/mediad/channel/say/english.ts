import { halfDay, piece, type Grammar } from './grammar.ts';

/** "two thousand five hundred twenty one": American, without "and". */
export const english: Grammar = {
  number,
  ordinal: (value) => {
    if (value <= 20 || value % 10 === 0) return [`ordinal-${value}`];
    return [piece(value - (value % 10)), `ordinal-${value % 10}`];
  },
  date: ({ year, month, day, weekday }) => [
    `day-${weekday}`,
    `month-${month}`,
    ...english.ordinal(day),
    ...yearSaid(year),
  ],
  time: ({ hour, minute }) => {
    const clock = halfDay(hour);
    const minutes = minute === 0 ? ['oclock'] : minute < 10 ? ['oh', piece(minute)] : number(minute);
    return [...number(clock.hour), ...minutes, clock.half];
  },
  duration: ({ hours, minutes, seconds }) => {
    const said: string[] = [];
    if (hours > 0) said.push(...number(hours), 'hours');
    if (minutes > 0) said.push(...number(minutes), minutes === 1 ? 'minute' : 'minutes');
    // The ordinal sounds the same.
    if (seconds > 0 || said.length === 0) said.push(...number(seconds), seconds === 1 ? 'ordinal-2' : 'seconds');
    return said;
  },
};

function number(value: number): readonly string[] {
  if (value >= 1_000_000) return [...number(Math.floor(value / 1_000_000)), 'million', ...rest(value % 1_000_000)];
  if (value >= 1000) return [...number(Math.floor(value / 1000)), 'thousand', ...rest(value % 1000)];
  if (value >= 100) return [piece(Math.floor(value / 100)), 'hundred', ...rest(value % 100)];
  return value <= 20 ? [piece(value)] : [piece(value - (value % 10)), ...rest(value % 10)];
}

function rest(value: number): readonly string[] {
  return value === 0 ? [] : number(value);
}

/** 1905: nineteen oh five. 2000 to 2009: two thousand five. */
function yearSaid(year: number): readonly string[] {
  const [century, inIt] = [Math.floor(year / 100), year % 100];
  if (century % 10 === 0 && inIt < 10) return number(year);
  if (inIt === 0) return [...number(century), 'hundred'];
  return [...number(century), ...(inIt < 10 ? ['oh', piece(inIt)] : number(inIt))];
}
