import {
  byCase,
  type CompiledPlan,
  examplesKeyed,
  HOME,
  placeOfRoute,
  type Verb,
  whereKeyed,
} from '../dialplan/index.ts';
import { never } from '../never.ts';
import type { CompiledRoster, ServiceId, Urgency } from '../oncall/index.ts';
import { answeringMs, type KeyPress } from '../simulate/index.ts';
import { type Instant, plusMs, type Span } from '../time/index.ts';
import type { Caller, Entry } from './entries.ts';
import { aCaller, type Findings, type FoundFault, isAlwaysThere, isClaimed } from './findings.ts';
import { type CounterExample, patienceMs } from './model.ts';
import { type OpeningState, openingStates } from './opening-states.ts';
import type { HoursPiece } from './pieces.ts';
import { leadsToChain } from './reach.ts';

/**
 * The plan as a graph: from every number that can be dialled, by every way that a call can take from there. What phones
 * do is left open, so that a ring has two ways on: answered, which is a human, or not, after up to its whole time.
 */

export interface Terrain {
  readonly plan: CompiledPlan;
  readonly roster: CompiledRoster;
  readonly span: Span;
  /** Hours are cut once, however many entries ask for them. */
  readonly hours: Map<string, readonly HoursPiece[]>;
}

/** How a call has come to a place. */
interface Way {
  readonly entry: Entry;
  readonly caller: Caller;
  readonly keys: readonly KeyPress[];
  readonly path: readonly string[];
  /** At most so long since the call arrived. */
  readonly laterMs: number;
  /** So long since the call arrived, when nobody answers and the caller presses each key at once. */
  readonly playedMs: number;
  /** `laterMs` when opening hours were last asked for, or of the arrival: what takes no time happens at one instant. */
  readonly readMs: number;
  readonly readPlayedMs: number;
  /** Instants at which something opened or closed on the way, one as good as the other, and `playedMs` by then. */
  readonly turn: { readonly at: readonly Instant[]; readonly playedMs: number } | null;
  /** At most so long since the caller's last key. */
  readonly waitedMs: number;
  /** Whether a human who is always there was rung on the way. */
  readonly isStaffed: boolean;
  /** Whether what the caller chose leads to a chain. */
  readonly isClinical: boolean;
  readonly answers: CounterExample['answers'];
  /** Extensions that were rung. */
  readonly rung: readonly string[];
  /** Places since the last key. */
  readonly seen: readonly string[];
  readonly site: string;
  readonly urgency: Urgency | null;
}

/** A chain that a call comes to, and when. */
export interface ChainUse
  extends Pick<
    Way,
    | 'entry'
    | 'caller'
    | 'keys'
    | 'answers'
    | 'rung'
    | 'path'
    | 'laterMs'
    | 'playedMs'
    | 'readPlayedMs'
    | 'turn'
    | 'isStaffed'
  > {
  readonly service: ServiceId;
  readonly urgency: Urgency;
  readonly spans: readonly Span[];
}

/** Everything that can happen to a call that comes in here, at any instant of the span. */
export function exploreEntry(
  terrain: Terrain,
  entry: Entry,
  caller: Caller,
  findings: Findings,
  uses: ChainUse[],
): boolean {
  const { plan } = terrain;
  const site = entry.site ?? caller.site;
  const isClinical = leadsToChain(entry.verb, plan, site);
  const states = openingStates(terrain, entry.verb, site);
  for (const state of states.values()) {
    const way: Way = {
      entry,
      caller,
      keys: [],
      path: [],
      laterMs: 0,
      playedMs: 0,
      readMs: 0,
      readPlayedMs: 0,
      turn: null,
      waitedMs: 0,
      isStaffed: false,
      isClinical,
      answers: [],
      rung: [],
      seen: [],
      site,
      urgency: null,
    };
    new Walk(terrain, states, findings, uses).go(entry.verb, entry.place, way, state);
  }
  return isClinical;
}

