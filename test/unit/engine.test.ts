import t from 'tap';
import { type CallEffect, CALLER, type CallEvent, type CallId, type LegId } from '../../src/core/call/index.ts';
import { plusMs } from '../../src/core/time/index.ts';
import { never } from '../../src/core/never.ts';
import { phi } from '../../src/core/phi/index.ts';
import {
  type AuditEntry,
  type AuditPort,
  type CallIndex,
  type CallSummary,
  Engine,
  type EngineParts,
  engineSchema,
  type NewCall,
  type Recorded,
  systemClock,
  systemRandom,
  type TelephonyEffect,
} from '../../src/engine/index.ts';
import { aPlan, aRoster, mobiles, phones, noon } from '../support/lakeside.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

const media = { path: 'anchored', codec: 'PCMU', cipher: 'none' } as const;
const plan = aPlan();
const roster = aRoster();

function aHouse(
  parts: {
    options?: object;
    audit?: AuditPort;
    isRegistered?: (extension: string) => boolean;
    keeping?: EngineParts['keeping'];
  } = {},
) {
  const clock = new VirtualClock(noon);
  const entries: AuditEntry[] = [];
  const rows: { readonly [key: string]: unknown }[] = [];
  const logged: string[] = [];
  const over: CallSummary[] = [];
  const unfinished: CallId[] = [];
  const memory: AuditPort = {
    attest: async (facts) => {
      entries.push(...facts);
      return 'durable';
    },
  };
  const index: CallIndex = {
    callStarted: (row) => void rows.push(row),
    callEnded: (row) => void rows.push(row),
    unfinished: () => unfinished,
  };
  const note = (_fields: object, message: string) => void logged.push(message);
  const engine = new Engine({
    options: engineSchema.parse(parts.options ?? {}),
    audit: parts.audit ?? memory,
    index,
    ...(parts.keeping === undefined ? {} : { keeping: parts.keeping }),
    documents: { current: () => ({ plan, roster }), upToDate: (roster) => roster },
    reachability: { isRegistered: parts.isRegistered ?? (() => true), trunkFault: () => null },
    clock,
    random: systemRandom,
    log: { info: note, warn: note, error: note },
    observer: { callArrived: () => {}, callOver: (summary) => void over.push(summary) },
  });
  const factsOf = (callId: CallId) => entries.flatMap((entry) => (entry.callId === callId ? [entry.fact.fact] : []));
  return { engine, clock, entries, rows, logged, over, unfinished, factsOf };
}

const fromWard: NewCall = {
  caller: { from: { kind: 'phone', extension: phones.ward }, number: null },
  dialled: '7011',
  peer: '127.0.0.1:5060/udp',
  sipCallId: 'abc@phone',
};

function dial(engine: Engine, dialled: string, perform?: (effect: TelephonyEffect) => void) {
  const effects: TelephonyEffect[] = [];
  const call = engine.callArrived(
    { ...fromWard, dialled },
    {
      perform(effect) {
        effects.push(effect);
        perform?.(effect);
      },
    },
  );
  if (call.kind === 'refused') throw new Error(`refused with ${call.sipStatus}`);
  const says = async (...events: readonly CallEvent[]) => {
    for (const event of events) call.emit(event);
    await settled();
  };
  return { ...call, effects, says, types: () => effects.map(({ type }) => type) };
}

const legId = (id: string) => id as LegId;

void t.test('a whole call: dialled, rung, accepted, talked, over', async (t) => {
  const { engine, clock, factsOf, over, rows } = aHouse();
  const call = dial(engine, '7011');
  t.match(call.callId, /^[A-HJ-NP-TV-Z2-9]{4}(-[A-HJ-NP-TV-Z2-9]{4}){2}$/);
  await settled();
  t.same(call.types(), ['answerCaller']);
  await call.says({ type: 'callerAnswered', media });
  t.same(call.types().slice(1), ['ringLeg', 'ringLeg', 'play']);
  await clock.pass(4_000);
  await call.says({ type: 'legAnswered', leg: legId('1'), media }, { type: 'bridged', leg: legId('1') });
  await clock.pass(60_000);
  await call.says({ type: 'legEnded', leg: legId('1'), by: 'remote' });
  t.same(call.types().slice(-2), ['hangUpCaller', 'callOver']);
  t.same(factsOf(call.callId).at(-1), 'ended');
  t.match(over, [
    {
      callId: call.callId,
      cause: 'calleeHungUp',
      service: 'cardiology',
      urgency: 'stat',
      acceptedBy: 'ames',
      reach: { service: 'cardiology', urgency: 'stat', timeToHumanMs: 4_000, breach: null },
      talkedMs: 60_000,
      lastedMs: 64_000,
    },
  ]);
  t.match(rows, [
    { from: phones.ward, dialled: '7011' },
    { cause: 'calleeHungUp', acceptedBy: 'ames', service: 'cardiology' },
  ]);
  t.same(engine.liveCalls, []);
  t.equal(clock.pending, 0, 'no timer outlives its call');
});

