export * from './model.ts';
export { simulate } from './simulate.ts';
export { tellSimulation } from './tell.ts';
