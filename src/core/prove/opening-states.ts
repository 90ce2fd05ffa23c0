import type { CompiledPlan, Verb } from '../dialplan/index.ts';
import type { Instant, Span } from '../time/index.ts';
import { type HoursPiece, hoursPieces } from './pieces.ts';
import { verbsBehind } from './reach.ts';

/** Which opening hours are open together, and when that is so. */
export interface OpeningState {
  readonly name: string;
  readonly open: ReadonlySet<string>;
  readonly spans: Span[];
  /** What it passes to when something opens or closes, by name, and when. */
  readonly next: Map<string, Instant[]>;
}

/** All states of the opening hours that a call could ask for behind this verb, by name. */
export function openingStates(
  { plan, span, hours }: { plan: CompiledPlan; span: Span; hours: Map<string, readonly HoursPiece[]> },
  verb: Verb,
  site: string,
): ReadonlyMap<string, OpeningState> {
  const cuts = new Set<Instant>([span.from]);
  const all = [...hoursBehind(verb, plan, site)].sort().map((id) => {
    const pieces = hours.get(id) ?? hoursPieces(plan, id, span);
    hours.set(id, pieces);
    for (const { from } of pieces) cuts.add(from);
    return { id, pieces, next: 0 };
  });
  const states = new Map<string, OpeningState>();
  const moments = [...cuts].sort((a, b) => a - b);
  let before: OpeningState | null = null;
  for (const [i, from] of moments.entries()) {
    const open: string[] = [];
    for (const one of all) {
      while (one.pieces[one.next]!.to <= from) one.next += 1;
      if (one.pieces[one.next]!.isOpen) open.push(one.id);
    }
    const name = open.join(' ');
    const state: OpeningState = states.get(name) ?? { name, open: new Set(open), spans: [], next: new Map() };
    state.spans.push({ from, to: moments[i + 1] ?? span.to });
    states.set(name, state);
    before?.next.set(name, [...(before.next.get(name) ?? []), from]);
    before = state;
  }
  return states;
}

function hoursBehind(verb: Verb, plan: CompiledPlan, site: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const behind of verbsBehind(verb, plan, site)) {
    if (behind.verb === 'hours') found.add(behind.hours);
    if (behind.verb === 'choose' && behind.by === 'hours') for (const id of Object.keys(behind.cases)) found.add(id);
  }
  return found;
}