void t.test('facts are on disk before the acts behind them start', async (t) => {
  const journal: string[] = [];
  const waiting: (() => void)[] = [];
  const { engine } = aHouse({
    audit: {
      attest: (facts) => {
        journal.push(...facts.map(({ fact }) => fact.fact));
        return new Promise((resolve) => waiting.push(() => resolve('durable')));
      },
    },
  });
  const call = dial(engine, '7011', ({ type }) => journal.push(type));
  await call.says({ type: 'callerAnswered', media });
  t.same(journal, ['arrived', 'documentsUsed', 'decided']);
  waiting.shift()?.();
  await settled();
  t.same(journal.slice(3, 5), ['answerCaller', 'callerAnswered'], 'the next event waits for the first to be done');
  t.notOk(journal.includes('ringLeg'), 'intent is durable before the first ring');
  waiting.shift()?.();
  await settled();
  t.equal(journal.indexOf('ringLeg'), journal.lastIndexOf('legRung') + 1);
});

void t.test('an audit store that is slow, silent or broken does not stop the call', async (t) => {
  const slow: AuditPort = { attest: () => new Promise(() => {}) };
  const rejecting: AuditPort = { attest: async () => Promise.reject(new Error('disk full')) };
  const throwing: AuditPort = {
    attest: () => {
      throw new Error('disk full');
    },
  };
  for (const audit of [slow, rejecting, throwing]) {
    const { engine, clock, logged } = aHouse({ audit });
    const call = dial(engine, '7011');
    await clock.pass(audit === slow ? 99 : 0);
    t.equal(call.effects.length, audit === slow ? 0 : 1);
    await clock.pass(1);
    t.same(call.types(), ['answerCaller']);
    t.same(logged.slice(0, 1), [audit === slow ? 'audit is late, the call goes on' : 'audit refused facts']);
  }
});

void t.test('an event that comes while the audit writes keeps its own time', async (t) => {
  const slowMs = 50;
  const entries: AuditEntry[] = [];
  const clockOf: { clock?: VirtualClock } = {};
  const { engine, clock } = aHouse({
    audit: {
      attest: (facts) => {
        entries.push(...facts);
        return new Promise((resolve) => clockOf.clock?.after(slowMs, () => resolve('durable')));
      },
    },
  });
  clockOf.clock = clock;
  const call = dial(engine, '7011');
  await clock.pass(10);
  const hungUpAt = clock.now();
  await call.says({ type: 'callerHungUp' });
  await clock.pass(200);
  t.equal(entries.find(({ fact }) => fact.fact === 'ended')?.at, hungUpAt);
  t.same(call.types(), ['answerCaller', 'callOver']);
});

void t.test('a clock that is set back in the middle of a call makes no duration wrong', async (t) => {
  const { engine, clock, over } = aHouse();
  const call = dial(engine, '7011');
  await clock.pass(2_000);
  clock.setBack(3_600_000);
  await clock.pass(1_000);
  await call.says({ type: 'callerHungUp' });
  await clock.pass(0);
  t.match(over, [{ lastedMs: 3_000 }]);

  const talk = dial(engine, '7011');
  await talk.says({ type: 'callerAnswered', media });
  await talk.says({ type: 'legAnswered', leg: legId('1'), media }, { type: 'bridged', leg: legId('1') });
  clock.setBack(3_600_000);
  await clock.pass(60_000);
  await talk.says({ type: 'legEnded', leg: legId('1'), by: 'remote' });
  t.match(over[1], { talkedMs: 60_000, lastedMs: 60_000 });

  const asked = dial(engine, '7011');
  await asked.says({ type: 'callerAnswered', media });
  await asked.says({ type: 'legAnswered', leg: legId('2'), media });
  clock.setBack(3_600_000);
  await clock.pass(30_000);
  const mobile = asked.effects.filter((effect) => effect.type === 'standDownLeg' && effect.leg === '2');
  t.match(mobile, [{ because: 'notAccepted' }], 'taken for a mailbox all the same');
});

