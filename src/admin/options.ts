import { z } from 'zod';

export const adminSchema = z.strictObject({
  /** Address and TCP port, "127.0.0.1:8080" or "[::1]:8080". Only loopback until there are TLS and sign-in. */
  listen: z
    .string()
    .regex(/^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/, 'must read address:port, such as 127.0.0.1:8080')
    .default('127.0.0.1:8080'),
  /** Where a proxy with TLS passes /calendars/ on to `listen`, "https://oncall.example.org"; '' without one. */
  publicUrl: z
    .union([z.literal(''), z.url({ protocol: /^https$/ })], 'must read like https://oncall.example.org')
    .default(''),
});

export type AdminOptions = z.infer<typeof adminSchema>;
