export * from './model.ts';
export { prove, proving } from './prove.ts';
export { isShown, tellExample } from './replay-example.ts';
