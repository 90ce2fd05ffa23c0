import { fc } from '../support/fast-check.ts';
import t from 'tap';
import {
  CALLER,
  type CallEffect,
  type CallEvent,
  type CallId,
  type CallState,
  endCauses,
  expectedCall,
  type LegId,
  type LegResult,
  stepCall,
} from '../../src/core/call/index.ts';
import { plusMs } from '../../src/core/time/index.ts';
import { aPlan, aRoster, always, mobiles, noon, phones, step } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';

const numRuns = 1_500;
const media = { path: 'anchored', codec: 'PCMU', cipher: 'none' } as const;
const plan = aPlan();
const roster = aRoster();
const dialled = [
  '7010',
  '7011',
  '7012',
  '7013',
  '1500',
  phones.ames,
  phones.icu,
  phones.ward,
  '9999',
  '+12025550100',
].concat(['4100', '4101', '4102', '4103', '4104', '4105']);

const leg = fc.constantFrom('caller', '1', '2', '3', '4', '5', '6', '7').map((id) => id as LegId);
const token = fc.integer({ min: 1, max: 9 });
const result: fc.Arbitrary<LegResult> = fc.constantFrom(
  { kind: 'busy', sipStatus: 486 },
  { kind: 'noAnswer', sipStatus: 480 },
  { kind: 'cancelled' },
  { kind: 'mediaFailed', why: 'no port' },
);

/** Anything a shell could say, also what a sane one never would, in any order. */
const anyEvent: fc.Arbitrary<CallEvent> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<CallEvent>({ type: 'callerAnswered', media }) },
  fc.constant<CallEvent>({ type: 'callerAnswerFailed', why: 'no port' }),
  fc.constant<CallEvent>({ type: 'callerHungUp' }),
  fc.constant<CallEvent>({ type: 'wardlineStopping' }),
  fc.constant<CallEvent>({ type: 'signallingLost' }),
  leg.map((leg): CallEvent => ({ type: 'legRinging', leg, sipStatus: 180 })),
  { weight: 4, arbitrary: leg.map((leg): CallEvent => ({ type: 'legAnswered', leg, media })) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('legFailed' as const), leg, result }) },
  fc.record({
    type: fc.constant('legEnded' as const),
    leg,
    by: fc.constantFrom('remote' as const, 'mediaLost' as const),
  }),
  { weight: 3, arbitrary: fc.record({ type: fc.constant('promptFinished' as const), leg, token }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('digitsGathered' as const),
      leg,
      token,
      digits: fc.constantFrom('', '0', '1', '2', '4', '9', '2102', '4100', '__proto__'),
    }),
  },
  leg.map((leg): CallEvent => ({ type: 'bridged', leg })),
  leg.map((leg): CallEvent => ({ type: 'bridgeFailed', leg, why: 'no port' })),
  fc.record({
    type: fc.constant('recordingEnded' as const),
    messageId: fc.constant('m1'),
    durationMs: fc.constantFrom(0, 900),
    by: fc.constantFrom('key' as const, 'hangUp' as const, 'failed' as const),
    why: fc.constant(''),
  }),
  { weight: 2, arbitrary: token.map((step): CallEvent => ({ type: 'stepTimedOut', step })) },
  token.map((step): CallEvent => ({ type: 'shiftBoundaryReached', step })),
  leg.map((leg): CallEvent => ({ type: 'ringTimedOut', leg })),
  fc.record({
    type: fc.constant('challengeTimedOut' as const),
    leg,
    until: fc.constantFrom(...[0, 5_000, 30_000, 31_000].map((ms) => plusMs(noon, ms))),
  }),
  fc.constant<CallEvent>({ type: 'recordingOverdue', messageId: 'm1' }),
  token.map((round): CallEvent => ({ type: 'groupTimedOut', round })),
  token.map((token): CallEvent => ({ type: 'lookupTimedOut', token })),
  fc.record({
    type: fc.constant('lookedUp' as const),
    token,
    answer: fc.constantFrom('office', 'cardiology', '__proto__', null),
    why: fc.constant(''),
  }),
);

