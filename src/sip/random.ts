import { randomBytes, randomUUID } from 'node:crypto';

/** The only source of randomness in this folder. */
export interface Random {
  /** A token safe in any SIP header, at least 64 bits of entropy (RFC 3261 19.3 asks for 32). */
  token(): string;
  uuid(): string;
  /** A whole number from 0 to below - 1. */
  below(limit: number): number;
}

const poolBytes = 4096;
const tokenBytes = 8;
let pool = Buffer.alloc(0);
let used = 0;

export const systemRandom: Random = {
  token() {
    // One call to the generator serves 512 tokens: it costs as much as a whole message otherwise.
    if (used + tokenBytes > pool.length) {
      pool = randomBytes(poolBytes);
      used = 0;
    }
    used += tokenBytes;
    return pool.toString('hex', used - tokenBytes, used);
  },
  uuid: () => randomUUID(),
  below: (limit) => Math.floor(Math.random() * limit),
};
