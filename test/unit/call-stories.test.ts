import t from 'tap';
import { CALLER } from '../../src/core/call/index.ts';
import { aPlan, phones, mobiles } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';

void t.test('extension to extension: ring, answer, talk, hang up from either side', async (t) => {
  for (const side of ['callee', 'caller'] as const) {
    const call = new PaperCall(phones.ames);
    t.equal(call.caller, 'hearsRinging');
    t.equal(call.legs[0]?.media, 'direct');
    t.equal(call.legs[0]?.displayName, 'Ward 4B');
    call.after(4).phone(phones.ames).answers();
    t.equal(call.caller, 'answered');
    call.after(10);
    if (side === 'callee') call.phone(phones.ames).hangsUp();
    else call.hangsUp();
    t.equal(call.endedBecause, side === 'callee' ? 'calleeHungUp' : 'callerHungUp');
    t.equal(call.fact('ended')?.talkedMs, 10_000);
    t.equal(call.legs[0]?.status, 'gone');
  }
});

void t.test('extension to extension: every failure has its ending', async (t) => {
  const ways = {
    busy: { kind: 'busy', sipStatus: 486 },
    declined: { kind: 'declined', sipStatus: 603 },
    noAnswer: { kind: 'noAnswer', sipStatus: 480 },
    unreachable: { kind: 'unreachable', sipStatus: 408 },
    mediaUnavailable: { kind: 'mediaFailed', why: 'no port' },
  } as const;
  for (const [cause, result] of Object.entries(ways)) {
    const call = new PaperCall(phones.ames);
    call.phone(phones.ames).fails(result);
    t.equal(call.refusedWith, cause);
    t.equal(call.endedBecause, cause);
  }
  t.equal(new PaperCall(phones.ames, { unregistered: [phones.ames] }).refusedWith, 'notRegistered');
  t.equal(new PaperCall(phones.ward).refusedWith, 'busy', 'the calling phone');
  t.equal(new PaperCall('9999').refusedWith, 'numberNotInService');
});

void t.test('a refusal is spoken only where no phone would show it', async (t) => {
  const words = { verb: 'refuse', cause: 'notAllowed', prompts: [{ say: 'id', id: 'no-key' }] } as const;
  const wordless = { verb: 'refuse', cause: 'numberNotInService', prompts: [] } as const;
  const menu = {
    verb: 'menu',
    id: 'm',
    greeting: [],
    prompts: [{ say: 'id', id: 'main-menu' }],
    keys: { 1: words, 2: wordless },
    noKeyMs: 5_000,
    tries: 1,
    wrongKey: [],
    noKey: [],
    otherwise: wordless,
  } as const;
  const plan = aPlan([
    { number: '8001', from: 'anywhere', to: words },
    { number: '8002', from: 'anywhere', to: wordless },
    { number: '8003', from: 'inside', to: menu },
  ]);
  const inside = new PaperCall('8001', { plan });
  t.equal(inside.refusedWith, 'notAllowed', 'the phone shows 403');
  t.same(inside.heard, []);
  t.same(new PaperCall('8001', { plan, fromTrunk: true }).heard, ['no-key']);
  t.equal(new PaperCall('8002', { plan, fromTrunk: true }).refusedWith, 'numberNotInService');
  t.equal(new PaperCall('8003', { plan }).presses('1').heard.at(-1), 'no-key');
  const spoken = new PaperCall('8003', { plan }).presses('2');
  t.equal(spoken.heard.at(-1), 'number-not-in-service');
  t.equal(spoken.after(2).endedBecause, 'numberNotInService');
});

void t.test('nobody answers in time: the phone stops and the caller is told', async (t) => {
  const call = new PaperCall(phones.ames).after(20);
  t.equal(call.phone(phones.ames).leg.stoodDownBecause, 'stepOver');
  t.equal(call.after(0.1).refusedWith, 'noAnswer');
  t.equal(call.factsOf('legEnded').length, 1);
});

void t.test('a phone that does not even say that it was cancelled costs one second', async (t) => {
  const call = new PaperCall(phones.ames);
  call.phone(phones.ames).leg.status = 'gone';
  t.equal(call.after(20.9).refusedWith, null);
  t.equal(call.after(0.1).refusedWith, 'noAnswer');
});

