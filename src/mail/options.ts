import { z } from 'zod';

/** How e-mail leaves the house. Without `host` none does. */
export const mailOptions = z
  .strictObject({
    host: z.string().max(253).default(''),
    port: z.int().min(1).max(65_535).default(587),
    /** starttls: the connection is turned into TLS before anything is said, or given up; tls: TLS from the first byte. */
    security: z.enum(['starttls', 'tls', 'none']).default('starttls'),
    /** PEM file of authorities that are believed beside those that come with Node. */
    authorities: z.string().default(''),
    user: z.string().max(256).default(''),
    /** File whose first line is the password. */
    passwordFile: z.string().default(''),
    /** Whom e-mail comes from. */
    from: z.union([z.email(), z.literal('')], 'must be an e-mail address').default(''),
  })
  .prefault({});

export type MailOptions = z.infer<typeof mailOptions>;
