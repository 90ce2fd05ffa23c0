export { startEscalation, stepEscalation } from './escalation.machine.ts';
export { standDownAll } from './legs.ts';
export type { Escalation, EscalationLeg, Situation } from './model.ts';
export { type Candidate, type Candidates, whoToRing } from './who-to-ring.ts';