type VerbOf<V extends Verb['verb']> = Extract<Verb, { readonly verb: V }>;

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
    const { isStaffed, isClinical, site, urgency, waitedMs } = way;
    const been = [place, state.name, isStaffed, isClinical, site, urgency].join('|');
    if ((this.#been.get(been) ?? -1) >= waitedMs) return;
    this.#been.set(been, waitedMs);
    this.#verb(verb, place, way, state);
  }

  #verb(verb: Verb, place: string, way: Way, state: OpeningState): void {
    const { plan } = this.#terrain;
    switch (verb.verb) {
      case 'run':
        return this.go(flowOf(plan, verb.flow), `flows.${verb.flow}`, way, state);
      case 'hours':
        return this.#opening(way, state, (now, turned) => {
          const isOpen = now.open.has(verb.hours);
          this.go(isOpen ? verb.open : verb.closed, `${place}.${isOpen ? 'open' : 'closed'}`, turned, now);
        });
      case 'choose':
        return this.#choose(verb, place, way, state);
      case 'setUrgency':
        return this.go(verb.then, `${place}.then`, { ...way, urgency: verb.urgency }, state);
      case 'transfer':
        return this.#transfer(verb, place, way, state);
      case 'ring':
        return this.#ring(verb, [verb.extension], () => verb.forMs, place, way, state);
      case 'operator':
        return this.#ring(verb, [plan.site(verb.site ?? HOME).operator], () => verb.forMs, place, way, state);
      case 'ringGroup': {
        const { members, order, forMs } = plan.group(verb.group);
        const lasts = (phones: number): number => (order === 'all' ? forMs : forMs * phones);
        return this.#ring(verb, members, lasts, place, way, state);
      }
      case 'forward':
        return this.#forward(verb, place, way, state);
      case 'queue':
        // No call can come to one: the compiler refuses it.
        return this.go(verb.otherwise, `${place}.otherwise`, way, state);
      case 'escalate':
        return this.#chain(verb.service, verb.urgency, place, way, state);
      case 'askUrgency':
        return this.#askUrgency(verb, place, way, state);
      case 'menu':
        return this.#menu(verb, place, way, state);
      case 'gather':
        return this.#gather(verb, place, way, state);
      case 'play':
      case 'say':
        return this.go(verb.then, `${place}.then`, way, state);
      case 'lookup':
        return this.#lookUp(verb, place, way, state);
      case 'voicemail':
        return this.#message(verb, place, way, state);
      case 'hangUp':
        return this.#over('it is hung up', place, way, state);
      case 'refuse':
        return this.#over('it is refused', place, way, state);
      default:
        return never(verb);
    }
  }

  /** What is open may change while the call waits. */
  #opening(way: Way, state: OpeningState, go: (now: OpeningState, turned: Way) => void): void {
    const read: Way = { ...way, readMs: way.laterMs, readPlayedMs: way.playedMs };
    go(state, read);
    if (way.laterMs === way.readMs) return;
    for (const [name, at] of state.next) {
      const next = this.#states.get(name);
      const possible = turnsAfter(way, at);
      if (next && next !== state && possible.length > 0) go(next, turned(read, possible, way.readPlayedMs));
    }
  }

  #choose(verb: VerbOf<'choose'>, place: string, way: Way, state: OpeningState): void {
    if (verb.by === 'hours') {
      return this.#opening(way, state, (now, turned) => {
        const name = Object.keys(verb.cases).find((one) => now.open.has(one));
        if (name === undefined) this.go(verb.otherwise, `${place}.otherwise`, turned, now);
        else this.go(verb.cases[name]!, `${place}.cases.${name}`, turned, now);
      });
    }
    const { plan, span } = this.#terrain;
    const { site, urgency, caller } = way;
    const chosen = byCase(verb, place, plan, { ...caller.about, at: span.from, site, urgency });
    this.go(chosen.verb, chosen.at, way, state);
  }

  #transfer({ number }: VerbOf<'transfer'>, place: string, way: Way, state: OpeningState): void {
    const route = this.#terrain.plan.route(number, 'inside', way.site);
    if (route === undefined) return this.#over('no number is meant', place, way, state);
    this.go(route.to, placeOfRoute(route), way, state);
  }

  /** `lastsMs`: how long so many phones ring. */
  #ring(
    verb: { readonly otherwise: Verb | null },
    extensions: readonly string[],
    lastsMs: (phones: number) => number,
    place: string,
    way: Way,
    state: OpeningState,
  ): void {
    const { plan, roster } = this.#terrain;
    const isStaffed = way.isStaffed || extensions.some((extension) => isAlwaysThere(plan, roster, extension));
    if (isStaffed && !way.isStaffed) this.#inTime(place, way, state);
    // The caller's own phone is passed over.
    const others = extensions.filter((extension) => way.caller.isAnybody || extension !== way.caller.from);
    const rings = { ...way, isStaffed, rung: [...way.rung, ...extensions] };
    const after = later(rings, lastsMs(extensions.length), others.length === 0 ? 0 : lastsMs(others.length));
    if (verb.otherwise) return this.go(verb.otherwise, `${place}.otherwise`, after, state);
    this.#over(`${extensions.join(', ')} is not answered, and nothing is said about what then`, place, after, state);
  }

  /** Whatever answers outside is connected: nobody has shown to be a human. */
  #forward(verb: VerbOf<'forward'>, place: string, way: Way, state: OpeningState): void {
    if (way.isClinical && !way.isStaffed) {
      const example = this.#example(way, state.spans);
      this.#add(
        state,
        { ...example, machines: [{ phone: verb.to, afterMs: 0 }] },
        {
          kind: 'unconfirmedAnswer',
          document: 'plan',
          path: place,
          on: 'value',
          reason: 'a clinical call is connected to whatever answers outside of the house, also to a machine',
          remedy: 'let a chain ring that number, or put it behind a key that the caller chooses',
        },
      );
    }
    const after = later(way, verb.forMs);
    if (verb.otherwise) return this.go(verb.otherwise, `${place}.otherwise`, after, state);
    this.#over('nobody answers outside, and nothing is said about what then', place, after, state);
  }

  #chain(service: ServiceId, urgency: Urgency, place: string, way: Way, { spans }: Pick<OpeningState, 'spans'>): void {
    this.#inTime(place, way, { spans });
    const { entry, caller, keys, answers, rung, path, laterMs, playedMs, readPlayedMs, turn, isStaffed } = way;
    const how = { entry, caller, keys, answers, rung, path, laterMs, playedMs, readPlayedMs, turn, isStaffed };
    this.#uses.push({ service, urgency, spans, ...how });
  }

  #askUrgency(verb: VerbOf<'askUrgency'>, place: string, way: Way, state: OpeningState): void {
    for (const [key, urgency] of Object.entries(verb.keys)) {
      this.#chain(verb.service, urgency, `${place}.keys.${key}`, chosen(way, key, true, 0), state);
    }
    const silent = later({ ...way, keys: [...way.keys, silence] }, verb.noKeyMs);
    this.#chain(verb.service, verb.noKey, `${place}.keys.none`, silent, state);
  }

  #menu(verb: VerbOf<'menu'>, place: string, way: Way, state: OpeningState): void {
    for (const [key, to] of Object.entries(verb.keys)) {
      this.go(to, `${place}.keys.${key}`, this.#chosen(way, key, to, verb), state);
    }
    this.go(verb.otherwise, `${place}.otherwise`, silent(way, verb), state);
  }

  #gather(verb: VerbOf<'gather'>, place: string, way: Way, state: OpeningState): void {
    const { plan } = this.#terrain;
    for (const { digits, pattern } of examplesKeyed(plan, verb, way.site)) {
      const to = whereKeyed(plan, verb, digits, way.site)?.verb;
      if (to) this.go(to, `${place}.digits.${pattern}`, this.#chosen(way, digits, to, verb), state);
    }
    this.go(verb.otherwise, `${place}.otherwise`, silent(way, verb), state);
  }

  #chosen(way: Way, key: string, to: Verb, { noKeyMs, tries }: Asking): Way {
    return chosen(way, key, leadsToChain(to, this.#terrain.plan, way.site), noKeyMs * tries);
  }

  #lookUp(verb: VerbOf<'lookup'>, place: string, way: Way, state: OpeningState): void {
    const { waitMs } = this.#terrain.plan.hook(verb.hook);
    const after = later(way, waitMs);
    const answered = (answer: string | null): Way => {
      const playedMs = way.playedMs + (answer === null ? waitMs : answeringMs(waitMs));
      return { ...after, playedMs, answers: [...way.answers, { hook: verb.hook, answer }] };
    };
    for (const [answer, to] of Object.entries(verb.answers)) {
      this.go(to, `${place}.answers.${answer}`, answered(answer), state);
    }
    this.go(verb.otherwise, `${place}.otherwise`, answered(null), state);
  }

  #message({ mailbox }: VerbOf<'voicemail'>, place: string, way: Way, state: OpeningState): void {
    if (!way.isClinical || way.isStaffed) return;
    if (isClaimed(this.#terrain.plan, mailbox)) return this.#inTime(place, way, state);
    this.#add(state, this.#example(way, state.spans), {
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
    this.#add(state, this.#example(way, state.spans), {
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
    this.#add(state, this.#example(way, state.spans), {
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
    this.#add(state, this.#example(way, state.spans), {
      kind: 'loop',
      document: 'plan',
      path: place,
      on: 'value',
      reason: `a call comes back here, and nobody has pressed a key: ${round}`,
      remedy: 'let one of them end at a person or a mailbox',
    });
  }

  #example(way: Way, spans: readonly Span[]): CounterExample {
    return exampleOf(this.#terrain, way, arrivalFor(way, spans));
  }

  #add({ spans }: Pick<OpeningState, 'spans'>, example: CounterExample, fault: FoundFault): void {
    this.#findings.add(fault, example, spans.length);
  }
}

