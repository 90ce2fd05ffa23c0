import { checkName, next, type VerbRules } from './rules.ts';

/**
 * Waits for the next free of several people. Calls cannot wait in a queue yet: `compilePlan` refuses a plan in which a
 * call could reach one.
 */
export const queue: VerbRules<'queue'> = {
  check(verb, at, names, problems) {
    checkName('queue', verb.queue, names.queues, `${at}.queue`, problems);
  },
  ways: (verb, at) => [next('otherwise', verb.otherwise, at)],
  says: (verb, plan) => `wait in the queue ${plan.queue(verb.queue).name}`,
  brief: ({ queue }) => `queue ${queue}`,
};
