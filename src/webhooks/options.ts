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

/** What makes text of messages. Off unless one of `command` and `url` is given. */
export const transcriptionOptions = z
  .strictObject({
    /** A program and its words; it reads a WAV file and prints the text. Nothing of a message is among the words. */
    command: z.array(z.string().min(1).max(1_024)).max(64).default([]),
    /** A service that takes a WAV file by POST and answers {"text": "…"}. */
    url: z.union([z.url({ protocol: /^https?$/ }), z.literal('')], 'must be an http or https address').default(''),
    waitSeconds: z.int().min(1).max(3_600).default(300),
  })
  .prefault({});

export type TranscriptionOptions = z.infer<typeof transcriptionOptions>;