const scenario = fc.record({
  dialled: fc.constantFrom(...dialled),
  fromTrunk: fc.boolean(),
  unregistered: fc.subarray(Object.values(phones)),
  events: fc.array(fc.tuple(anyEvent, fc.integer({ min: 0, max: 20_000 })), { maxLength: 40 }),
});

interface Run {
  readonly state: CallState;
  readonly effects: readonly CallEffect[];
  /** Effects of each step, with the event that caused them. */
  readonly steps: readonly {
    readonly event: CallEvent;
    readonly effects: readonly CallEffect[];
    readonly after: CallState;
  }[];
}

/** Runs the events and then, if the call is still there, hangs up the caller and lets the recorder be overdue. */
function run({ dialled, fromTrunk, unregistered, events }: Scenario): Run {
  let state = expectedCall;
  let at = noon;
  const steps: { event: CallEvent; effects: readonly CallEffect[]; after: CallState }[] = [];
  const happens = (event: CallEvent) => {
    const world = {
      at,
      plan,
      roster,
      isRegistered: (extension: string) => !unregistered.includes(extension),
      trunkFault: () => null,
    };
    const stepped = stepCall(world, state, event);
    state = stepped.state;
    steps.push({ event, effects: stepped.effects, after: state });
  };
  happens({
    type: 'callArrived',
    callId: 'K7QX-2M4D' as CallId,
    caller: {
      from: fromTrunk ? { kind: 'trunk', trunk: 'carrier' } : { kind: 'phone', extension: phones.ward },
      number: null,
    },
    dialled,
    peer: 'peer',
    sipCallId: 'sip',
    acceptDigit: '4',
    messageId: 'm1',
  });
  for (const [event, laterMs] of events) {
    at = plusMs(at, laterMs);
    happens(event);
  }
  happens({ type: 'callerHungUp' });
  happens({ type: 'recordingOverdue', messageId: 'm1' });
  return { state, steps, effects: steps.flatMap(({ effects }) => effects) };
}

interface Scenario {
  readonly dialled: string;
  readonly fromTrunk: boolean;
  readonly unregistered: readonly string[];
  readonly events: readonly (readonly [CallEvent, number])[];
}

function law(name: string, holds: (run: Run) => void) {
  void t.test(name, async () => {
    fc.assert(
      fc.property(scenario, (story) => holds(run(story))),
      { numRuns },
    );
  });
}

function be(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what);
}

const factNames = (effects: readonly CallEffect[]) =>
  effects.flatMap((effect) => (effect.type === 'attest' ? [effect.fact.fact] : []));

law('every call ends with exactly one `ended` and one callOver, and nothing after it', ({ state, effects }) => {
  be(state.name === 'over', `still ${state.name}`);
  be(factNames(effects).filter((fact) => fact === 'ended').length === 1, 'one ended');
  be(effects.filter(({ type }) => type === 'callOver').length === 1, 'one callOver');
  be(effects.at(-1)?.type === 'callOver', 'callOver is the last effect');
});

law('every step attests first and acts afterwards', ({ steps }) => {
  for (const { effects } of steps) {
    const kinds = effects.map(({ type }) => type === 'attest');
    be(kinds.lastIndexOf(true) < kinds.indexOf(false) || !kinds.includes(false), 'attest before act');
  }
});

law(
  'nobody is left ringing or talking alone: every leg that was rung is stood down, has failed or has ended',
  ({ steps }) => {
    const open = new Set<string>();
    const spared = new Set<string>();
    for (const { event, effects } of steps) {
      if (event.type === 'legFailed' || event.type === 'legEnded') open.delete(event.leg);
      // Its answer was quicker than the CANCEL.
      if (event.type === 'legAnswered' && spared.delete(event.leg)) open.add(event.leg);
      for (const effect of effects) {
        if (effect.type === 'ringLeg') open.add(effect.leg);
        if (effect.type === 'standDownLeg') open.delete(effect.leg);
        if (effect.type === 'standDownLeg' && effect.unlessAnswered) spared.add(effect.leg);
        if (effect.type === 'callOver') spared.clear();
      }
    }
    be(open.size === 0, `open: ${[...open].join(' ')}`);
  },
);

