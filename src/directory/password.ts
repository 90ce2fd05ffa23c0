import type { Random } from '../engine/ports.ts';

/** 32 signs, so 5 bits each, without those that are taken for one another (l and 1, o and 0). */
const SIGNS = 'abcdefghijkmnpqrstuvwxyz23456789';
const LENGTH = 26;
/** People choose words and years, not signs; so nothing of less than 16 signs is strong. */
const MAX_BITS_PER_SIGN = 5;

/** 130 random bits that can be read from a sheet of paper. */
export function makePassword(random: Random): string {
  return Array.from(random.bytes(LENGTH), (byte) => SIGNS[byte % SIGNS.length]).join('');
}

/**
 * How hard a password is to guess, in bits, seen with suspicion: signs that repeat or continue the one before
 * ("aaa", "123", "cba") and repeated blocks count nothing, and no more kinds of sign count than are used.
 */
export function passwordBits(password: string): number {
  let pool = 0;
  if (/[a-z]/.test(password)) pool += 26;
  if (/[A-Z]/.test(password)) pool += 26;
  if (/[0-9]/.test(password)) pool += 10;
  if (/[^a-zA-Z0-9]/.test(password)) pool += 20;
  const distinct = new Set(password).size;
  if (distinct < 2) return 0;
  const perSign = Math.min(MAX_BITS_PER_SIGN, Math.log2(Math.min(pool, distinct * distinct)));
  return Math.floor(surprises(password) * perSign);
}

/** Signs that are neither a step from the one before nor part of a block of four that was there already. */
function surprises(password: string): number {
  let count = 0;
  for (let i = 0; i < password.length; i++) {
    const step = i === 0 ? Number.NaN : password.charCodeAt(i) - password.charCodeAt(i - 1);
    const block = password.slice(i - 3, i + 1);
    const isRepeated = i >= 3 && password.indexOf(block) < i - 3;
    if (Math.abs(step) > 1 || (i === 0 && !isRepeated)) count += isRepeated ? 0 : 1;
  }
  return count;
}
