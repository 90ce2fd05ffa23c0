import type { CallFact } from '../audit/index.ts';
import {
  CALLER,
  type CallEvent,
  type CallId,
  type CallState,
  expectedCall,
  type LegId,
  stepCall,
  type World,
} from '../call/index.ts';
import type { CompiledPlan } from '../dialplan/index.ts';
import type { CompiledRoster, PersonId, RosterInTime } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';
import { reviewed } from './retrace-review.ts';

/**
 * The facts of a real call, run through the call machine again: the events that must have caused them, at the instants
 * at which they came. On the documents that decided the call the machine attests the same facts; on others it does not
 * where they decide otherwise.
 */

export interface RecordedFact {
  readonly at: Instant;
  readonly fact: CallFact;
}

export type Retraced =
  | { readonly kind: 'same' }
  /** The first fact that is not attested again; `place` counts from 0. */
  | { readonly kind: 'differs'; readonly place: number };

const acceptDigit = '1';
const declineDigit = '9';
const wrongDigit = '0';

export function retrace(plan: CompiledPlan, roster: RosterInTime, recorded: readonly RecordedFact[]): Retraced {
  let state: CallState = expectedCall;
  let place = 0;
  while (place < recorded.length) {
    const next = stepFor(plan, roster, state, recorded, place);
    if (next === null) return { kind: 'differs', place };
    state = next.state;
    place += next.facts;
  }
  return { kind: 'same' };
}

/** The step of the machine that attests what was recorded from here on; null when none does. */
function stepFor(
  plan: CompiledPlan,
  roster: RosterInTime,
  state: CallState,
  recorded: readonly RecordedFact[],
  place: number,
): Step | null {
  for (const known of roster.lately(recorded[place]!.at)) {
    const step = stepIn(worldFor(plan, known, recorded, place), state, recorded, place);
    if (step !== null) return step;
  }
  return null;
}

interface Step {
  readonly state: CallState;
  readonly facts: number;
}

function stepIn(world: World, state: CallState, recorded: readonly RecordedFact[], place: number): Step | null {
  const { fact } = recorded[place]!;
  for (const before of [
    state,
    withoutCancelled(world, state, fact),
    reviewed(world, state, factsOf(recorded), place),
  ]) {
    for (const event of eventsFor(before, recorded, place)) {
      const stepped = stepCall(world, before, event);
      const facts = stepped.effects.flatMap((effect) => (effect.type === 'attest' ? [effect.fact as CallFact] : []));
      const isSame = facts.length > 0 && facts.every((fact, i) => isAttested(fact, recorded[place + i]?.fact));
      if (isSame) return { state: stepped.state, facts: facts.length };
    }
  }
  return null;
}

/** That a leg ended which was stood down is no fact; it shows when the leg is picked up all the same, or the call is over. */
function withoutCancelled(world: World, state: CallState, fact: CallFact): CallState {
  const doing = state.name === 'live' && state.doing.name === 'ringing' ? state.doing : null;
  const leg = fact.fact === 'legAnswered' ? (fact.leg as LegId) : fact.fact === 'ended' ? doing?.leg : undefined;
  if (leg === undefined) return state;
  return stepCall(world, state, { type: 'legFailed', leg, result: { kind: 'cancelled' } }).state;
}

function factsOf(recorded: readonly RecordedFact[]): readonly CallFact[] {
  return recorded.map(({ fact }) => fact);
}

/** Which version decided is not what it decided. */
function isAttested(fact: CallFact, recorded: CallFact | undefined): boolean {
  if (recorded?.fact === 'documentsUsed') return fact.fact === 'documentsUsed';
  return recorded !== undefined && sorted(fact) === sorted(recorded);
}

/** Keys of facts that come back from the store stand in the order of the alphabet. */
function sorted(value: CallFact): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** What the house knew of its phones, lines and groups, as far as the facts tell. */
function worldFor(plan: CompiledPlan, roster: CompiledRoster, recorded: readonly RecordedFact[], place: number): World {
  const { at } = recorded[place]!;
  const now = recorded.slice(place).filter((one) => one.at === at);
  const skipped = now.flatMap(({ fact }) => (fact.fact === 'considered' && fact.verdict === 'skipped' ? [fact] : []));
  const decided = now.flatMap(({ fact }) => (fact.fact === 'decided' ? fact.trace : []));
  const faults = [...skipped.map(({ because }) => because), ...decided.map(({ says }) => says)];
  const rung = now.flatMap(({ fact }) =>
    fact.fact === 'legRung' && fact.target.kind === 'extension' ? [fact.target.extension] : [],
  );
  return {
    at,
    plan,
    roster,
    isRegistered: (extension) => {
      if (rung.includes(extension)) return true;
      return skipped.every(
        ({ person }) => person !== extension && roster.person(person as PersonId)?.desk !== extension,
      );
    },
    trunkFault: (trunk) => {
      const says = `, trunk ${trunk}: `;
      const found = faults.find((because) => because.includes(says));
      return found === undefined ? null : found.slice(found.indexOf(says) + says.length);
    },
    groupTurns: (group) => {
      const fact = now.map((one) => one.fact).find((one) => one.fact === 'groupRung' && one.group === group);
      return fact?.fact === 'groupRung' ? Math.max(0, plan.group(group).members.indexOf(fact.members[0] ?? '')) : 0;
    },
  };
}

/** Events that could have come in this state and bear on the fact that was recorded next. */
function eventsFor(state: CallState, recorded: readonly RecordedFact[], place: number): readonly CallEvent[] {
  const { fact } = recorded[place]!;
  if (state.name === 'expected') return arrivals(recorded);
  if (state.name === 'over') return [];
  return [
    ...eventsOfFact(state, fact),
    ...eventsOfState(state, recorded),
    { type: 'callerHungUp' },
    { type: 'wardlineStopping' },
    { type: 'signallingLost' },
  ];
}