law('every leg that was rung has an end in the audit', ({ effects }) => {
  const rung = new Set<string>();
  for (const effect of effects) {
    if (effect.type !== 'attest') continue;
    if (effect.fact.fact === 'legRung') rung.add(effect.fact.leg);
    if (effect.fact.fact === 'legEnded') rung.delete(effect.fact.leg);
  }
  be(rung.size === 0, `no end: ${[...rung].join(' ')}`);
});

law('exactly one winner at a time: a second acceptance needs the loss of the first', ({ effects }) => {
  let winner: string | null = null;
  for (const effect of effects) {
    if (effect.type !== 'attest') continue;
    if (effect.fact.fact === 'accepted') {
      be(winner === null, `accepted by ${effect.fact.leg} while ${winner} has it`);
      winner = effect.fact.leg;
    }
    if (effect.fact.fact === 'legEnded' && effect.fact.leg === winner) winner = null;
  }
});

law('a mobile of a chain gets the caller only after the right digit', ({ effects }) => {
  const accepted = new Set<string>();
  const mobile = new Set<string>();
  for (const effect of effects) {
    // A forward of the plan names nobody: whoever answers there is whom the plan meant.
    const isRung = effect.type === 'attest' && effect.fact.fact === 'legRung';
    if (isRung && effect.fact.target.kind === 'number' && effect.fact.person !== '') mobile.add(effect.fact.leg);
    if (effect.type === 'attest' && effect.fact.fact === 'challengeAnswered' && effect.fact.result === 'accepted') {
      accepted.add(effect.fact.leg);
    }
    if (effect.type === 'bridge') be(!mobile.has(effect.leg) || accepted.has(effect.leg), 'bridged without proof');
  }
});

law('after the caller hung up only stand-downs, hang-ups, facts and the end', ({ steps }) => {
  const gone = steps.findIndex(({ event }) => event.type === 'callerHungUp');
  const allowed = ['attest', 'standDownLeg', 'hangUpCaller', 'callOver'];
  for (const { effects } of steps.slice(gone)) {
    for (const effect of effects) {
      const isRecorderGuard = effect.type === 'wakeMe' && effect.with.type === 'recordingOverdue';
      be(allowed.includes(effect.type) || isRecorderGuard, effect.type);
    }
  }
});

law('an unanswered caller is refused with an error status', ({ effects }) => {
  for (const effect of effects) {
    if (effect.type === 'refuseCaller') be(endCauses[effect.cause].sip >= 400, effect.cause);
  }
});

law('an answered caller is never left without sound or progress', ({ steps }) => {
  // What the caller hears: something that lasts, or something whose end brings an event back.
  let isAnswered = false;
  let hears: 'nothing' | 'something' = 'nothing';
  for (const { event, effects, after } of steps) {
    if (event.type === 'callerAnswered') isAnswered = true;
    for (const effect of effects) {
      if ((effect.type === 'play' || effect.type === 'gather') && effect.leg === CALLER) hears = 'something';
      if (effect.type === 'bridge' || effect.type === 'connectDirect' || effect.type === 'recordMessage')
        hears = 'something';
    }
    if (after.name !== 'live' || !isAnswered || !after.line.isAnswered) continue;
    be(hears === 'something', `silence while ${after.doing.name}`);
    if (event.type === 'promptFinished' && event.leg === CALLER && isWaitedFor(event.token, steps, effects)) {
      be(effects.length > 0, 'a prompt ended and nothing followed');
    }
  }
});

/** The caller's newest prompt is the one that ended, and it was not followed by ringback. */
function isWaitedFor(token: number, steps: Run['steps'], now: readonly CallEffect[]): boolean {
  const before = steps
    .flatMap(({ effects }) => effects)
    .slice(0, steps.flatMap(({ effects }) => effects).indexOf(now[0]!));
  const last = before.findLast((effect) => 'leg' in effect && effect.leg === CALLER);
  return last?.type === 'play' && last.token === token && last.then === 'nothing';
}