/** When to dial to come to a place in one of these spans. */
export function arrivalFor(
  { readPlayedMs, turn }: Pick<ChainUse, 'readPlayedMs' | 'turn'>,
  spans: readonly Span[],
): Instant {
  // Where something opens or closes on the way, the call comes by at that very instant.
  if (turn !== null) return plusMs(turn.at[0]!, -turn.playedMs);
  const { from, to } = spans[0]!;
  return from + readPlayedMs < to ? from : plusMs(from, -readPlayedMs);
}

export function exampleOf(
  { plan }: Terrain,
  {
    entry,
    caller,
    keys,
    answers,
    rung,
    path,
  }: Pick<ChainUse, 'entry' | 'caller' | 'keys' | 'answers' | 'rung' | 'path'>,
  at: Instant,
): CounterExample {
  const from = caller.isAnybody
    ? aCaller(plan, (extension) => extension === entry.dialled || rung.includes(extension))
    : caller.from;
  const about = { service: null, step: null, limitMs: patienceMs };
  const { number, trunk } = caller;
  const { dialled: to } = entry;
  return { from, number, trunk, to, at, keys, unregistered: [], machines: [], answers, path, about };
}

/** `playedMs`: how much of it passes in the example. */
function later(way: Way, ms: number, playedMs = ms): Way {
  return { ...way, laterMs: way.laterMs + ms, playedMs: way.playedMs + playedMs, waitedMs: way.waitedMs + ms };
}

