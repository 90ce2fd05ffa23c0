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
import type { ServiceId, Urgency } from '../oncall/index.ts';
import { answeringMs } from '../simulate/index.ts';
import type { Span } from '../time/index.ts';
import type { Caller, Entry } from './entries.ts';
import { arrivalFor, exampleOf, machineAt } from './example.ts';
import { type Findings, type FoundFault, isAlwaysThere, isClaimed } from './findings.ts';
import { type CounterExample, patienceMs } from './model.ts';
import { type OpeningState, openingStates } from './opening-states.ts';
import { deadEnd, loop, tooLate, unclaimed, unconfirmedAnswer } from './plan-faults.ts';
import { leadsToChain } from './reach.ts';
import type { Terrain } from './terrain.ts';
import { type Asking, type ChainUse, chosen, later, silence, silent, turned, turnsAfter, type Way } from './way.ts';

/**
 * The plan as a graph: from every number that can be dialled, by every way that a call can take from there. What phones
 * do is left open, so that a ring has two ways on: answered, which is a human, or not, after up to its whole time.
 */

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
      openedPlayedMs: null,
      readKeys: 0,
      turn: null,
      waitedMs: 0,
      isStaffed: false,
      isClinical,
      answers: [],
      rung: [],
      forwarded: [],
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
      case 'mailbox':
        return this.#over('it opens a mailbox', place, way, state);
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
    const read: Way = {
      ...way,
      readMs: way.laterMs,
      readPlayedMs: way.playedMs,
      openedPlayedMs: way.openedPlayedMs ?? way.playedMs,
      readKeys: way.keys.length,
    };
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
    const { isAnybody, alike } = way.caller;
    const others = extensions.filter((extension) => isAnybody || alike.length !== 1 || alike[0] !== extension);
    const rings = { ...way, isStaffed, rung: [...way.rung, ...extensions] };
    const after = later(rings, others.length === 0 ? 0 : lastsMs(others.length));
    if (verb.otherwise) return this.go(verb.otherwise, `${place}.otherwise`, after, state);
    this.#over(`${extensions.join(', ')} is not answered, and nothing is said about what then`, place, after, state);
  }

  /** Whatever answers outside is connected: nobody has shown to be a human. */
  #forward(verb: VerbOf<'forward'>, place: string, way: Way, state: OpeningState): void {
    if (way.isClinical && !way.isStaffed) {
      const example = this.#example(way, state.spans);
      this.#add(state, { ...example, machines: [machineAt(way, verb.to, 0)] }, unconfirmedAnswer(place));
    }
    const after = later({ ...way, forwarded: [...way.forwarded, verb.to] }, verb.forMs);
    if (verb.otherwise) return this.go(verb.otherwise, `${place}.otherwise`, after, state);
    this.#over('nobody answers outside, and nothing is said about what then', place, after, state);
  }

  #chain(service: ServiceId, urgency: Urgency, place: string, way: Way, { spans }: Pick<OpeningState, 'spans'>): void {
    this.#inTime(place, way, { spans });
    this.#uses.push({ ...way, service, urgency, spans });
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
    this.#add(state, this.#example(way, state.spans), unclaimed(mailbox));
  }

  #over(how: string, place: string, way: Way, state: OpeningState): void {
    if (!way.isClinical || way.isStaffed) return;
    this.#add(state, this.#example(way, state.spans), deadEnd(place, how));
  }

  #inTime(place: string, way: Way, state: Pick<OpeningState, 'spans'>): void {
    if (!way.isClinical || way.isStaffed || way.waitedMs <= patienceMs) return;
    this.#add(state, this.#example(way, state.spans), tooLate(place, way.waitedMs));
  }

  #loop(place: string, way: Way, state: OpeningState): void {
    this.#add(state, this.#example(way, state.spans), loop(place, way.path));
  }

  #example(way: Way, spans: readonly Span[]): CounterExample {
    return exampleOf(this.#terrain, way, arrivalFor(way, spans));
  }

  #add({ spans }: Pick<OpeningState, 'spans'>, example: CounterExample, fault: FoundFault): void {
    this.#findings.add(fault, example, spans.length);
  }
}

function flowOf(plan: CompiledPlan, flow: string): Verb {
  const found = plan.flow(flow);
  if (found === undefined) throw new RangeError(`the plan was compiled without flow ${flow}`);
  return found;
}
