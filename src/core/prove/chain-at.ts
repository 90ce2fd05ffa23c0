import type { World } from '../call/index.ts';
import { HOME } from '../dialplan/index.ts';
import { type Candidate, type Candidates, type Situation, whoToRing } from '../escalation/index.ts';
import type { ClinicalService, EscalationStep, Urgency } from '../oncall/index.ts';
import type { Instant, Span } from '../time/index.ts';
import type { CallInto } from './call-into.ts';
import type { Tiers } from './chain-pieces.ts';
import { exampleOf } from './example.ts';
import { aCaller, type Findings, type FoundFault } from './findings.ts';
import type { CounterExample, House } from './model.ts';
import type { ChainUse } from './way.ts';

/** A chain of a service, the calls that come to it, and what can be found wrong with it. */

export interface Duties extends Tiers {
  readonly house: House | null;
  readonly findings: Findings;
}

export interface ChainAt {
  readonly service: ClinicalService;
  readonly urgency: Urgency;
  readonly uses: readonly ChainUse[];
  readonly spans: readonly Span[];
}

export interface Broken {
  readonly fault: FoundFault;
  /** Of the chain; null: all of it. */
  readonly step: number | null;
  readonly example: (call: CallInto) => CounterExample;
}

/** Whom a step would ring, asked of the code that rings. */
export function candidatesOf(...asked: Parameters<typeof askedAt>): readonly Candidate[] {
  return askedAt(...asked).candidates;
}

/** The same, and when duty passes on from them. */
export function askedAt(
  { terrain }: Duties,
  { service, urgency }: Pick<ChainAt, 'service' | 'urgency'>,
  step: EscalationStep,
  at: Instant,
  tried: readonly string[],
): Candidates {
  const { plan, roster } = terrain;
  const world: World = { at, plan, roster, isRegistered: () => true, trunkFault: () => null };
  return whoToRing(world, stranger(plan.source.trunk), step, { service: service.id, urgency, tried, declined: [] });
}

/** A caller whose own phone is none of those that a chain rings. */
function stranger(trunk: string): Situation {
  return { from: { kind: 'trunk', trunk }, site: HOME, acceptDigit: '1', hasMedia: true };
}

/** A call that comes this way. */
export function chainExample(
  duties: Duties,
  { service, urgency }: ChainAt,
  { use, arrival }: CallInto,
  step: number | null = null,
): CounterExample {
  const { terrain } = duties;
  const example = exampleOf(terrain, use, arrival);
  const { roster } = terrain;
  const isInvolved = (extension: string) =>
    roster.personByDesk(extension) !== undefined || [use.entry.dialled, ...use.rung].includes(extension);
  return {
    ...example,
    from: use.caller.isAnybody ? aCaller(terrain.plan, isInvolved) : example.from,
    path: [...example.path, `services.${service.id}`, `chains.${service.chains[urgency].id}`],
    about: { service: service.id, step, limitMs: null },
  };
}
