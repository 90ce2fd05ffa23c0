export * from './compile-plan.ts';
export * from './model.ts';
export * from './resolve.ts';
export { waysOn } from './verbs/index.ts';
