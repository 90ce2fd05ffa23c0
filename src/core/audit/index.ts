export * from './canonical.ts';
export * from './chain.ts';
export * from './facts.ts';
export { explain } from './explain.ts';
export { ladder, type Rung } from './ladder.ts';
export { type Names, type Revealed, sentence } from './sentence.ts';
export { type BreachCause, type Reach, TimeToHuman } from './time-to-human.ts';
export { factsReference } from './vocabulary.ts';
export { ANY_CALL, numberTerm, termsOf } from './terms.ts';