/** Of these, the instants that a call can come by which has come by an earlier one. */
function turnsAfter({ turn, laterMs }: Way, at: readonly Instant[]): readonly Instant[] {
  if (turn === null) return at;
  return at.filter((one) => turn.at.some((before) => one > before && one - before <= laterMs));
}

/** Something opens or closes at this instant. Where no time has passed since it was looked at, the last key took some. */
function turned(way: Way, at: readonly Instant[], readPlayedMs: number): Way {
  const read = way.playedMs > readPlayedMs ? way : slower(way, 1_000);
  const { playedMs } = read;
  return { ...read, readPlayedMs: playedMs, turn: { at, playedMs } };
}

/** As if the caller had taken so much longer over the last key. */
export function slower<W extends Pick<Way, 'keys' | 'playedMs'>>(way: W, ms: number): W {
  const last = way.keys.findLastIndex(({ key }) => key !== '');
  const keys = way.keys.map((press, i) => (i === last ? { ...press, afterMs: press.afterMs + ms } : press));
  return last < 0 ? way : { ...way, keys, playedMs: way.playedMs + ms };
}

const silence: KeyPress = { key: '', afterMs: 0 };

interface Asking {
  readonly noKeyMs: number;
  readonly tries: number;
}

function silent(way: Way, { noKeyMs, tries }: Asking): Way {
  const keys = [...way.keys, ...Array.from({ length: tries }, () => silence)];
  return later({ ...way, keys }, noKeyMs * tries);
}

function chosen(way: Way, key: string, isClinical: boolean, patience: number): Way {
  const laterMs = way.laterMs + patience;
  return {
    ...way,
    keys: [...way.keys, { key, afterMs: 0 }],
    isClinical,
    laterMs,
    waitedMs: 0,
    isStaffed: false,
    seen: [],
  };
}

function flowOf(plan: CompiledPlan, flow: string): Verb {
  const found = plan.flow(flow);
  if (found === undefined) throw new RangeError(`the plan was compiled without flow ${flow}`);
  return found;
}

export function atLatest({ spans, laterMs }: Pick<ChainUse, 'spans' | 'laterMs'>): readonly Span[] {
  return spans.map(({ from, to }) => ({ from, to: plusMs(to, laterMs) }));
}