void t.test('an error ends that call only', async (t) => {
  void t.test('in the shell', async (t) => {
    const { engine, factsOf, logged } = aHouse();
    const broken = dial(engine, '7011', ({ type }) => {
      if (type === 'ringLeg') throw new Error('socket is gone');
    });
    const other = dial(engine, '7011');
    await broken.says({ type: 'callerAnswered', media });
    await other.says({ type: 'callerAnswered', media });
    t.same(broken.types().slice(-1), ['callOver']);
    t.equal(factsOf(broken.callId).filter((fact) => fact === 'ended').length, 1);
    t.ok(logged.includes('call ended by an error'));
    t.same(engine.liveCalls, [other.callId]);
    t.ok(other.types().includes('ringLeg'));
  });
  void t.test('in a decision', async (t) => {
    const { engine, entries, over } = aHouse({
      isRegistered: (extension) => {
        if (extension === phones.bell) throw new Error('registrations are unreadable');
        return true;
      },
    });
    const call = dial(engine, phones.bell);
    await settled();
    t.match(entries.at(-1)?.fact, { fact: 'ended', cause: 'internalError', fault: 'wardline' });
    t.equal(over[0]?.cause, 'internalError');
    await call.says({ type: 'callerHungUp' });
    t.same(call.types(), ['callOver'], 'events after the end are ignored');
  });
  void t.test('by flooding its inbox', async (t) => {
    const { engine, over, clock } = aHouse({ audit: { attest: () => new Promise(() => {}) } });
    const call = dial(engine, '7011');
    await settled();
    for (let i = 0; i < 1_001; i += 1) call.emit({ type: 'legRinging', leg: legId('1'), sipStatus: 180 });
    await settled();
    t.same(over, [], 'the ending waits for the audit');
    await clock.pass(100);
    t.equal(over[0]?.cause, 'internalError');
    t.same(call.types(), ['callOver']);
  });
});

void t.test('an error behind the ending does not end the call a second time', async (t) => {
  const { engine, factsOf, over } = aHouse();
  const call = dial(engine, '4711', ({ type }) => {
    if (type === 'refuseCaller') throw new Error('no socket');
  });
  await settled();
  t.equal(factsOf(call.callId).filter((fact) => fact === 'ended').length, 1);
  t.same(call.types(), ['refuseCaller', 'callOver'], 'and telephony is told to let go');
  t.equal(over.length, 1);
});

void t.test('the door: too many calls, and a house that is stopping', async (t) => {
  const { engine, clock, entries, rows } = aHouse({ options: { maxCalls: 1 } });
  const first = dial(engine, '7011');
  const outside: NewCall = {
    ...fromWard,
    caller: { from: { kind: 'trunk', trunk: 'carrier' }, number: phi('+12025559999') },
    dialled: '+12025558888',
  };
  const nobody = { perform: (_effect: CallEffect) => t.fail('a refused call causes nothing') };
  t.same(engine.callArrived(outside, nobody), { kind: 'refused', sipStatus: 503 });
  await settled();
  t.same(
    entries.filter(({ callId }) => callId !== first.callId).map(({ fact }) => fact.fact),
    ['arrived', 'refusedAtDoor', 'ended'],
  );
  t.match(rows.slice(1), [{ from: phi('+12025559999'), dialled: '[phi]' }, { cause: 'overloaded' }]);
  t.equal((rows[1]!['from'] as ReturnType<typeof phi>).reveal(), '+12025559999');
  t.notMatch(JSON.stringify(rows), /5558888|5559999/);

  const drained = engine.drain(1_000);
  t.equal(engine.callArrived(outside, nobody).kind, 'refused');
  await first.says({ type: 'callerAnswered', media });
  await clock.pass(999);
  t.same(engine.liveCalls, [first.callId]);
  await clock.pass(1);
  t.equal(await drained, 1);
  t.same(first.types().slice(-4), ['standDownLeg', 'standDownLeg', 'hangUpCaller', 'callOver']);
  t.match(entries.at(-1)?.fact, { fact: 'ended', cause: 'shuttingDown' });
});

