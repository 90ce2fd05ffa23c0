import type { World } from '../call/world.ts';
import { type CompiledPlan, HOME } from '../dialplan/index.ts';
import { type Candidate, type Situation, whoToRing } from '../escalation/index.ts';
import { never } from '../never.ts';
import {
  type Device,
  type EscalationStep,
  isHouseSupervisor,
  type Person,
  type PersonId,
  type ServiceId,
} from '../oncall/index.ts';
import { plusMs } from '../time/index.ts';
import type { Chase, ChaseEffect, ChaseEvent, Chased } from './chase.ts';
import { mailboxOfPhone, rulesOf } from './mailboxes.ts';

/*
 *   expected ── urgentMessageLeft ──▶ chasing ── time up ──▶ chasing (next step) ── … ──▶ chasing (supervisor, again and again)
 *                                        │ shift boundary: the successor is told too
 *                                        │ rosterChanged: so is whoever took over; chaseResumed: the step again, for what is left of it
 *                                        ├── followAgain: from the first step
 *                                        └── messageClaimed · messageDeleted ──▶ over ── followAgain ──▶ chasing
 *   callerTold: nothing more is owed to whoever left it; until then chaseResumed has them told, in `over` too
 */

export const expectedChase: Chase = { name: 'expected' };

/** Nobody reads a message in the 15 s that a telephone rings. */
const leastDwellMs = 3 * 60_000;
const supervisorAgainMs = 10 * 60_000;
/** What became of a message is no news to whoever left it after a night without a house. */
const tellWithinMs = 4 * 3_600_000;
const everyPhone: readonly Device[] = ['desk', 'mobile'];

/** An urgent message is followed through the live roster until somebody has listened to it and says "mine". */
export function stepChase(
  world: World,
  state: Chase,
  event: ChaseEvent,
): { readonly state: Chase; readonly effects: readonly ChaseEffect[] } {
  switch (state.name) {
    case 'expected':
      return event.type === 'urgentMessageLeft' || event.type === 'followAgain'
        ? begin(world, event.message)
        : { state, effects: [] };
    case 'chasing':
      return chasing(world, state, event);
    case 'over':
      return whenOver(world, state, event);
    default:
      return never(state);
  }
}

type Chasing = Extract<Chase, { name: 'chasing' }>;
type Step = ReturnType<typeof stepChase>;

function begin(world: World, about: Chased, round = 0): Step {
  const { messageId, mailbox, service } = about;
  const started: ChaseEffect = {
    type: 'attest',
    fact: { fact: 'chaseStarted', messageId, mailbox, service: service ?? '', steps: stepsOf(world, about).length },
  };
  return startStep(world, { about, step: -1, round }, [started]);
}

function chasing(world: World, state: Chasing, event: ChaseEvent): Step {
  const { about } = state;
  switch (event.type) {
    case 'urgentMessageLeft':
      return { state, effects: [] };
    case 'followAgain':
      return begin(world, event.message, state.round);
    case 'messageClaimed':
      return over(world, about, 'claimed', event.by);
    case 'messageDeleted':
      return over(world, about, 'deleted', '');
    case 'chaseStepTimedOut': {
      // Nothing cancels a timer: only the one of the step in work counts.
      if (event.round !== state.round) return { state, effects: [] };
      return startStep(world, state, []);
    }
    case 'chaseResumed': {
      const due = callerDue(world, state);
      if (state.stepEndsAt <= world.at) return startStep(world, state, due);
      return work(world, { ...state, told: [] }, due);
    }
    case 'callerTold':
      return event.that === 'unclaimed'
        ? { state: { ...state, callerDueAt: null }, effects: [] }
        : { state, effects: [] };
    case 'rosterChanged':
      return tell(world, state, []);
    case 'chaseBoundaryReached':
      return event.round === state.round ? tell(world, state, []) : { state, effects: [] };
    default:
      return never(event);
  }
}