function arrivals(recorded: readonly RecordedFact[]): readonly CallEvent[] {
  const arrived = recorded[0]?.fact;
  if (arrived?.fact !== 'arrived') return [];
  const { from, number, dialled, peer, sipCallId } = arrived;
  const kept = recorded.map(({ fact }) => fact).find((fact) => fact.fact === 'recordingStarted');
  return [
    {
      type: 'callArrived',
      callId: 'retraced' as CallId,
      caller: {
        from: from.startsWith('trunk ')
          ? { kind: 'trunk', trunk: from.slice('trunk '.length) }
          : { kind: 'phone', extension: from },
        number,
      },
      dialled: typeof dialled === 'string' ? dialled : dialled.reveal(),
      peer,
      sipCallId,
      acceptDigit,
      messageId: kept?.fact === 'recordingStarted' ? kept.messageId : 'retraced',
    },
  ];
}

type Live = Extract<CallState, { name: 'live' }>;

/** What a fact says by itself about its cause. */
function eventsOfFact({ doing }: Live, fact: CallFact): readonly CallEvent[] {
  switch (fact.fact) {
    case 'callerAnswered':
      return [{ type: 'callerAnswered', media: fact.media }];
    case 'keyPressed':
      return 'token' in doing ? [digits(CALLER, doing.token, fact.key)] : [];
    case 'digitsKeyed':
      return 'token' in doing ? [digits(CALLER, doing.token, fact.digits.reveal())] : [];
    case 'legRinging':
      return [{ type: 'legRinging', leg: fact.leg as LegId, sipStatus: fact.sipStatus }];
    case 'legAnswered':
      return [{ type: 'legAnswered', leg: fact.leg as LegId, media: fact.media }];
    case 'bridged':
      return [{ type: 'bridged', leg: fact.leg as LegId }];
    case 'legEnded':
      return endings(fact.leg as LegId, fact.result);
    case 'lookupAnswered':
      if (!('token' in doing)) return [];
      return [
        { type: 'lookedUp', token: doing.token, answer: fact.answer === '' ? null : fact.answer, why: fact.because },
        { type: 'lookedUp', token: doing.token, answer: ' ', why: '' },
        { type: 'lookupTimedOut', token: doing.token },
      ];
    case 'messageMarked': {
      if (doing.name !== 'reviewing') return [];
      const keyed = fact.callBack?.reveal() ?? (fact.private ? '4' : '3');
      return [digits(CALLER, doing.token, keyed)];
    }
    case 'recordingEnded': {
      const { messageId, durationMs, by, why } = fact;
      return [{ type: 'recordingEnded', messageId, durationMs, by, why } as CallEvent];
    }
    case 'ended':
      return [
        { type: 'callerAnswerFailed', why: '' },
        { type: 'legEnded', leg: CALLER, by: 'mediaLost' },
      ];
    default:
      return [];
  }
}

function endings(leg: LegId, result: Extract<CallFact, { fact: 'legEnded' }>['result']): readonly CallEvent[] {
  switch (result.kind) {
    case 'hungUp':
      return [{ type: 'legEnded', leg, by: 'remote' }];
    case 'mediaLost':
      return [
        { type: 'legEnded', leg, by: 'mediaLost' },
        { type: 'bridgeFailed', leg, why: '' },
      ];
    case 'stoodDown':
      return [{ type: 'ringTimedOut', leg }];
    default:
      return [{ type: 'legFailed', leg, result }];
  }
}

/** What else may come while the call does what it does: timers, prompts that end, keys on a mobile. */
function eventsOfState({ doing }: Live, recorded: readonly RecordedFact[]): readonly CallEvent[] {
  switch (doing.name) {
    case 'escalating':
      return eventsOfLegs(doing.escalation);
    case 'greeting':
      return [
        finished(CALLER, doing.token),
        digits(CALLER, doing.token, ''),
        digits(CALLER, doing.token, '0'),
        ...(doing.late === null ? [] : eventsOfLegs(doing.late)),
      ];
    case 'announcing':
    case 'saying':
      return [finished(CALLER, doing.token)];
    case 'ringing':
      return [{ type: 'legFailed', leg: doing.leg, result: { kind: 'cancelled' } }];
    case 'ringingGroup':
      return [{ type: 'groupTimedOut', round: doing.round }];
    case 'recordingAgain':
      return [finished(CALLER, doing.token)];
    case 'reviewing':
      return ['#', '0', '2'].map((key) => digits(CALLER, doing.token, key));
    case 'closing':
      return recorded.length > 0 ? [{ type: 'recordingOverdue', messageId: doing.taking.messageId }] : [];
    default:
      return [];
  }
}

type Escalation = Extract<Live['doing'], { name: 'escalating' }>['escalation'];

function eventsOfLegs({ legs, round }: Escalation): readonly CallEvent[] {
  const ofLegs = legs.flatMap(({ id: leg, stage }): CallEvent[] => {
    if (stage.name === 'dismissed') return [finished(leg, stage.token)];
    if (stage.name !== 'challenged') return [];
    const keys = [acceptDigit, declineDigit, wrongDigit, ''].map((key) => digits(leg, stage.token, key));
    return [...keys, { type: 'challengeTimedOut', leg, until: stage.until }];
  });
  return [{ type: 'stepTimedOut', step: round }, { type: 'shiftBoundaryReached', step: round }, ...ofLegs];
}

function digits(leg: LegId, token: number, keys: string): CallEvent {
  return { type: 'digitsGathered', leg, token, digits: keys };
}

function finished(leg: LegId, token: number): CallEvent {
  return { type: 'promptFinished', leg, token };
}
