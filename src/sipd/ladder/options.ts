import { z } from 'zod';

/** How much of what calls have said is remembered. It stays in memory. */
export const sipdLadder = z.strictObject({
  megabytes: z
    .int()
    .min(0)
    .max(64)
    .default(16)
    .describe(
      'Memory for the newest messages of calls, for `wardline call ladder`. 16 hold about 1,500 calls. 0: none are kept.',
    ),
  minutes: z.int().min(1).max(1_440).default(60).describe('What is older is wiped out, however much room there is.'),
});