void t.test('how a call sounded is known after its end, and goes into its record all the same', async (t) => {
  const { engine, entries } = aHouse();
  const call = dial(engine, phones.ames);
  await call.says({ type: 'callerHungUp' });
  const sound = { mosHundredths: 430, lostPermille: 5, jitterMs: 3, roundTripMs: null, farMosHundredths: null };
  await call.says({ type: 'soundMeasured', leg: CALLER, sound });
  await call.says({ type: 'promptFinished', leg: CALLER, token: 1 });
  t.same(
    entries.slice(-2).map(({ fact }) => fact.fact),
    ['ended', 'soundMeasured'],
  );
  t.match(entries.at(-1), { callId: call.callId, fact: { leg: 'caller', mosHundredths: 430 } });
  t.same(engine.liveCalls, []);
});

void t.test('no disk takes facts: what is STAT goes on, everything else is asked to come again', async (t) => {
  let canKeep = false;
  const { engine, factsOf, entries } = aHouse({
    keeping: { canKeep: () => canKeep, isStat: (dialled) => dialled === '7011' },
  });
  const nobody = { perform: (_effect: CallEffect) => t.fail('a refused call causes nothing') };
  t.same(engine.callArrived({ ...fromWard, dialled: phones.ames }, nobody), { kind: 'refused', sipStatus: 503 });
  await settled();
  t.match(entries.at(-1)?.fact, { fact: 'ended', cause: 'notRecordable', fault: 'wardline' });
  const stat = dial(engine, '7011');
  await settled();
  t.ok(factsOf(stat.callId).includes('arrived'), 'and is on record in memory');
  canKeep = true;
  t.equal(engine.callArrived({ ...fromWard, dialled: phones.ames }, { perform: () => {} }).kind, 'taken');
});

void t.test('draining waits for calls that end by themselves', async (t) => {
  const { engine, clock } = aHouse();
  const call = dial(engine, phones.ames);
  const drained = engine.drain();
  await call.says({ type: 'callerHungUp' });
  t.equal(await drained, 0);
  t.equal(clock.pending, 0);
});

void t.test('calls that a dead process left open get their ending', async (t) => {
  const { engine, unfinished, entries, rows } = aHouse();
  t.equal(await engine.recover(), 0);
  unfinished.push('AAAA-AAAA' as CallId, 'BBBB-BBBB' as CallId);
  t.equal(await engine.recover(), 2);
  t.match(entries, [
    { callId: 'AAAA-AAAA', fact: { fact: 'ended', cause: 'wardlineRestarted' } },
    { callId: 'BBBB-BBBB', fact: { fact: 'ended', cause: 'wardlineRestarted' } },
    { callId: null, fact: { fact: 'callsLost', calls: ['AAAA-AAAA', 'BBBB-BBBB'] } },
  ]);
  t.equal(rows.length, 2);
});

/** A dead process left a call of a chain in which the doctor had been talking for ten seconds. */
async function leftTalking(callId = 'AAAA-AAAA' as CallId) {
  const house = aHouse();
  const { clock, engine, unfinished } = house;
  const at = clock.now();
  const since = plusMs(at, 3_000);
  unfinished.push(callId, 'BBBB-BBBB' as CallId);
  const recorded: Recorded = [
    { at, fact: { fact: 'arrived', from: '2101', number: null, dialled: '7011', peer: 'x', sipCallId: 'y' } },
    { at, fact: { fact: 'escalationStarted', service: 'cardiology', urgency: 'stat', chain: 'stat', steps: 2 } },
    { at: since, fact: { fact: 'accepted', leg: '2', person: 'ames', how: 'answeredDesk', step: 1 } },
    { at: since, fact: { fact: 'bridged', leg: '2' } },
  ];
  await clock.pass(13_000);
  const ended = await engine.recover(
    new Map([
      [callId, recorded],
      ['CCCC-CCCC' as CallId, recorded],
    ]),
  );
  const hungUp: string[] = [];
  const emit = engine.talkAdopted(callId, { hangUp: (cause) => hungUp.push(cause) });
  if (emit === null) throw new Error('nobody to tell');
  return { ...house, ended, hungUp, emit };
}

