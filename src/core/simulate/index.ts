export * from './model.ts';
export { type Documents, replay, type Replayed } from './replay.ts';
export { type RecordedFact, retrace } from './retrace.ts';
export { simulate } from './simulate.ts';
export { answeringMs } from './supposed-world.ts';
export { type KeyPress, tellStory } from './tell-story.ts';
export { tellSimulation } from './tell.ts';
