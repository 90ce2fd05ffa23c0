import type { CompiledPlan } from '../dialplan/index.ts';
import { type CompiledRoster, type ServiceId, type Urgency, urgencies } from '../oncall/index.ts';
import { joined, type Span } from '../time/index.ts';
import type { Duties } from './chain-at.ts';
import { exploreChain } from './explore-chain.ts';
import { callerKinds, callersOf, entriesOf } from './entries.ts';
import { exploreEntry } from './explore-plan.ts';
import { Findings } from './findings.ts';
import type { House, Proof } from './model.ts';
import type { Terrain } from './terrain.ts';
import { atLatest, type ChainUse } from './way.ts';

/**
 * Explores every call that plan and roster allow in a span of time, or finds out what is wrong with them. The roster
 * must have been compiled for a window that covers the span. Each `next()` is a piece of work of a few milliseconds at
 * most, so that whoever has calls to decide can do it in between.
 */
export function* proving(
  plan: CompiledPlan,
  roster: CompiledRoster,
  span: Span,
  house: House | null = null,
): Generator<void, Proof> {
  const terrain: Terrain = { plan, roster, span, hours: new Map() };
  const findings = new Findings();
  const uses: ChainUse[] = [];
  const entries = entriesOf(plan);
  const kinds = callerKinds(plan, span.from);
  let clinical = 0;
  for (const entry of entries) {
    let isClinical = false;
    for (const caller of callersOf(plan, entry, kinds, span.from)) {
      isClinical = exploreEntry(terrain, entry, caller, findings, uses) || isClinical;
    }
    if (isClinical) clinical += 1;
    yield;
  }
  const duties: Duties = { terrain, house, findings, pieces: new Map() };
  const chains = byChain(uses);
  let instants = 0;
  for (const service of roster.services()) {
    for (const urgency of urgencies) {
      const own = chains.get(nameOf(service.id, urgency));
      if (own === undefined) continue;
      instants += exploreChain(duties, { service, urgency, uses: own, spans: joined(own.flatMap(atLatest)) });
      yield;
    }
  }
  const explored = { entries: entries.length, clinical, chains: chains.size, instants };
  return { span, faults: findings.all(), explored };
}

/** The same in one go. */
export function prove(...given: Parameters<typeof proving>): Proof {
  const work = proving(...given);
  for (;;) {
    const done = work.next();
    if (done.done) return done.value;
  }
}

function byChain(uses: readonly ChainUse[]): ReadonlyMap<string, readonly ChainUse[]> {
  const chains = new Map<string, ChainUse[]>();
  for (const use of uses) {
    const name = nameOf(use.service, use.urgency);
    const own = chains.get(name);
    if (own) own.push(use);
    else chains.set(name, [use]);
  }
  return chains;
}

function nameOf(service: ServiceId, urgency: Urgency): string {
  return `${service} ${urgency}`;
}
