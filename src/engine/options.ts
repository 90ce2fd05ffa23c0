import { z } from 'zod';

export const engineSchema = z.strictObject({
  /** Calls at once; one more is refused with 503. */
  maxCalls: z.number().int().min(1).max(100_000).default(2_000),
  /** How long a call waits for the audit store before it acts anyway; the store spools by itself after 50 ms. */
  auditPatienceMs: z.number().int().min(10).max(5_000).default(100),
  /** How long running calls may go on after the house was told to stop. */
  drainMs: z.number().int().min(0).max(3_600_000).default(30_000),
});

export type EngineOptions = z.infer<typeof engineSchema>;