void t.test(
  'a phone that is picked up in the instant of the time-out has answered: any right human beats no human',
  async (t) => {
    const call = new PaperCall(phones.ames).after(20);
    const desk = call.phone(phones.ames).answers();
    t.equal(desk.leg.status, 'bridged', 'the answer crossed the CANCEL');
    t.equal(call.after(30).caller, 'answered');
    desk.hangsUp();
    t.equal(call.endedBecause, 'calleeHungUp');
  },
);

void t.test('so it is in a ring group: whoever picks up while it is stopped has the call', async (t) => {
  for (const [group, member, forS] of [
    ['4100', phones.icu, 20],
    ['4100', phones.bell, 20],
    ['4101', phones.icu, 10],
  ] as const) {
    const call = new PaperCall(group).after(forS);
    const desk = call.phone(member).answers();
    t.equal(desk.leg.status, 'bridged', `${member} in ${group}`);
    t.equal(call.after(30).caller, 'answered');
    t.equal(call.legs.filter(({ status }) => status === 'ringing').length, 0, 'and nobody else is rung');
    desk.hangsUp();
    t.equal(call.endedBecause, 'calleeHungUp');
    t.equal(call.factsOf('legEnded').length, call.legs.length + 1, 'one end of each leg, and that of the conversation');
  }
});

void t.test(
  'a ring group that is stopped goes on at once, and waits one second for phones that say nothing',
  async (t) => {
    const call = new PaperCall('4101').after(10);
    t.notOk(call.rang(phones.ames));
    t.ok(call.after(0.1).rang(phones.ames), 'the CANCEL is answered: the next one');
    const silent = new PaperCall('4101');
    silent.phone(phones.icu).leg.status = 'gone';
    t.notOk(silent.after(10.9).rang(phones.ames));
    t.ok(silent.after(0.2).rang(phones.ames));
    const left = new PaperCall('4100').after(20).hangsUp();
    t.equal(left.endedBecause, 'callerCancelled');
    t.equal(left.factsOf('legEnded').length, left.legs.length, 'one leg has one end on record');
  },
);

void t.test('a caller who hangs up while the phone is being stopped ends both', async (t) => {
  const call = new PaperCall(phones.ames).after(20).hangsUp();
  t.equal(call.endedBecause, 'callerCancelled');
  t.equal(call.factsOf('legEnded').length, 1, 'one leg has one end on record');
});

void t.test('a phone that was picked up in the last moment is not stopped by the time-out', async (t) => {
  const call = new PaperCall(phones.ames);
  const desk = call.phone(phones.ames);
  call.happenTogether([desk.answer(), { type: 'ringTimedOut', leg: desk.leg.id }]);
  call.after(30);
  t.equal(desk.leg.status, 'bridged');
  t.equal(call.caller, 'answered');
});

void t.test('CANCEL stops the phone', async (t) => {
  const call = new PaperCall(phones.ames).after(2).hangsUp();
  t.equal(call.endedBecause, 'callerCancelled');
  t.equal(call.phone(phones.ames).leg.stoodDownBecause, 'callerGone');
});

void t.test('otherwise: an unanswered extension leads to its voicemail', async (t) => {
  const call = new PaperCall(phones.icu).after(20.1);
  t.equal(call.caller, 'answered');
  t.same(call.heard, ['voicemail-greeting-office', 'beep']);
  const late = call.phone(phones.icu).answers();
  t.equal(late.leg.status, 'gone', 'an answer that crosses its CANCEL is hung up');
  call.after(2).hangsUp();
  t.equal(call.endedBecause, 'messageLeft');
  t.equal(call.endings, 1);
});

void t.test('voicemail: each way a recording ends', async (t) => {
  const recording = () => new PaperCall(phones.icu, { unregistered: [phones.icu] }).after(2);
  void t.test('the recorder fails: a spoken refusal', async (t) => {
    const call = recording().recordingEnds('failed', 0);
    t.equal(call.heard.at(-1), 'voicemail-unavailable');
    t.equal(call.after(2).endedBecause, 'recordingFailed');
  });
  void t.test('nothing was said', async (t) => {
    t.equal(recording().recordingEnds('silence', 0).after(2).endedBecause, 'noMessageLeft');
  });
  void t.test('the caller hangs up during the greeting', async (t) => {
    const call = new PaperCall(phones.icu, { unregistered: [phones.icu] }).hangsUp();
    t.equal(call.endedBecause, 'noMessageLeft');
  });
  void t.test('the recorder never says what it got', async (t) => {
    const call = recording().happens({ type: 'callerHungUp' });
    t.equal(call.endings, 0);
    t.equal(call.after(5).endedBecause, 'recordingFailed');
  });
  void t.test('the house stops: the message so far is kept', async (t) => {
    const call = recording().happens({ type: 'wardlineStopping' });
    t.equal(call.caller, 'hungUp');
    t.equal(call.recordingEnds('hangUp', 3_000).endedBecause, 'messageLeft');
  });
});

