import { type CompiledPlan, type Verb, waysOn } from '../dialplan/index.ts';
import { never } from '../never.ts';
import type { CompiledRoster, ServiceId, Urgency } from '../oncall/index.ts';
import { type Instant, plusMs, type Span } from '../time/index.ts';
import { aCaller, type Findings, type FoundFault, isAlwaysThere, isClaimed } from './findings.ts';
import { type CounterExample, patienceMs } from './model.ts';
import { hoursPieces } from './pieces.ts';

/**
 * The plan as a graph: from every number that can be dialled, by every way that a call can take from there. What phones
 * do is left open, so that a ring has two ways on: answered, which is a human, or not, after up to its whole time.
 */

export interface Terrain {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly span: Span;
  /** Hours are cut once, however many entries ask for them. */
  readonly hours: Map<string, ReturnType<typeof hoursPieces>>;
}

/** One number, dialled from one side. */
export interface Entry {
  readonly to: string;
  readonly side: 'inside' | 'trunk';
  readonly verb: Verb;
  readonly place: string;
}

/** How a call has come to a place. */
interface Way {
  readonly entry: Entry;
  readonly keys: readonly string[];
  readonly path: readonly string[];
  /** At most so long since the call arrived. */
  readonly laterMs: number;
  /** So long since the call arrived, when nobody answers and the caller presses each key at once. */
  readonly playedMs: number;
  /** When something opened or closed on the way: `playedMs` by then. */
  readonly turnedMs: number | null;
  /** At most so long since the caller's last key. */
  readonly waitedMs: number;
  /** Whether a human who is always there was rung on the way. */
  readonly isStaffed: boolean;
  /** Whether what the caller chose leads to a chain. */
  readonly isClinical: boolean;
  /** Places since the last key. */
  readonly seen: readonly string[];
}

/** A chain that a call comes to, and when. */
export interface ChainUse {
  readonly service: ServiceId;
  readonly urgency: Urgency;
  readonly spans: readonly Span[];
  readonly entry: Entry;
  readonly keys: readonly string[];
  readonly path: readonly string[];
  readonly laterMs: number;
  readonly playedMs: number;
  readonly turnedMs: number | null;
}

export function entriesOf({ source }: CompiledPlan): readonly Entry[] {
  return source.routes.flatMap(({ number, from, to }) => {
    const sides = from === 'anywhere' ? (['inside', 'trunk'] as const) : [from];
    return sides.map((side): Entry => ({ to: number, side, verb: to, place: `routes.${number}` }));
  });
}

/** Whether a call could come to a chain from here. */
export function leadsToChain(verb: Verb, plan: CompiledPlan, flows = new Map<string, boolean>()): boolean {
  if (verb.verb === 'escalate' || verb.verb === 'askUrgency') return true;
  if (verb.verb === 'run') {
    const known = flows.get(verb.flow);
    if (known !== undefined) return known;
    // Until it is known: a flow that leads back here adds nothing.
    flows.set(verb.flow, false);
    const flow = plan.flow(verb.flow);
    const leads = flow !== undefined && leadsToChain(flow, plan, flows);
    flows.set(verb.flow, leads);
    return leads;
  }
  return waysOn(verb, '').some((way) => leadsToChain(way.verb, plan, flows));
}

/** Everything that can happen to a call that comes in here, at any instant of the span. */
export function exploreEntry(terrain: Terrain, entry: Entry, findings: Findings, uses: ChainUse[]): boolean {
  const { plan } = terrain;
  const isClinical = leadsToChain(entry.verb, plan);
  const states = openingStates(terrain, entry.verb);
  for (const state of states.values()) {
    const way: Way = {
      entry,
      keys: [],
      path: [],
      laterMs: 0,
      playedMs: 0,
      turnedMs: null,
      waitedMs: 0,
      isStaffed: false,
      isClinical,
      seen: [],
    };
    new Walk(terrain, states, findings, uses).go(entry.verb, entry.place, way, state);
  }
  return isClinical;
}

/** Which opening hours are open, and when that is so. */
interface OpeningState {
  readonly open: ReadonlySet<string>;
  readonly spans: Span[];
  /** What it passes to when something opens or closes. */
  readonly next: Set<string>;
}

function openingStates(terrain: Terrain, verb: Verb): Map<string, OpeningState> {
  const ids = [...hoursIn(verb, terrain.plan)].sort();
  const cuts = new Set<Instant>([terrain.span.from]);
  const pieces = ids.map((id) => {
    const known = terrain.hours.get(id) ?? hoursPieces(terrain.plan, id, terrain.span);
    terrain.hours.set(id, known);
    for (const { from } of known) cuts.add(from);
    return { id, known };
  });
  const states = new Map<string, OpeningState>();
  const moments = [...cuts].sort((a, b) => a - b);
  let before: OpeningState | null = null;
  for (const [i, from] of moments.entries()) {
    const open = pieces.filter(({ known }) => known.some((one) => one.isOpen && one.from <= from && from < one.to));
    const name = open.map(({ id }) => id).join(' ');
    const state: OpeningState = states.get(name) ?? {
      open: new Set(open.map(({ id }) => id)),
      spans: [],
      next: new Set(),
    };
    state.spans.push({ from, to: moments[i + 1] ?? terrain.span.to });
    states.set(name, state);
    before?.next.add(name);
    before = state;
  }
  return states;
}

