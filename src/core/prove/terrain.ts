import type { CompiledPlan } from '../dialplan/index.ts';
import type { CompiledRoster } from '../oncall/index.ts';
import type { Span } from '../time/index.ts';
import type { HoursPiece } from './pieces.ts';

/** What is explored. */
export interface Terrain {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly span: Span;
  /** Hours are cut once, however many entries ask for them. */
  readonly hours: Map<string, readonly HoursPiece[]>;
}
