import { z } from 'zod';
import type { Admission } from './admission/admission.ts';
import { jsonOf } from './json-of.ts';

const asked = z.strictObject({ numbers: z.array(z.string().regex(/^\+?[0-9*#]{1,40}$/)).max(20_000) });

/** The command `reserve`: the app says to which numbers calls go before all others. The tokens of the reply. */
export function reserve(admission: Admission, app: object, message: Buffer | undefined): string {
  const parsed = asked.safeParse(jsonOf(message));
  if (!parsed.success) return 'NOK|reserve wants {"numbers":["7011"]} on the next line';
  admission.reserve(app, parsed.data.numbers);
  return `OK|reserved|${parsed.data.numbers.length}`;
}
