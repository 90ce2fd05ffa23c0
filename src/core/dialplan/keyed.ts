import type { CompiledPlan } from './model.ts';
import { KEYED, type Verb } from './verb.ts';
import { exampleOf } from './patterns/index.ts';

type Gather = Extract<Verb, { verb: 'gather' }>;

/** Where the digits lead that a caller keyed; null when that is nowhere and they have to be asked for again. */
export function whereKeyed(
  plan: CompiledPlan,
  gather: Gather,
  digits: string,
  site: string,
): { readonly verb: Verb; readonly pattern: string } | null {
  const pattern = digits === '' ? undefined : plan.matchKeyed(gather, digits);
  if (pattern === undefined) return null;
  const verb = gather.digits[pattern]!;
  if (verb.verb === 'ring' && verb.extension === KEYED) {
    return plan.extension(digits) === undefined ? null : { verb: { ...verb, extension: digits }, pattern };
  }
  if (verb.verb === 'transfer' && verb.number === KEYED) {
    const isRouted = plan.route(digits, 'inside', site) !== undefined;
    return isRouted ? { verb: { ...verb, number: digits }, pattern } : null;
  }
  return { verb, pattern };
}

/** Digits that lead somewhere, one example for each pattern that any lead somewhere for. */
export function examplesKeyed(
  plan: CompiledPlan,
  gather: Gather,
  site: string,
): readonly { readonly pattern: string; readonly digits: string }[] {
  const candidates = [
    ...plan.source.extensions.map(({ number }) => number),
    ...plan.source.routes.map(({ number }) => number),
    ...Object.keys(gather.digits).map(exampleOf),
  ];
  const found = new Map<string, string>();
  for (const digits of candidates) {
    if (digits.length > gather.maxDigits) continue;
    const pattern = whereKeyed(plan, gather, digits, site)?.pattern;
    if (pattern !== undefined && !found.has(pattern)) found.set(pattern, digits);
  }
  return [...found].map(([pattern, digits]) => ({ pattern, digits }));
}
