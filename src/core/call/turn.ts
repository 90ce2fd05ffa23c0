import type { CallFact } from '../audit/facts.ts';
import type { CallEffect } from './effects.ts';
import type { LegId } from './events.ts';

/**
 * What one step collects while it decides. It lives for one call of `step` and is nobody's state; facts and acts are
 * kept apart so that every step attests first and acts afterwards, whatever order it decided in.
 */
export interface Turn {
  readonly facts: CallFact[];
  readonly acts: Exclude<CallEffect, { type: 'attest' }>[];
  nextLeg: number;
  nextToken: number;
}

export function newTurn(counters: { readonly nextLeg: number; readonly nextToken: number }): Turn {
  return { facts: [], acts: [], nextLeg: counters.nextLeg, nextToken: counters.nextToken };
}

export function attest(turn: Turn, ...facts: CallFact[]): void {
  turn.facts.push(...facts);
}

export function act(turn: Turn, ...acts: Exclude<CallEffect, { type: 'attest' }>[]): void {
  turn.acts.push(...acts);
}

export function newLeg(turn: Turn): LegId {
  const leg = String(turn.nextLeg) as LegId;
  turn.nextLeg += 1;
  return leg;
}

/** Names one `play` or `gather`; an outcome with another token belongs to something that was replaced. */
export function newToken(turn: Turn): number {
  const token = turn.nextToken;
  turn.nextToken += 1;
  return token;
}

export function effectsOf(turn: Turn): readonly CallEffect[] {
  return [...turn.facts.map((fact) => ({ type: 'attest', fact }) as const), ...turn.acts];
}
