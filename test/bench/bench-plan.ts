import type { PlanSource, Route } from '../../src/core/dialplan/index.ts';

/** A plan with an operator, a mailbox and these routes. */
export function benchPlan(version: string, zone: string, routes: readonly Route[]): PlanSource {
  return {
    version,
    site: 'Bench',
    zone,
    country: 'US',
    operator: '1000',
    trunk: 'carrier',
    mainNumber: '+12025550100',
    extensions: [{ number: '1000', name: 'Operator', kind: 'post', nameId: '' }],
    mailboxes: [{ id: 'office', name: 'Office' }],
    routes,
    flows: {},
    hours: [],
  };
}