function hoursIn(verb: Verb, plan: CompiledPlan, found = new Set<string>(), flows = new Set<string>()): Set<string> {
  if (verb.verb === 'hours') found.add(verb.hours);
  if (verb.verb === 'run') {
    const flow = plan.flow(verb.flow);
    if (flow === undefined || flows.has(verb.flow)) return found;
    flows.add(verb.flow);
    return hoursIn(flow, plan, found, flows);
  }
  for (const way of waysOn(verb, '')) hoursIn(way.verb, plan, found, flows);
  return found;
}

/** Walks all ways from one place. A place that was come to before in no worse a state is not walked again. */
class Walk {
  readonly #terrain: Terrain;
  readonly #states: ReadonlyMap<string, OpeningState>;
  readonly #findings: Findings;
  readonly #uses: ChainUse[];
  readonly #been = new Map<string, number>();

  constructor(terrain: Terrain, states: ReadonlyMap<string, OpeningState>, findings: Findings, uses: ChainUse[]) {
    this.#terrain = terrain;
    this.#states = states;
    this.#findings = findings;
    this.#uses = uses;
  }

  go(verb: Verb, place: string, before: Way, state: OpeningState): void {
    const way: Way = { ...before, path: [...before.path, place], seen: [...before.seen, place] };
    if (before.seen.includes(place)) return this.#loop(place, way, state);
    const been = [place, [...state.open].join(' '), way.isStaffed, way.isClinical].join('|');
    if ((this.#been.get(been) ?? -1) >= way.waitedMs) return;
    this.#been.set(been, way.waitedMs);
    this.#verb(verb, place, way, state);
  }

  #verb(verb: Verb, place: string, way: Way, state: OpeningState): void {
    const { plan } = this.#terrain;
    switch (verb.verb) {
      case 'run':
        return this.go(flowOf(plan, verb.flow), `flows.${verb.flow}`, way, state);
      case 'hours':
        return this.#hours(verb, place, way, state);
      case 'ring':
        return this.#ring(verb, verb.extension, place, way, state);
      case 'operator':
        return this.#ring(verb, plan.source.operator, place, way, state);
      case 'escalate':
        return this.#chain(verb.service, verb.urgency, place, way, state);
      case 'askUrgency':
        return this.#askUrgency(verb, place, way, state);
      case 'menu':
        return this.#menu(verb, place, way, state);
      case 'voicemail':
        return this.#message(verb, place, way, state);
      case 'refuse':
        return this.#over('it is refused', place, way, state);
      default:
        return never(verb);
    }
  }

  /** What is open may change while the call waits. */
  #hours(verb: Extract<Verb, { verb: 'hours' }>, place: string, way: Way, state: OpeningState): void {
    const soon = way.laterMs === 0 ? [] : [...state.next].flatMap((name) => this.#states.get(name) ?? []);
    for (const possible of [state, ...soon]) {
      const turnedMs = possible === state ? way.turnedMs : way.playedMs;
      if (possible.open.has(verb.hours)) this.go(verb.open, `${place}.open`, { ...way, turnedMs }, possible);
      else this.go(verb.closed, `${place}.closed`, { ...way, turnedMs }, possible);
    }
  }

  #ring(
    verb: { readonly forMs: number; readonly otherwise: Verb | null },
    extension: string,
    place: string,
    way: Way,
    state: OpeningState,
  ): void {
    const isStaffed = way.isStaffed || isAlwaysThere(this.#terrain.plan, this.#terrain.roster, extension);
    if (isStaffed && !way.isStaffed) this.#inTime(place, way, state);
    const after = later({ ...way, isStaffed }, verb.forMs);
    if (verb.otherwise) return this.go(verb.otherwise, `${place}.otherwise`, after, state);
    this.#over(`${extension} does not answer, and nothing is said about what then`, place, after, state);
  }

  #chain(service: ServiceId, urgency: Urgency, place: string, way: Way, { spans }: OpeningState): void {
    const { entry, keys, path, laterMs, playedMs, turnedMs } = way;
    this.#inTime(place, way, { spans });
    this.#uses.push({ service, urgency, spans, entry, keys, path, laterMs, playedMs, turnedMs });
  }

