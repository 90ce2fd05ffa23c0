import { type Problem, Problems } from '../oncall/index.ts';
import { inOneGo } from '../steps/index.ts';
import { checkAgreement, checkPlan } from './check-plan.ts';
import { findLoops } from './find-loops.ts';
import { indexingPlan } from './index-plan.ts';
import { namesOf } from './known-names.ts';
import { setsMade } from './make-set.ts';
import type { CompiledPlan, PlanSource } from './model.ts';
import type { PatternTables } from './patterns/index.ts';
import { checkReachable } from './reach.ts';
import { checkRouteNumbers, layingRoutes } from './route-table.ts';
import type { KnownNames } from './verbs/index.ts';

export type CompiledOrRefused =
  | { readonly kind: 'compiled'; readonly plan: CompiledPlan }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

/**
 * Checks every name, number and time in a plan, also where roster and plan must agree, and indexes it.
 * `prompts` are the ids that can be played. `keep` is given the tables of its patterns, with which `layingPlan` lays
 * the same plan out elsewhere.
 */
export function compilePlan(
  source: PlanSource,
  roster: KnownNames['roster'],
  prompts: ReadonlySet<string>,
  keep?: (tables: PatternTables) => void,
): CompiledOrRefused {
  const problems = new Problems('plan');
  checkRouteNumbers(source.routes, problems);
  // With numbers that cannot be told apart nobody can say where one leads.
  const makeSet = setsMade(keep);
  const routes = problems.found().length > 0 ? null : inOneGo(layingRoutes(source.routes, makeSet));
  const names = namesOf(source, roster, prompts, routes);
  checkPlan(source, names, problems);
  findLoops(source, routes, problems);
  if (routes !== null && problems.found().length === 0) checkReachable(source, routes, problems);
  const found = [...problems.found(), ...checkAgreement(names)];
  if (found.length > 0 || routes === null) return { kind: 'refused', problems: found };
  return { kind: 'compiled', plan: inOneGo(indexingPlan(source, routes, { makeSet, roster })) };
}
