export * from './canonical.ts';
export * from './chain.ts';
export * from './facts.ts';
export { explain } from './explain.ts';
export { ladder, type Rung } from './ladder.ts';
export { type Names, type Revealed, sentence } from './sentence.ts';