  #askUrgency(verb: Extract<Verb, { verb: 'askUrgency' }>, place: string, way: Way, state: OpeningState): void {
    for (const [key, urgency] of Object.entries(verb.keys)) {
      this.#chain(verb.service, urgency, `${place}.keys.${key}`, chosen(way, key, true, 0), state);
    }
    const silent = later({ ...way, keys: [...way.keys, ''] }, verb.noKeyMs);
    this.#chain(verb.service, verb.noKey, `${place}.keys.none`, silent, state);
  }

  #menu(verb: Extract<Verb, { verb: 'menu' }>, place: string, way: Way, state: OpeningState): void {
    const patience = verb.noKeyMs * verb.tries;
    for (const [key, to] of Object.entries(verb.keys)) {
      const isClinical = leadsToChain(to, this.#terrain.plan);
      this.go(to, `${place}.keys.${key}`, chosen(way, key, isClinical, patience), state);
    }
    const silent = { ...way, keys: [...way.keys, ...Array.from({ length: verb.tries }, () => '')] };
    this.go(verb.otherwise, `${place}.otherwise`, later(silent, patience), state);
  }

  #message({ mailbox }: Extract<Verb, { verb: 'voicemail' }>, place: string, way: Way, state: OpeningState): void {
    if (!way.isClinical || way.isStaffed) return;
    if (isClaimed(this.#terrain.plan, mailbox)) return this.#inTime(place, way, state);
    this.#add(way, state, {
      kind: 'noStaffedLastResort',
      document: 'plan',
      path: `mailboxes.${mailbox}`,
      on: 'key',
      reason: `a clinical call can end in the mailbox ${mailbox}, and nobody is said to listen to it`,
      remedy: 'add claimed-by: and the extension of whoever does, or ring the operator before',
    });
  }

  #over(how: string, place: string, way: Way, state: OpeningState): void {
    if (!way.isClinical || way.isStaffed) return;
    this.#add(way, state, {
      kind: 'deadEnd',
      document: 'plan',
      path: place,
      on: 'value',
      reason: `a clinical call can end here without a human: ${how}`,
      remedy: 'let it go on to the operator, to a chain, or to a mailbox that somebody listens to',
    });
  }

  #inTime(place: string, way: Way, state: Pick<OpeningState, 'spans'>): void {
    if (!way.isClinical || way.isStaffed || way.waitedMs <= patienceMs) return;
    this.#add(way, state, {
      kind: 'tooLate',
      document: 'plan',
      path: place,
      on: 'value',
      reason: `a caller can wait ${way.waitedMs / 1000} s before it comes to this; ${patienceMs / 1000} s are allowed`,
      remedy: 'shorten what comes before: ring shorter, or ask less often',
    });
  }

  #loop(place: string, way: Way, state: OpeningState): void {
    const round = way.path.slice(way.path.indexOf(place)).join(' -> ');
    this.#add(way, state, {
      kind: 'loop',
      document: 'plan',
      path: place,
      on: 'value',
      reason: `a call comes back here, and nobody has pressed a key: ${round}`,
      remedy: 'let one of them end at a person or a mailbox',
    });
  }

  #add(way: Way, { spans }: Pick<OpeningState, 'spans'>, fault: FoundFault): void {
    const at = arrivalFor(way, spans);
    this.#findings.add(fault, exampleOf(this.#terrain, way, at), spans.length);
  }
}

/** When to dial to come to a place in one of these spans. */
export function arrivalFor(
  { playedMs, turnedMs }: Pick<ChainUse, 'playedMs' | 'turnedMs'>,
  spans: readonly Span[],
): Instant {
  // Where something opens or closes on the way, the call comes by at that very instant.
  if (turnedMs !== null) return plusMs((spans[1] ?? spans[0]!).from, -turnedMs);
  const { from, to } = spans[0]!;
  return from + playedMs < to ? from : plusMs(from, -playedMs);
}

export function exampleOf(
  { plan }: Terrain,
  { entry, keys, path }: Pick<ChainUse, 'entry' | 'keys' | 'path'>,
  at: Instant,
): CounterExample {
  const from = entry.side === 'trunk' ? null : aCaller(plan, (extension) => extension === entry.to);
  const about = { service: null, step: null, limitMs: patienceMs };
  return { from, to: entry.to, at, keys, unregistered: [], machines: [], path, about };
}

function later(way: Way, ms: number): Way {
  return { ...way, laterMs: way.laterMs + ms, playedMs: way.playedMs + ms, waitedMs: way.waitedMs + ms };
}

function chosen(way: Way, key: string, isClinical: boolean, patience: number): Way {
  const laterMs = way.laterMs + patience;
  return { ...way, keys: [...way.keys, key], isClinical, laterMs, waitedMs: 0, isStaffed: false, seen: [] };
}

function flowOf(plan: CompiledPlan, flow: string): Verb {
  const found = plan.flow(flow);
  if (found === undefined) throw new RangeError(`the plan was compiled without flow ${flow}`);
  return found;
}

export function atLatest({ spans, laterMs }: Pick<ChainUse, 'spans' | 'laterMs'>): readonly Span[] {
  return spans.map(({ from, to }) => ({ from, to: plusMs(to, laterMs) }));
}
