import { z } from 'zod';

export const adminSchema = z.strictObject({
  /** Address of the admin server. Only loopback until it has TLS and a second factor. */
  host: z.string().min(1).default('127.0.0.1'),
  /** TCP port of the admin server. */
  port: z.int().min(0).max(65_535).default(8080),
});

export type AdminOptions = z.infer<typeof adminSchema>;

/** 127.0.0.0/8 and ::1. A name is not looked up: what it means can change after the check. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
