import type { Instant } from '../time/index.ts';

const MIN_DIGITS = 6;
export const MAX_PIN_DIGITS = 12;

/** What is wrong with a PIN, in words; null: it will do. `known`: the number of the mailbox and its extensions. */
export function pinFault(pin: string, known: readonly string[]): string | null {
  if (!/^\d+$/.test(pin)) return 'a PIN is made of digits';
  if (pin.length < MIN_DIGITS) return `it has fewer than ${MIN_DIGITS} digits`;
  if (pin.length > MAX_PIN_DIGITS) return `it has more than ${MAX_PIN_DIGITS} digits`;
  if (hasRun(pin)) return 'four of its digits in a row repeat or count up or down';
  if (isBlockRepeated(pin)) return 'it is the same digits over and over';
  const backwards = pin.split('').reverse().join('');
  const shown = known.find((number) => number.length > 1 && (pin.includes(number) || backwards.includes(number)));
  if (shown !== undefined) return `it contains ${shown}, which everybody can see`;
  return null;
}

/** 1111, 1234, 9876 anywhere in it. */
function hasRun(pin: string): boolean {
  for (const step of [0, 1, -1]) {
    let length = 1;
    for (let i = 1; i < pin.length; i++) {
      length = Number(pin[i]) - Number(pin[i - 1]) === step ? length + 1 : 1;
      if (length === 4) return true;
    }
  }
  return false;
}

/** 121212, 123123. */
function isBlockRepeated(pin: string): boolean {
  return /^(\d{1,4})\1+$/.test(pin);
}

/** PINs that were tried at a mailbox, or by a caller, and were not right. */
export interface PinTries {
  readonly failures: number;
  readonly lastAt: Instant;
}

const triesAtOnce = 5;
const firstPauseMs = 15 * 60_000;
const longestPauseMs = 4 * 3_600_000;
/** Somebody who erred yesterday does not wait today. */
const forgetsAfterMs = 24 * 3_600_000;
/** Nor who knew it in the end. */
const forgivesAfterMs = 3_600_000;

/**
 * Until when no PIN is looked at, null for now. Five tries, then a pause of 15 minutes that doubles each time: at most
 * 15 tries in any hour.
 */
export function pausedUntil(tries: PinTries | null, at: Instant): Instant | null {
  if (tries === null || tries.failures === 0 || tries.failures % triesAtOnce !== 0) return null;
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (tries.failures / triesAtOnce - 1));
  const until = tries.lastAt + pauseMs;
  return at < until ? (until as Instant) : null;
}

/** One more try, before it is known whether it is right. */
export function tried(tries: PinTries | null, at: Instant): PinTries {
  const isForgotten = tries === null || at - tries.lastAt >= forgetsAfterMs;
  return { failures: isForgotten ? 1 : tries.failures + 1, lastAt: at };
}

/**
 * What counts on after a right one; `before` is what there was before it was tried. Wrong ones of the last hour do: others
 * open the mailbox too, and who guesses may know another mailbox's PIN.
 */
export function triedRightly(before: PinTries | null, at: Instant): PinTries | null {
  return before !== null && at - before.lastAt < forgivesAfterMs ? before : null;
}
