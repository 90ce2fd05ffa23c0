import { z } from 'zod';
import { planFile } from './schema/plan-file.ts';
import { rosterFile } from './schema/roster-file.ts';

/** JSON schemas of both kinds of document, with which editors complete and check while one types. */
export function documentSchemas(): { readonly plan: object; readonly roster: object } {
  return { plan: z.toJSONSchema(planFile, { io: 'input' }), roster: z.toJSONSchema(rosterFile, { io: 'input' }) };
}
