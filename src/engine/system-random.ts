import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from './ports.ts';

/** The cryptographic randomness of the machine: call ids and accept digits must not be guessed. */
export const systemRandom: Random = {
  below: (below) => randomInt(below),
  bytes: (count) => randomBytes(count),
};