void t.test('who still talks when another process takes over has the ending of those two', async (t) => {
  const leg = '2' as LegId;
  const endings = [
    [{ type: 'callerHungUp' }, 'callerHungUp', 'stoodDown'],
    [{ type: 'legEnded', leg: CALLER, by: 'remote' }, 'callerHungUp', 'stoodDown'],
    [{ type: 'legEnded', leg: CALLER, by: 'mediaLost' }, 'mediaLost', 'stoodDown'],
    [{ type: 'legEnded', leg, by: 'remote' }, 'calleeHungUp', 'hungUp'],
    [{ type: 'legEnded', leg, by: 'mediaLost' }, 'mediaLost', 'mediaLost'],
    [{ type: 'signallingLost' }, 'wardlineRestarted', 'stoodDown'],
  ] as const;
  for (const [event, cause, kind] of endings) {
    const { engine, emit, clock, entries, hungUp, over, rows, ended } = await leftTalking();
    t.equal(ended, 1, 'the other call of the dead process');
    t.same(engine.liveCalls, ['AAAA-AAAA']);
    emit({ type: 'legEnded', leg: '9' as LegId, by: 'remote' });
    emit({ type: 'legRinging', leg, sipStatus: 180 });
    await clock.pass(1_000);
    t.same(hungUp, [], 'what is of no other call changes nothing');
    emit(event);
    emit({ type: 'callerHungUp' });
    await clock.pass(1);
    t.match(
      entries.filter(({ callId }) => callId === 'AAAA-AAAA').map(({ fact }) => fact),
      [
        { fact: 'adopted', leg },
        { fact: 'legEnded', leg, result: { kind } },
        { fact: 'ended', cause, talkedMs: 11_000 },
      ],
      event.type,
    );
    t.same(hungUp, [cause]);
    t.match(over, [{ cause, acceptedBy: 'ames', service: 'cardiology', lastedMs: 14_000, talkedMs: 11_000 }]);
    t.match(over[0]?.reach, { timeToHumanMs: 3_000 });
    t.match(rows.at(-1), { callId: 'AAAA-AAAA', cause, acceptedBy: 'ames', service: 'cardiology' });
    t.same(engine.liveCalls, []);
  }
});

void t.test('a house that stops waits for who still talks, and then ends them', async (t) => {
  const { engine, clock, entries, hungUp } = await leftTalking();
  const drained = engine.drain(5_000);
  await clock.pass(5_000);
  t.equal(await drained, 1);
  t.same(hungUp, ['shuttingDown']);
  t.match(entries.at(-1)?.fact, { fact: 'ended', cause: 'shuttingDown' });
  t.equal(engine.talkAdopted('AAAA-AAAA' as CallId, { hangUp: () => {} }), null, 'nobody adopts it twice');
  t.equal(engine.talkAdopted('CCCC-CCCC' as CallId, { hangUp: () => {} }), null, 'that one is over on record');
});

void t.test('a case that nobody foresaw is named, and nothing that it carries', async (t) => {
  const unforeseen = { type: 'ringSky', target: { e164: '+12025550188' }, dialled: '+12025550188' } as never;
  t.throws(() => never(unforeseen), { message: 'unhandled case: type ringSky' });
  t.throws(() => never({ dialled: '+12025550188' } as never), { message: 'unhandled case: an object of dialled' });
  t.throws(() => never('ringing' as never), { message: 'unhandled case: ringing' });
});

void t.test('the digit to accept differs from that of the call before', async (t) => {
  const { engine } = aHouse({ options: { maxCalls: 1_000 } });
  const digits: string[] = [];
  for (let i = 0; i < 60; i += 1) {
    const call = dial(engine, '7011');
    await call.says({ type: 'callerAnswered', media });
    const mobile = call.effects.find((effect) => effect.type === 'ringLeg' && effect.target.kind === 'number');
    t.match(mobile, { target: { e164: mobiles.ames } });
    await call.says({ type: 'legAnswered', leg: legId('2'), media });
    const gather = call.effects.find(({ type }) => type === 'gather');
    const spoken = gather?.type === 'gather' ? gather.prompts.find(({ say }) => say === 'digits') : undefined;
    digits.push(spoken?.say === 'digits' ? spoken.digits : '');
  }
  t.ok(digits.every((digit) => /^[1-8]$/.test(digit)));
  t.ok(digits.every((digit, i) => digit !== digits[i - 1]));
  t.equal(new Set(digits).size, 8);
});

void t.test('the clock and the randomness of the machine', async (t) => {
  await new Promise<void>((resolve) => {
    const keepAlive = setInterval(() => {}, 1_000);
    systemClock.after(1, () => {
      clearInterval(keepAlive);
      resolve();
    });
  });
  systemClock.after(0, () => t.fail('cancelled')).cancel();
  t.ok(systemClock.now() > 1_700_000_000_000);
  t.ok(Number.isInteger(systemClock.now()), 'the canonical form of a fact takes integers only');
  t.ok(systemRandom.below(3) < 3);
  t.equal(systemRandom.bytes(16).length, 16);
});