void t.test('7010 asks how urgent it is', async (t) => {
  t.equal(new PaperCall('7010').presses('1').fact('escalationStarted')?.urgency, 'stat');
  t.equal(new PaperCall('7010').presses('3').fact('escalationStarted')?.urgency, 'routine');
  t.equal(new PaperCall('7010').after(6).fact('escalationStarted')?.urgency, 'urgent', 'no key is urgent');
  const wrong = new PaperCall('7010').presses('8');
  t.same(wrong.heard.slice(-2), ['wrong-key', 'urgency-menu']);
  wrong.presses('8').presses('8');
  t.equal(wrong.fact('escalationStarted')?.urgency, 'urgent', 'three wrong keys count as none');
  t.same(
    wrong.factsOf('keyPressed').map(({ meaning }) => meaning),
    ['no such key', 'no such key', 'no such key: urgent'],
  );
});

void t.test('the main line for a caller from the trunk', async (t) => {
  const main = () => new PaperCall('+12025550100', { fromTrunk: true });
  t.same(main().heard, ['main-greeting', 'main-menu']);
  t.same(main().presses('5').heard.slice(-2), ['wrong-key', 'main-menu']);
  t.same(main().after(7).heard.slice(-2), ['no-key', 'main-menu']);

  const lost = main().presses('5').presses('5');
  t.same(lost.ringing, [phones.operator], 'the tries are used up: the operator');
  t.equal(lost.legs[0]?.media, 'anchored');
  t.equal(lost.callerHears, 'ringback');
  lost.phone(phones.operator).answers();
  t.equal(lost.callerHears, 'leg');

  const clinical = main().presses('2');
  t.equal(clinical.fact('escalationStarted')?.urgency, 'urgent');
  const mobile = clinical.after(20).phone(mobiles.ames).answers();
  t.ok(mobile.leg.heard.includes('from-outside'));

  const message = main().presses('1').after(2);
  t.match(message.recording, { mailbox: 'office', urgent: false });
});

void t.test('operator does not answer: on to the next verb, and words when there is none', async (t) => {
  const call = new PaperCall('1500').presses('0').after(20.1);
  t.same(call.heard.slice(-2), ['voicemail-greeting-office', 'beep']);
});

void t.test('no media server: a chain rings desk phones, and the first to answer has the caller', async (t) => {
  const call = new PaperCall('7011', { answerFails: true });
  t.same(
    call.legs.map(({ target, media }) => [target, media]),
    [[{ kind: 'extension', extension: phones.ames }, 'direct']],
    'no mobile: what answers it could not be asked to prove a human',
  );
  t.match(call.factsOf('considered').find(({ device }) => device === 'mobile')?.because, /no media server/);
  t.match(call.factsOf('decided').at(-1)?.trace, [{ says: 'no media server: no media' }], 'the record says so');
  t.equal(call.caller, 'hearsRinging', 'who can be told nothing hears that it rings');
  t.equal(call.refusedWith, null);

  call.after(20);
  t.ok(call.rang(phones.bell), 'the chain goes on');
  call.phone(phones.bell).answers();
  t.equal(call.caller, 'answered');
  t.equal(call.fact('accepted')?.how, 'answeredDesk');
  t.ok(call.fact('bridged'));
  t.same(call.ringing, []);
  t.same(call.heard, []);
  call.after(30).phone(phones.bell).hangsUp();
  t.equal(call.endedBecause, 'calleeHungUp');
  t.equal(call.fact('ended')?.talkedMs, 30_000);
});

void t.test('no media server and nobody answers: the phone shows it, and nobody is left ringing', async (t) => {
  const call = new PaperCall('7011', { answerFails: true }).after(600);
  t.equal(call.refusedWith, 'noAnswer');
  t.ok(call.fact('nobodyAccepted'));
  t.same(call.ringing, []);
  const nobody = new PaperCall('7011', { answerFails: true, unregistered: Object.values(phones) });
  t.equal(nobody.refusedWith, 'mediaUnavailable', 'with no desk phone to ring it is the media that is missing');
});

