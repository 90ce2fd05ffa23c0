import type { CallFact } from '../../src/core/audit/index.ts';
import { type CompiledPlan, HOME, placeOfRoute, type Verb, waysOn } from '../../src/core/dialplan/index.ts';
import type { CompiledRoster, PersonId, ServiceId, Urgency } from '../../src/core/oncall/index.ts';
import type { FaultKind } from '../../src/core/prove/index.ts';
import { type Story, type Supposed, tellStory } from '../../src/core/simulate/index.ts';

/**
 * What docs/proving.md promises, judged by what happened to one call. Knows nothing of how the prover explores: it reads
 * the facts that the call machine attested, and where in the plan the caller had come to.
 */

const budgetMs: Readonly<Record<Urgency, number>> = { stat: 120_000, urgent: 180_000, routine: 300_000 };
const patienceMs = 120_000;

type Timed = Story['facts'][number];

/** What is broken of the promise; [] for a call that ends as it should, and for one that is not clinical. */
export function breachesOf(
  plan: CompiledPlan,
  roster: CompiledRoster,
  supposed: Supposed,
  keys: readonly string[],
): readonly FaultKind[] {
  const { facts, end } = tellStory(plan, roster, supposed, {
    keys: keys.map((key) => ({ key, afterMs: 0 })),
    urgency: null,
  });
  const chosen = facts.findLastIndex(({ fact }) => isKey(fact));
  const since = facts.slice(chosen + 1);
  const begins = chosen < 0 ? supposed.at : facts[chosen]!.at;
  if (!isClinical(plan, supposed, facts, chosen)) return [];

  const found = new Set<FaultKind>();
  const staffed = since.find(({ fact }) => isStaffed(plan, roster, fact));
  const escalated = since.findIndex(({ fact }) => fact.fact === 'escalationStarted');
  const chain = since[escalated];
  const resortAt = staffed?.at ?? supposed.at + end.afterMs;
  if (end.kind === 'human' && end.person === '' && !staffed) found.add('unconfirmedAnswer');
  if (end.kind === 'over' && !staffed) found.add(end.cause === 'internalError' ? 'loop' : 'deadEnd');
  if (end.kind === 'message' && !staffed) {
    const isStat = chain?.fact.fact === 'escalationStarted' && chain.fact.urgency === 'stat';
    if (isStat || plan.mailbox(end.mailbox)?.claimedBy === undefined) found.add('noStaffedLastResort');
  }
  if (chain?.fact.fact === 'escalationStarted') {
    const { service, urgency } = chain.fact;
    const limitMs = roster.service(service as ServiceId)?.chains[urgency].withinMs ?? budgetMs[urgency];
    const isStaffedBefore = staffed !== undefined && since.indexOf(staffed) < escalated;
    const isTaken = end.kind === 'human' && !staffed;
    if (!isTaken && !isStaffedBefore && resortAt - chain.at > limitMs) found.add('tooLate');
    if (chain.at - begins > patienceMs && !isStaffedBefore) found.add('tooLate');
    chainBreaches(roster, service as ServiceId, since.slice(escalated), found);
  } else if (found.size === 0 && end.kind !== 'human' && resortAt - begins > patienceMs) found.add('tooLate');
  return [...found];
}

function chainBreaches(
  roster: CompiledRoster,
  called: ServiceId,
  facts: readonly Timed[],
  found: Set<FaultKind>,
): void {
  if (facts.every(({ fact }) => fact.fact !== 'legRung')) found.add('nobodyRings');
  let begunAt = -1;
  for (const { at, fact } of facts) {
    if (fact.fact === 'stepStarted') begunAt = at;
    // Whose duty ends while the phone rings goes on ringing: that is no gap.
    if (at !== begunAt || fact.fact !== 'considered' || fact.person !== '' || fact.tier === 'post') continue;
    if ((roster.service(called)?.tiers[fact.tier] ?? []).length > 0) found.add('coverageGap');
  }
  const steps = new Set(facts.flatMap(({ fact }) => (fact.fact === 'considered' ? [fact.step] : [])));
  for (const step of steps) {
    const own = facts.flatMap(({ fact }) => (fact.fact === 'considered' && fact.step === step ? [fact] : []));
    const held = own.filter(({ person }) => person !== '');
    if (held.length > 0 && held.every(({ because }) => because.startsWith('has no'))) found.add('stepCannotRing');
  }
}

function isKey(fact: CallFact): boolean {
  if (fact.fact === 'digitsKeyed') return fact.meaning !== 'they lead nowhere' && fact.digits.reveal() !== '';
  return fact.fact === 'keyPressed' && fact.key !== '' && !fact.meaning.startsWith('no such key');
}

function isStaffed(plan: CompiledPlan, roster: CompiledRoster, fact: CallFact): boolean {
  if (fact.fact !== 'legRung') return false;
  const extension = fact.target.kind === 'extension' ? fact.target.extension : null;
  const person =
    roster.person(fact.person as PersonId) ?? (extension === null ? undefined : roster.personByDesk(extension));
  const isOperator = (desk: string | null | undefined) => plan.sites().some(({ operator }) => operator === desk);
  return person?.staffed === true || isOperator(extension) || isOperator(person?.desk);
}

/** Whether a chain could still be reached from the dialling, or from what was chosen with the last key. */
function isClinical(plan: CompiledPlan, supposed: Supposed, facts: readonly Timed[], chosen: number): boolean {
  if (chosen >= 0) {
    const key = facts[chosen]!.fact;
    if (key.fact === 'keyPressed' && key.menu === 'urgency') return true;
    const decided = facts.slice(chosen).find(({ fact }) => fact.fact === 'decided')?.fact;
    const place = decided?.fact === 'decided' ? decided.trace[0]!.at : '';
    const verb = placesIn(plan).get(place);
    if (verb === undefined) throw new Error(`nothing stands at ${place}`);
    return leadsToChain(plan, verb);
  }
  const caller =
    supposed.from === null
      ? ({ kind: 'trunk', trunk: supposed.trunk ?? plan.source.trunk, number: supposed.number ?? null } as const)
      : ({ kind: 'phone', extension: supposed.from } as const);
  const { dialled, site } = plan.about(caller, supposed.to, supposed.at);
  const route = plan.route(dialled, supposed.from === null ? 'trunk' : 'inside', site);
  return route !== undefined && leadsToChain(plan, route.to);
}

function placesIn(plan: CompiledPlan): ReadonlyMap<string, Verb> {
  const places = new Map<string, Verb>();
  const walk = (verb: Verb, at: string) => {
    places.set(at, verb);
    for (const way of waysOn(verb, at)) walk(way.verb, way.at);
  };
  for (const route of plan.source.routes) walk(route.to, placeOfRoute(route));
  for (const [id, verb] of Object.entries(plan.source.flows)) walk(verb, `flows.${id}`);
  return places;
}

function leadsToChain(plan: CompiledPlan, verb: Verb, been = new Set<Verb>()): boolean {
  if (been.has(verb)) return false;
  been.add(verb);
  if (verb.verb === 'escalate' || verb.verb === 'askUrgency') return true;
  const jump =
    verb.verb === 'run'
      ? plan.flow(verb.flow)
      : verb.verb === 'transfer'
        ? plan.route(verb.number, 'inside', HOME)?.to
        : undefined;
  if (jump !== undefined && leadsToChain(plan, jump, been)) return true;
  return waysOn(verb, '').some((way) => leadsToChain(plan, way.verb, been));
}
