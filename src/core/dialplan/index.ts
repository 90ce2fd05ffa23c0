export * from './compile-plan.ts';
export { examplesKeyed, whereKeyed } from './keyed.ts';
export * from './model.ts';
export { trunksOf } from './known-names.ts';
export { placeOfRoute } from './place-of-route.ts';
export * from './resolve.ts';
export { exampleOf } from './patterns/index.ts';
export { brief, byCase, waysOn, type Way } from './verbs/index.ts';
export type { Translation } from './translate.ts';