void t.test('no media server: an answer that crosses its CANCEL is hung up, not talked to', async (t) => {
  const call = new PaperCall('7011', { answerFails: true });
  call.after(20).phone(phones.bell).answers();
  const late = call.phone(phones.ames);
  if (late.leg.status !== 'gone') late.answers();
  t.equal(call.fact('bridged')?.leg, call.phone(phones.bell).leg.id);
  call.after(5).hangsUp();
  t.equal(call.endedBecause, 'callerHungUp');
  t.ok(call.legs.every(({ status }) => status !== 'answered' && status !== 'bridged' && status !== 'ringing'));
});

void t.test('no media server: the only phone in the conversation is lost, so the call is', async (t) => {
  const call = new PaperCall('7011', { answerFails: true });
  call.phone(phones.ames).answers();
  call.after(7).phone(phones.ames).losesSound();
  t.equal(call.endedBecause, 'mediaLost');
  t.equal(call.fact('ended')?.talkedMs, 7000);
  t.equal(call.caller, 'hungUp');
});

void t.test('no media server: a question counts as not answered, a mailbox as not there', async (t) => {
  const urgent = new PaperCall('7010', { answerFails: true });
  t.ok(urgent.rang(phones.ames), 'how urgent it is cannot be asked: as the plan says for no key');
  t.ok(urgent.fact('escalationStarted'));
  const main = new PaperCall('+12025550100', { answerFails: true, fromTrunk: true });
  t.equal(main.legs[0]?.media, 'direct', 'the menu leads to the operator');
  t.equal(main.after(20.1).refusedWith, 'mediaUnavailable', 'and from there to a mailbox that is not there');
  t.equal(new PaperCall('9999', { answerFails: true, fromTrunk: true }).refusedWith, 'numberNotInService');
});

void t.test('no media server: what was to be said is left out, and the way of the plan is gone', async (t) => {
  const without = { answerFails: true, fromTrunk: true };
  const keyed = new PaperCall('4102', without);
  t.match(
    keyed.legs[0],
    { target: { kind: 'extension' }, media: 'direct' },
    'nothing keyed, nothing said, a group rings',
  );
  const plan = aPlan([
    {
      number: '8004',
      from: 'anywhere',
      to: {
        verb: 'say',
        prompts: [{ say: 'letters', letters: '4B' }],
        then: { verb: 'ring', extension: phones.icu, forMs: 20_000, otherwise: null },
      },
    },
  ]);
  const said = new PaperCall('8004', { ...without, plan });
  t.ok(said.rang(phones.icu));
  said.phone(phones.icu).answers();
  t.equal(said.caller, 'answered');
  t.same(said.heard, []);
  t.equal(new PaperCall('4105', without).refusedWith, 'planBusy');
});

void t.test("the caller's sound is lost: everybody is hung up", async (t) => {
  const call = new PaperCall('7011');
  call.phone(phones.ames).answers();
  call.happens({ type: 'legEnded', leg: CALLER, by: 'mediaLost' });
  t.equal(call.endedBecause, 'mediaLost');
  t.equal(call.caller, 'hungUp');
  t.equal(call.phone(phones.ames).leg.status, 'gone');
});

void t.test('the house stops: whatever the call is doing ends with the cause', async (t) => {
  t.equal(new PaperCall(phones.ames).happens({ type: 'wardlineStopping' }).refusedWith, 'shuttingDown');
  const talking = new PaperCall('7011');
  talking.phone(phones.ames).answers();
  talking.happens({ type: 'wardlineStopping' });
  t.equal(talking.endedBecause, 'shuttingDown');
  t.equal(talking.phone(phones.ames).leg.status, 'gone');
});

void t.test(
  'the signalling server was started anew: the call ends, and the record says whose doing it was',
  async (t) => {
    const call = new PaperCall('7011');
    call.phone(phones.ames).answers();
    call.happens({ type: 'signallingLost' });
    t.equal(call.endedBecause, 'wardlineRestarted');
    t.equal(call.caller, 'hungUp');
    t.equal(call.phone(phones.ames).leg.status, 'gone');
  },
);
