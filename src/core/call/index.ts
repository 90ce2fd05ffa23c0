export { type AdoptedState, stepAdopted } from './adopted.ts';
export { arrivedFact, type Arrival } from './arrived.ts';
export { expectedCall, stepCall } from './call.machine.ts';
export * from './effects.ts';
export * from './end-causes.ts';
export * from './errand.ts';
export * from './events.ts';
export * from './world.ts';
export type { CallState } from './state.ts';