function whenOver(world: World, state: Extract<Chase, { name: 'over' }>, event: ChaseEvent): Step {
  const { because, callerDue: due } = state;
  switch (event.type) {
    case 'followAgain':
      return begin(world, event.message);
    case 'chaseResumed':
      if (!due) return { state, effects: [] };
      if (world.at - due.since > tellWithinMs) return { state: { name: 'over', because }, effects: [] };
      return { state, effects: tellCaller(due.about, 'claimed', 0) };
    case 'callerTold':
      return event.that === 'claimed' && due
        ? { state: { name: 'over', because }, effects: [] }
        : { state, effects: [] };
    default:
      return { state, effects: [] };
  }
}

/** The process that was to tell them is dead. */
function callerDue(world: World, { about, callerDueAt }: Chasing): readonly ChaseEffect[] {
  return callerDueAt ? tellCaller(about, 'unclaimed', Math.max(0, callerDueAt - world.at)) : [];
}

type Place = Pick<Chasing, 'about' | 'step' | 'round' | 'callerDueAt'>;

/** The step after this one, or the first behind it in which anybody can be told: one without costs no time. */
function startStep(
  world: World,
  { about, step: before, round, callerDueAt = null }: Place,
  effects: readonly ChaseEffect[],
): Step {
  const steps = stepsOf(world, about);
  for (let step = before + 1; step < steps.length; step++) {
    if (!look(world, about, steps[step]!, []).candidates.some(isRung)) continue;
    const dwellMs = Math.max(leastDwellMs, steps[step]!.dwellMs);
    return wait(world, { about, step, round: round + 1, callerDueAt }, dwellMs, effects);
  }
  const { messageId, mailbox, callId, leftAt } = about;
  const unclaimed: ChaseEffect = { type: 'attest', fact: { fact: 'chaseUnclaimed', messageId, mailbox } };
  const step = Math.max(before, steps.length);
  const now = { about, step, round: round + 1 };
  if (before >= step) return wait(world, { ...now, callerDueAt }, supervisorAgainMs, effects);
  const dueAt = plusMs(leftAt, Math.max(leastDwellMs, world.at - leftAt));
  return wait(world, { ...now, callerDueAt: callId === null ? null : dueAt }, supervisorAgainMs, [
    ...effects,
    unclaimed,
    ...tellCaller(about, 'unclaimed', dueAt - world.at),
  ]);
}

function wait(world: World, now: Place, dwellMs: number, before: readonly ChaseEffect[]): Step {
  const state: Chasing = { name: 'chasing', ...now, stepEndsAt: plusMs(world.at, dwellMs), told: [] };
  return work(world, state, before);
}

/** Until its time is up. */
function work(world: World, state: Chasing, before: readonly ChaseEffect[]): Step {
  const { round, stepEndsAt } = state;
  const timeUp: ChaseEffect = {
    type: 'wakeMe',
    afterMs: stepEndsAt - world.at,
    with: { type: 'chaseStepTimedOut', round },
  };
  const told = tell(world, state, before);
  return { ...told, effects: [...told.effects, timeUp] };
}

/** Tells whoever holds the tiers at this second and was not told in this step. */
function tell(world: World, state: Chasing, before: readonly ChaseEffect[]): Step {
  const { about, step, round, stepEndsAt } = state;
  const { messageId, mailbox } = about;
  const ofChain = stepsOf(world, about)[step];
  // At the end it is the supervisor's, whoever that is.
  const { candidates, nextBoundary } =
    ofChain === undefined
      ? look(world, { ...about, again: null }, supervisorStep(world, about), state.told)
      : look(world, about, ofChain, state.told);
  const rung = candidates.filter(isRung);
  const facts = rung.map(({ person, tier, because, device }): ChaseEffect => {
    return {
      type: 'attest',
      fact: { fact: 'chaseTold', messageId, mailbox, step: step + 1, tier, person: person.id, device, because },
    };
  });
  const acts = rung.map((one): ChaseEffect => {
    const opener = openerOf(world.plan, mailbox, one.person);
    return { type: 'tellOfMessage', messageId, mailbox, person: one.person.id, target: one.target, opener };
  });
  const isSoon = nextBoundary !== null && nextBoundary > world.at && nextBoundary < stepEndsAt;
  const boundary: ChaseEffect[] = isSoon
    ? [{ type: 'wakeMe', afterMs: nextBoundary - world.at, with: { type: 'chaseBoundaryReached', round } }]
    : [];
  return {
    state: { ...state, told: [...state.told, ...rung.map(({ phone }) => phone)] },
    effects: [...before, ...facts, ...acts, ...boundary],
  };
}

