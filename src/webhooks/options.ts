import { z } from 'zod';

export const webhooksOptions = z
  .strictObject({
    /** Private addresses that may be asked all the same: "127.0.0.1", "10.1.0.0/16", "fd00::/8". */
    allow: z
      .array(z.string().regex(/^[0-9A-Fa-f.:]+(\/[0-9]{1,3})?$/))
      .max(64)
      .default([]),
  })
  .prefault({});

export type WebhooksOptions = z.infer<typeof webhooksOptions>;
