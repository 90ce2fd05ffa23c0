export * from './model.ts';
export { simulate } from './simulate.ts';
export { tellStory } from './tell-story.ts';
export { tellSimulation } from './tell.ts';