function over(world: World, about: Chased, because: 'claimed' | 'deleted', by: string): Step {
  const { messageId, mailbox, leftAt } = about;
  const fact = { fact: 'chaseOver', messageId, mailbox, because, by, tookMs: world.at - leftAt } as const;
  const tells = because === 'claimed' ? tellCaller(about, because, 0) : [];
  const callerDue = tells.length === 0 ? null : { about, since: world.at };
  return { state: { name: 'over', because, callerDue }, effects: [{ type: 'attest', fact }, ...tells] };
}

function tellCaller(
  { callId, messageId, mailbox }: Chased,
  that: 'claimed' | 'unclaimed',
  afterMs: number,
): readonly ChaseEffect[] {
  return callId === null ? [] : [{ type: 'tellCaller', callId, messageId, mailbox, that, afterMs }];
}

/** Everybody signs with a PIN of their own, where they have a mailbox; else with that of the mailbox. */
function openerOf(plan: CompiledPlan, mailbox: string, { desk }: Person): string {
  const own = desk === undefined ? null : mailboxOfPhone(plan, desk);
  return own !== null && own.openTo.length === 0 ? own.id : mailbox;
}

type Rung = Extract<Candidate, { verdict: 'rung' }>;

function isRung(candidate: Candidate): candidate is Rung {
  return candidate.verdict === 'rung';
}

function look(world: World, about: Chased, step: EscalationStep, told: readonly string[]) {
  // Nobody calls: the house itself rings, by the trunk of the home site.
  const situation: Situation = {
    from: { kind: 'trunk', trunk: world.plan.source.trunk },
    acceptDigit: '',
    site: HOME,
    hasMedia: true,
  };
  const service = about.service ?? HOUSE;
  const declined = whoHandedOver(world, about);
  return whoToRing(world, situation, step, { service, urgency: about.urgency, tried: told, declined });
}

/** They have heard it: it is a colleague who is to be called. */
function whoHandedOver({ plan, roster }: World, { again }: Chased): readonly PersonId[] {
  if (!again || again.by === '') return [];
  return rulesOf(plan, again.by).phones.flatMap((phone) => roster.personByDesk(phone)?.id ?? []);
}

/** The chain of the service; of a mailbox without one, the person whose phone it is. */
function stepsOf(world: World, about: Chased): readonly EscalationStep[] {
  if (about.service !== null) return world.roster.service(about.service)?.chains[about.urgency].steps ?? [];
  const { phones } = rulesOf(world.plan, about.mailbox);
  const [owner] = phones.flatMap((phone) => world.roster.personByDesk(phone) ?? []);
  if (owner === undefined) return [];
  return [{ targets: [{ kind: 'person', person: owner.id }], devices: everyPhone, dwellMs: leastDwellMs }];
}

/** By the tier of the service, else of the service `house`; else whoever is it by role; else the operator. */
function supervisorStep(world: World, { service }: Chased): EscalationStep {
  const dwellMs = supervisorAgainMs;
  for (const whose of [service, HOUSE]) {
    if (whose === null || world.roster.service(whose) === undefined) continue;
    const found = world.roster.whoIsOnCall(whose, 'supervisor', world.at);
    if (found.kind === 'onCall') {
      return { targets: [{ kind: 'tier', tier: 'supervisor', service: whose }], devices: everyPhone, dwellMs };
    }
  }
  const person = world.roster.people().find(isHouseSupervisor) ?? world.roster.personByDesk(world.plan.source.operator);
  return { targets: person ? [{ kind: 'person', person: person.id }] : [], devices: everyPhone, dwellMs };
}

const HOUSE = 'house' as ServiceId;
