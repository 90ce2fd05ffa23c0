import { z } from 'zod';

/** Where the documents lie, relative to the working folder. */
export const documentsOptions = z
  .strictObject({
    dialplans: z.string().min(1).default('dialplans'),
    oncall: z.string().min(1).default('oncall'),
    /** Whether what is saved comes into force by itself, or when `wardline plan activate` says so. */
    activation: z.enum(['automatic', 'manual']).default('automatic'),
    /** How often the folders are looked at besides the notices of the file system. */
    pollMs: z.int().min(50).max(60_000).default(500),
  })
  .prefault({});

export type DocumentsOptions = z.infer<typeof documentsOptions>;
