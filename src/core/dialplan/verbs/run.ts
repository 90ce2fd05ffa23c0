import type { CompiledPlan } from '../model.ts';
import type { Verb } from '../verb.ts';
import { checkName, type Placed, type VerbOf, type VerbRules } from './rules.ts';

/** Continues with a named flow. */
export const run: VerbRules<'run'> = {
  check(verb, at, names, problems) {
    checkName('flow', verb.flow, names.flows, `${at}.run`, problems);
  },
  // The flow is checked where it is defined; `findLoops` follows it.
  ways: () => [],
  says: (verb) => `continue with the flow ${verb.flow}`,
  brief: ({ flow }) => `flow ${flow}`,
};

export function byFlow(verb: VerbOf<'run'>, plan: CompiledPlan): Placed {
  const flow: Verb | undefined = plan.flow(verb.flow);
  if (!flow) throw new RangeError(`the plan was compiled without flow ${verb.flow}`);
  return { verb: flow, at: `flows.${verb.flow}` };
}