void t.test('the chain makes progress: with every phone silent, voicemail comes at the sum of the dwells', async () => {
  const target = fc.constantFrom(
    { kind: 'tier', tier: 'primary' } as const,
    { kind: 'tier', tier: 'backup' } as const,
    { kind: 'tier', tier: 'attending' } as const,
    { kind: 'person', person: 'supervisor' as never } as const,
  );
  const devices = fc.constantFrom(['desk'] as const, ['mobile'] as const, ['desk', 'mobile'] as const);
  const aStep = fc.record({
    targets: fc.array(target, { maxLength: 3 }),
    devices,
    seconds: fc.integer({ min: 1, max: 60 }),
  });
  const stories = fc.record({
    steps: fc.array(aStep, { maxLength: 6 }),
    unregistered: fc.subarray(Object.values(phones)),
  });
  fc.assert(
    fc.property(stories, ({ steps, unregistered }) => {
      const stat = steps.map(({ targets, devices, seconds }) => step(targets, devices, seconds));
      const call = new PaperCall('7011', { unregistered, roster: aRoster({ stat }) });
      // A step that rings no phone costs nothing, so only the others are waited for.
      const rungIn = new Set<number>();
      call.after(400);
      for (const { step, verdict } of call.factsOf('considered')) if (verdict === 'rung') rungIn.add(step);
      const dwellMs = [...rungIn].reduce((sum, number) => sum + (stat[number - 1]?.dwellMs ?? 0), 0);
      const reached = call.facts.find(({ fact }) => fact.fact === 'nobodyAccepted');
      be(reached !== undefined, 'voicemail was reached');
      be(reached.at - noon === dwellMs, `after ${reached.at - noon} ms instead of ${dwellMs}`);
      const numbers = call.legs.map(({ target }) => (target.kind === 'extension' ? target.extension : target.e164));
      be(new Set(numbers).size === numbers.length, 'a phone was rung twice');
    }),
    { numRuns: 200 },
  );
});

void t.test('people who do anything at any time: the shell is never asked for the impossible', async () => {
  const number = fc.constantFrom(...Object.values(phones), ...Object.values(mobiles));
  const doing = fc.constantFrom(
    'answers',
    'declines',
    'isBusy',
    'hangsUp',
    'losesSound',
    'presses',
  ) satisfies fc.Arbitrary<string>;
  const moves = fc.array(
    fc.record({ number, doing, key: fc.constantFrom('1', '4', '9'), afterS: fc.nat({ max: 20 }) }),
    {
      maxLength: 25,
    },
  );
  const tiers = { primary: always('ames'), backup: always('bell'), attending: always('chen') };
  fc.assert(
    fc.property(fc.constantFrom('7011', '7012', '7013', '1500'), moves, (dialled, moves) => {
      const call = new PaperCall(dialled, { roster: aRoster({ tiers }) });
      if (dialled === '1500') call.presses('2');
      for (const { number, doing, key, afterS } of moves) {
        call.after(afterS);
        if (call.endings > 0 || !call.rang(number)) continue;
        const phone = call.phone(number);
        const { status } = phone.leg;
        if (doing === 'presses') phone.presses(key);
        else if (doing === 'answers' && (status === 'ringing' || status === 'cancelled')) phone.answers();
        else if ((doing === 'declines' || doing === 'isBusy') && status === 'ringing') phone[doing]();
        else if ((doing === 'hangsUp' || doing === 'losesSound') && (status === 'answered' || status === 'bridged'))
          phone[doing]();
      }
      call.after(300);
      if (call.recording) call.presses('#').after(10);
      const isTalking = call.legs.some(({ status }) => status === 'bridged');
      be(call.endings === 1 || isTalking, `the call is neither over nor talking: ${call.state.name}`);
      be(
        isTalking || call.legs.every(({ status }) => status !== 'ringing' && status !== 'answered'),
        'somebody is left',
      );
    }),
    { numRuns: 500 },
  );
});
