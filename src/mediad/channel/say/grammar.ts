/** A language in which pieces are put one after the other. A piece is named by its id: `<language>/say/<id>.opus`, or one of the language's voices. */

export interface Grammar {
  /** A whole number of at most nine digits, 0 and up. */
  readonly number: (value: number) => readonly string[];
  /** "first": 1 to 99. */
  readonly ordinal: (value: number) => readonly string[];
  readonly date: (date: CivilDate) => readonly string[];
  readonly time: (time: CivilTime) => readonly string[];
  /** Said with hours from two of them; below, in minutes. */
  readonly duration: (parts: {
    readonly hours: number;
    readonly minutes: number;
    readonly seconds: number;
  }) => readonly string[];
}

export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

export interface CivilTime {
  /** 0 to 23. */
  readonly hour: number;
  readonly minute: number;
}

/** What is said between whole number and fraction. */
export const POINT = 'dot';
export const MINUS = 'minus';

/** 0 to 9 are digits; some languages have a piece for each number up to 29. */
export function piece(value: number): string {
  return value < 10 ? `digit-${value}` : `number-${value}`;
}

/** The hour on a dial of twelve, and which half of the day. */
export function halfDay(hour: number): { readonly hour: number; readonly half: 'am' | 'pm' } {
  return { hour: hour % 12 === 0 ? 12 : hour % 12, half: hour < 12 ? 'am' : 'pm' };
}
