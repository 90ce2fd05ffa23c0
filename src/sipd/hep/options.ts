import { isIP } from 'node:net';
import { z } from 'zod';

/** Of "192.0.2.20:9060" or "[2001:db8::1]:9060". */
export function placeOf(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, bracketed = '', digits] = /^(\[[\da-fA-F:.]+\]|[\d.]+):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed.replaceAll(/[[\]]/g, '');
  const port = Number(digits);
  return isIP(host) === 0 || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** A copy of the signalling for Homer, or another program that takes HEP3. */
export const sipdHep = z.strictObject({
  to: z
    .string()
    .refine((text) => text === '' || placeOf(text) !== undefined, 'must read address:port, such as 192.0.2.20:9060')
    .default('')
    .describe(
      'Where Homer takes HEP3 by UDP, `address:port`. Empty: no copies are sent. Copies cross the network in clear, so it must be one that only ' +
        'you and Homer see.',
    ),
  inClear: z
    .boolean()
    .default(false)
    .describe(
      'What a copy holds. `false`: what `wardline call ladder` shows, so numbers of more than five digits keep two, and names, passwords, digests, ' +
        'keys of media and texts are left out. `true`: the message as it was, with names and numbers of callers (those of patients), ' +
        'credentials and keys; Homer then keeps patients’ data on its disk.',
    ),
  node: z
    .int()
    .min(1)
    .max(4_294_967_295)
    .default(2_001)
    .describe('The number by which Homer tells this sipd from others.'),
});

export type SipdHep = z.output<typeof sipdHep>;
