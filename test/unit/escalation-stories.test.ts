import t from 'tap';
import type { CallEvent } from '../../src/core/call/index.ts';
import type { Device } from '../../src/core/oncall/index.ts';
import { plusMs } from '../../src/core/time/index.ts';
import { always, aRoster, mobiles, noon, phones, step } from '../support/lakeside.ts';
import { PaperCall, type PaperPhone } from '../support/paper-phones.ts';

const tier = (name: 'primary' | 'backup' | 'attending') => ({ kind: 'tier', tier: name }) as const;

/** Primary and backup in one step. */
const together = (devices: readonly Device[]) => [step([tier('primary'), tier('backup')], devices, 30)];

void t.test('STAT rings desk and mobile of the primary together, and a desk answer takes the call', async (t) => {
  const call = new PaperCall('7011');
  t.same(call.ringing, [phones.ames, mobiles.ames]);
  t.equal(call.callerHears, 'ringback');
  t.same(call.heard, ['calling-the-on-call', 'Cardiology', 'urgency-stat']);
  t.equal(call.phone(phones.ames).leg.displayName, 'Cardiology STAT: Ward 4B');

  call.after(3).phone(phones.ames).answers();
  t.same(call.fact('accepted'), { fact: 'accepted', leg: '1', person: 'ames', how: 'answeredDesk', step: 1 });
  t.equal(call.callerHears, 'leg');
  t.same(call.ringing, []);
  t.equal(call.phone(mobiles.ames).leg.stoodDownBecause, 'takenElsewhere');

  call.after(61).phone(phones.ames).hangsUp();
  t.equal(call.endedBecause, 'calleeHungUp');
  t.equal(call.fact('ended')?.talkedMs, 61_000);
  t.equal(call.caller, 'hungUp');
});

void t.test('a mobile proves a human: it hears who calls and what to press, and only then gets the call', async (t) => {
  const call = new PaperCall('7011', { acceptDigit: '4' });
  const mobile = call.phone(mobiles.ames).answers();
  t.equal(call.fact('accepted'), undefined, 'an answer alone is no acceptance');
  t.equal(call.callerHears, 'ringback');
  t.same(mobile.leg.heard, [
    'call-for-you',
    'Cardiology',
    'urgency-stat',
    'from-extension',
    'Ward 4B',
    'to-accept-press',
    '4',
    'to-decline-press-nine',
  ]);
  mobile.presses('4');
  t.equal(call.fact('accepted')?.how, 'pressedDigit');
  t.equal(mobile.leg.status, 'bridged');
});

void t.test('a mailbox that answers never gets the caller', async (t) => {
  void t.test('silence, asked three times', async (t) => {
    const call = new PaperCall('7012', { unregistered: [phones.ames] });
    t.same(call.ringing, [mobiles.ames], 'the unregistered desk cost no time');
    call.phone(mobiles.ames).answers();
    call.after(29);
    t.same(
      call.factsOf('challengeAnswered').map(({ result }) => result),
      ['silence', 'silence', 'silence'],
    );
    t.equal(call.phone(mobiles.ames).leg.stoodDownBecause, 'notAccepted');
    t.equal(call.fact('accepted'), undefined);
    t.same(call.ringing, [phones.bell, mobiles.bell], 'the chain went on meanwhile');
  });
  void t.test('what it sounds like is written down, and decides nothing', async (t) => {
    const call = new PaperCall('7011');
    const mobile = call.phone(mobiles.ames).answers();
    const { id: leg } = mobile.leg;
    call.after(4).happens({ type: 'answerHinted', leg, hint: 'mailbox', speechMs: 3000, pauseMs: 0 });
    t.same(call.fact('answerHinted'), { fact: 'answerHinted', leg, hint: 'mailbox', speechMs: 3000, pauseMs: 0 });
    t.equal(mobile.leg.status, 'answered');
    mobile.presses('7');
    call.happens({ type: 'answerHinted', leg, hint: 'human', speechMs: 500, pauseMs: 800 });
    t.equal(call.fact('accepted'), undefined);
    mobile.presses('4');
    t.equal(call.fact('accepted')?.how, 'pressedDigit', 'whoever presses is human, whatever he sounded like');
    call.happens({ type: 'answerHinted', leg, hint: 'unsure', speechMs: 9000, pauseMs: 0 });
    t.equal(call.factsOf('answerHinted').length, 2, 'a conversation is no answer');
  });
  void t.test('30 seconds of talk', async (t) => {
    const call = new PaperCall('7011');
    const mobile = call.phone(mobiles.ames).answers();
    call.after(12.9);
    mobile.presses('7');
    call.after(8.9);
    mobile.presses('7');
    call.after(8.1);
    t.equal(mobile.leg.status, 'answered');
    call.after(0.1);
    t.equal(mobile.leg.status, 'gone');
    t.equal(mobile.leg.stoodDownBecause, 'notAccepted');
    t.same(call.factsOf('challengeAnswered').at(-1)?.result, 'timeout');
    t.equal(call.fact('accepted'), undefined);
  });
  void t.test('a wrong digit three times', async (t) => {
    const call = new PaperCall('7011', { acceptDigit: '4' });
    const mobile = call.phone(mobiles.ames).answers();
    mobile.presses('1').presses('2').presses('3');
    t.equal(mobile.leg.status, 'gone');
    t.equal(call.fact('accepted'), undefined);
    t.same(call.ringing, [phones.ames], 'the desk rings on');
  });
  void t.test('hanging up', async (t) => {
    const call = new PaperCall('7011', { unregistered: [phones.ames] });
    call.phone(mobiles.ames).answers().hangsUp();
    t.equal(call.elapsed, 0);
    t.same(call.ringing, [phones.bell, mobiles.bell], 'the next step rings at once');
  });
});

void t.test('whoever takes the call at the desk is not told on the mobile who has it', async (t) => {
  void t.test('in the middle of the question', async (t) => {
    const call = new PaperCall('7011');
    const mobile = call.phone(mobiles.ames).answers();
    call.phone(phones.ames).answers();
    t.notOk(mobile.leg.heard.includes('taken-by'));
    t.equal(mobile.leg.status, 'gone');
    t.same(
      call.factsOf('challengeAnswered').map(({ result }) => result),
      [],
      'nobody was too late',
    );
  });
  void t.test('with an answer that crosses the CANCEL', async (t) => {
    const call = new PaperCall('7011');
    call.phone(phones.ames).answers();
    const mobile = call.phone(mobiles.ames).answers();
    t.same(mobile.leg.heard, []);
    t.equal(mobile.leg.status, 'gone');
    t.equal(call.factsOf('accepted').length, 1);
  });
});

void t.test('9 on the mobile is the no of the person', async (t) => {
  void t.test('the desk phone stops too and the next step rings at once', async (t) => {
    const call = new PaperCall('7011');
    call.phone(mobiles.ames).answers().presses('9');
    t.equal(call.elapsed, 0);
    t.equal(call.phone(phones.ames).leg.stoodDownBecause, 'notAccepted');
    t.same(call.ringing, [phones.bell, mobiles.bell]);
  });
  void t.test('a later step does not ring the other phone', async (t) => {
    const stat = [step([tier('primary')], ['mobile'], 15), step([tier('primary'), tier('backup')], ['desk'], 15)];
    const call = new PaperCall('7011', { roster: aRoster({ stat }) });
    call.phone(mobiles.ames).answers().presses('9');
    t.same(call.ringing, [phones.bell]);
    t.match(call.factsOf('considered')[1], { person: 'ames', verdict: 'skipped', because: 'has declined this call' });
  });
  void t.test('a desk phone that was picked up in the same moment still takes the call', async (t) => {
    const call = new PaperCall('7011');
    const mobile = call.phone(mobiles.ames).answers();
    const no = mobile.key('9');
    call.happenTogether([...(no ? [no] : []), call.phone(phones.ames).answer()]);
    t.equal(call.fact('accepted')?.how, 'answeredDesk');
  });
  void t.test('the phones of a post may be with different people', async (t) => {
    const call = new PaperCall('7011').after(45);
    call.phone(mobiles.supervisor).answers().presses('9');
    t.same(call.ringing, [phones.operator, phones.supervisor]);
  });
  void t.test('declining at the desk is only that phone: it may be anybody who silenced it', async (t) => {
    const call = new PaperCall('7011');
    call.phone(phones.ames).declines();
    t.same(call.ringing, [mobiles.ames]);
  });
});

void t.test('a person who holds two tiers of one step is rung once on each phone', async (t) => {
  const tiers = { primary: always('ames'), backup: always('ames') };
  const call = new PaperCall('7011', { roster: aRoster({ tiers, stat: together(['desk', 'mobile']) }) });
  t.same(call.ringing, [phones.ames, mobiles.ames]);
  const skipped = call.factsOf('considered').filter(({ verdict }) => verdict === 'skipped');
  t.same(
    skipped.map(({ because }) => because),
    ['desk phone 3101 rings already', 'mobile rings already'],
  );
});

void t.test('the operator who dials a service is not rung in its last step, the others are', async (t) => {
  const call = new PaperCall('7011', { from: phones.operator }).after(45);
  t.same(call.ringing, [phones.supervisor, mobiles.supervisor]);
});

void t.test('a shift that ends in the second in which its step ends: nobody is rung for the old one', async (t) => {
  const rotation = { kind: 'rotation', everyDays: 1, since: '2026-11-23T12:00', people: ['bell', 'ames'] } as never;
  const stat = [step([tier('backup')], ['desk'], 15), step([tier('primary')], ['desk'], 15)];
  const roster = aRoster({ tiers: { primary: [rotation], backup: [rotation] }, stat });
  const call = new PaperCall('7011', { roster, at: plusMs(noon, 86_400_000 - 15_000) }).after(15);
  t.same(call.ringing, [phones.ames]);
  t.equal(call.legs.length, 2);
});

void t.test('a caller who hangs up while the chain only waits for somebody who is asked', async (t) => {
  const call = new PaperCall('7011').after(59);
  const mobile = call.phone(mobiles.supervisor).answers();
  call.after(2).hangsUp();
  t.equal(mobile.leg.status, 'gone');
  t.equal(mobile.leg.stoodDownBecause, 'callerGone');
  t.equal(call.endedBecause, 'callerHungUp');
});

void t.test('9 declines and the next step rings at once', async (t) => {
  const call = new PaperCall('7011', { unregistered: [phones.ames] });
  call.phone(mobiles.ames).answers().presses('9');
  t.equal(call.elapsed, 0);
  t.same(call.ringing, [phones.bell, mobiles.bell]);
  t.same(call.heard.slice(-1), ['trying-the-backup'], 'and the caller is told');
  t.equal(call.callerHears, 'ringback');
});

void t.test('declined, busy, unreachable, unregistered and empty steps cost no waiting', async (t) => {
  const call = new PaperCall('7011', {
    unregistered: [phones.bell],
    roster: aRoster({ tiers: { primary: always('ames'), backup: always('bell') } }),
  });
  call.phone(phones.ames).declines();
  t.same(call.ringing, [mobiles.ames], 'the step goes on while one phone rings');
  call.phone(mobiles.ames).isBusy();
  t.same(call.ringing, [mobiles.bell]);
  call.phone(mobiles.bell).fails({ kind: 'unreachable', sipStatus: 408 });
  t.same(call.ringing, [phones.operator, phones.supervisor, mobiles.supervisor], 'nobody is attending: skipped');
  t.equal(call.elapsed, 0);
  const skipped = call.factsOf('considered').filter(({ verdict }) => verdict === 'skipped');
  t.same(
    skipped.map(({ person, because }) => [person, because.split(';')[0]]),
    [
      ['bell', 'desk phone 3102 is not registered'],
      ['', 'cardiology has no attending'],
      ['operator', 'has no mobile'],
    ],
  );
  t.same(
    call.factsOf('stepOver').map(({ because }) => because),
    ['everybodyFailed', 'everybodyFailed', 'nobodyToRing'],
  );
});

void t.test('a trunk that is down does not cost time, and the audit says so', async (t) => {
  const call = new PaperCall('7011', { trunkFault: 'no answer to OPTIONS' });
  t.same(call.ringing, [phones.ames]);
  t.match(call.factsOf('considered')[1]?.because, /^mobile cannot be reached, trunk carrier: no answer to OPTIONS/);
});

void t.test('the calling phone is never rung', async (t) => {
  const call = new PaperCall('7011', { from: phones.ames });
  t.same(call.ringing, [mobiles.ames]);
  t.match(call.factsOf('considered')[0]?.because, /is the calling phone/);
});

void t.test('a phone is rung once, whoever it is rung for', async (t) => {
  const roster = aRoster({ tiers: { primary: always('ames'), backup: always('ames'), attending: always('chen') } });
  const call = new PaperCall('7011', { roster }).after(15);
  t.same(call.ringing, [phones.chen, mobiles.chen], 'the backup is the primary: 0 s');
  t.equal(call.legs.length, 4);
});

void t.test('the dwell of a step: the phones that did not answer stop, the next ones ring', async (t) => {
  const call = new PaperCall('7011').after(14.9);
  t.same(call.ringing, [phones.ames, mobiles.ames]);
  call.after(0.1);
  t.same(call.ringing, [phones.bell, mobiles.bell]);
  t.equal(call.phone(phones.ames).leg.stoodDownBecause, 'stepOver');
});

void t.test('somebody who picks up in the moment in which the time is up is not hung up', async (t) => {
  const late = (call: PaperCall, phone: PaperPhone, timer: CallEvent) => {
    const answer = phone.answer();
    call.happenTogether([timer, answer]);
  };
  void t.test('at a desk: takes the call', async (t) => {
    const call = new PaperCall('7011').after(14.9);
    late(call, call.phone(phones.ames), { type: 'stepTimedOut', step: 1 });
    t.equal(call.phone(phones.ames).leg.status, 'bridged');
    t.same(call.ringing, []);
  });
  void t.test('on a mobile: is asked', async (t) => {
    const call = new PaperCall('7011').after(14.9);
    const mobile = call.phone(mobiles.ames);
    late(call, mobile, { type: 'stepTimedOut', step: 1 });
    mobile.presses('4');
    t.equal(mobile.leg.status, 'bridged');
  });
  void t.test('when somebody else has the call: is told and let go', async (t) => {
    const call = new PaperCall('7011', { roster: aRoster({ stat: together(['desk']) }) });
    const bell = call.phone(phones.bell);
    call.happenTogether([call.phone(phones.ames).answer(), bell.answer()]);
    t.same(bell.leg.heard, ['taken-by', 'Dr Ames']);
    call.after(2);
    t.equal(bell.leg.status, 'gone');
  });
});

void t.test('the timer of an earlier step does not cut a later one short', async (t) => {
  const call = new PaperCall('7012').after(5);
  call.phone(phones.ames).declines();
  t.same(call.ringing, [mobiles.ames]);
  call.after(24.9);
  t.same(call.ringing, [mobiles.ames], '25 s from when it began to ring');
  call.after(0.1);
  t.same(call.ringing, [phones.bell, mobiles.bell]);
});

void t.test('nobody answers: voicemail at the sum of the dwells, marked urgent for STAT', async (t) => {
  const call = new PaperCall('7011').after(59.9);
  t.same(call.ringing, [phones.operator, phones.supervisor, mobiles.supervisor]);
  t.same(call.heard.slice(-4), ['trying', 'the operator', 'and', 'the house supervisor']);
  call.after(0.1);
  t.same(call.ringing, []);
  t.same(call.heard.slice(-3), ['voicemail-greeting-service', 'voicemail-urgent-note', 'beep']);
  t.ok(call.fact('nobodyAccepted'));
  call.after(3);
  t.match(call.recording, { mailbox: 'cardiology', urgent: true, messageId: 'm1', maxMs: 300_000 });
  call.presses('#');
  t.equal(call.heard.at(-1), 'review-keys', 'who ends it by key may hear it, say it again, or leave it so');
  call.presses('#');
  t.equal(call.heard.at(-1), 'voicemail-saved');
  call.after(2);
  t.equal(call.caller, 'hungUp');
  t.equal(call.endedBecause, 'messageLeft');
});

void t.test('a routine message is not marked urgent', async (t) => {
  const call = new PaperCall('7013').after(25);
  t.match(call.recording, { urgent: false });
});

void t.test('two mobiles accept within the same moment: one wins, the other hears who took the call', async (t) => {
  const stat = [step([tier('primary'), tier('backup')], ['mobile'], 30)];
  const call = new PaperCall('7011', { roster: aRoster({ stat }) });
  const ames = call.phone(mobiles.ames).answers();
  const bell = call.phone(mobiles.bell).answers();
  call.happenTogether([bell.key('4'), ames.key('4')].filter((key): key is CallEvent => key !== null));
  t.same(
    call.factsOf('accepted').map(({ person }) => person),
    ['bell'],
  );
  t.same(ames.leg.heard.slice(-2), ['taken-by', 'Dr Bell']);
  t.equal(ames.leg.status, 'answered', 'it is hung up after it has heard so');
  call.after(2);
  t.equal(ames.leg.status, 'gone');
  t.equal(bell.leg.status, 'bridged');
});

void t.test('an answer that crosses its CANCEL', async (t) => {
  void t.test('is sent away politely when the call is taken', async (t) => {
    const call = new PaperCall('7011', { roster: aRoster({ stat: together(['desk', 'mobile']) }) });
    call.phone(phones.ames).answers();
    const mobile = call.phone(mobiles.bell).answers();
    t.same(mobile.leg.heard, ['taken-by', 'Dr Ames']);
    call.after(2);
    t.equal(mobile.leg.status, 'gone');
    t.equal(call.factsOf('accepted').length, 1, 'a late accept does not steal the call');
  });
  void t.test('takes the call when nobody has, from a desk phone', async (t) => {
    const call = new PaperCall('7011').after(15);
    call.phone(phones.ames).answers();
    t.equal(call.fact('accepted')?.person, 'ames');
    t.equal(call.fact('accepted')?.step, 1);
    t.same(call.ringing, []);
  });
  void t.test('takes the call while the voicemail greeting plays', async (t) => {
    const call = new PaperCall('7011').after(60);
    call.phone(phones.operator).answers();
    t.equal(call.fact('accepted')?.person, 'operator');
    t.equal(call.callerHears, 'leg');
    call.after(10);
    t.equal(call.recording, null, 'the greeting that was replaced starts no recording');
  });
});

void t.test('somebody of an earlier step who is being asked may still take the call', async (t) => {
  void t.test('while the next step rings', async (t) => {
    const call = new PaperCall('7011').after(14);
    const mobile = call.phone(mobiles.ames).answers();
    call.after(2);
    t.same(call.ringing, [phones.bell, mobiles.bell]);
    mobile.presses('4');
    t.equal(call.fact('accepted')?.person, 'ames');
    t.same(call.ringing, []);
  });
  void t.test('when the chain is through; voicemail waits for the answer, bounded', async (t) => {
    const call = new PaperCall('7011').after(59);
    const mobile = call.phone(mobiles.supervisor).answers();
    call.after(2);
    t.equal(call.fact('nobodyAccepted'), undefined);
    t.equal(call.callerHears, 'ringback');
    call.after(28);
    t.ok(call.fact('nobodyAccepted'), '30 s after the mobile answered');
    t.equal(mobile.leg.status, 'gone');
  });
});

void t.test('a hand-over while ringing adds the successor and does not drop the first', async (t) => {
  const handOff = '2026-11-23T12:00';
  const rotation = { kind: 'rotation', everyDays: 1, since: handOff, people: ['bell', 'ames'] } as never;
  const roster = aRoster({ tiers: { primary: [rotation], backup: always('chen') } });
  const call = new PaperCall('7011', { roster, at: plusMs(noon, 86_400_000 - 10_000) });
  t.same(call.ringing, [phones.bell, mobiles.bell]);
  call.after(10);
  t.same(call.ringing, [phones.bell, mobiles.bell, phones.ames, mobiles.ames]);
  call.phone(phones.ames).answers();
  t.equal(call.fact('accepted')?.person, 'ames');
});

void t.test('a shift that begins while others ring brings its person in', async (t) => {
  const rotation = { kind: 'rotation', everyDays: 7, since: '2026-11-23T12:00', people: ['bell'] } as never;
  const stat = [step([tier('primary'), tier('backup')], ['desk'], 15)];
  const roster = aRoster({ tiers: { primary: [rotation], backup: always('chen') }, stat });
  const call = new PaperCall('7011', { roster, at: plusMs(noon, -5_000) });
  t.same(call.ringing, [phones.chen]);
  call.after(5);
  t.same(call.ringing, [phones.chen, phones.bell]);
});

void t.test('the on-call person is looked up again at each step', async (t) => {
  const rotation = { kind: 'rotation', everyDays: 1, since: '2026-11-23T12:00', people: ['bell', 'ames'] } as never;
  const stat = [step([tier('primary')], ['desk'], 15), step([tier('primary')], ['desk'], 15)];
  const roster = aRoster({ tiers: { primary: [rotation] }, stat });
  const call = new PaperCall('7011', { roster, at: plusMs(noon, 86_400_000 - 15_000) });
  t.same(call.ringing, [phones.bell]);
  call.after(15);
  t.same(call.ringing, [phones.ames]);
});

void t.test('a caller who hangs up stops everything at once', async (t) => {
  const call = new PaperCall('7011').after(14);
  call.phone(mobiles.ames).answers();
  call.after(2).hangsUp();
  t.same(
    call.legs.map(({ status }) => status),
    ['cancelled', 'gone', 'cancelled', 'cancelled'],
  );
  t.equal(call.endedBecause, 'callerHungUp');
  t.equal(call.endings, 1);
});

void t.test('the winner is lost: the caller goes back into the chain', async (t) => {
  void t.test('in the middle of the talk, to the phones that only stopped because of the winner', async (t) => {
    const call = new PaperCall('7011');
    call.phone(phones.ames).answers();
    call.after(30).phone(phones.ames).losesSound();
    t.same(call.ringing, [mobiles.ames]);
    t.same(call.heard.slice(-2), ['im-sorry', 'one-moment-please']);
    t.equal(call.callerHears, 'ringback');
    call.after(15);
    t.same(call.ringing, [phones.bell, mobiles.bell]);
    t.equal(call.endedBecause, undefined);
  });
  void t.test('before a word was spoken, also by hanging up', async (t) => {
    const call = new PaperCall('7013');
    const desk = call.phone(phones.ames);
    const answer = desk.answer();
    call.happenTogether([answer, { type: 'legEnded', leg: desk.leg.id, by: 'remote' }]);
    t.ok(call.fact('nobodyAccepted'), 'the chain had one step: voicemail');
  });
  void t.test('when the bridge fails', async (t) => {
    const call = new PaperCall('7011');
    const desk = call.phone(phones.ames);
    call.happenTogether([desk.answer(), { type: 'bridgeFailed', leg: desk.leg.id, why: 'no port' }]);
    t.same(call.ringing, [mobiles.ames]);
    t.equal(desk.leg.status, 'gone');
  });
});

void t.test('the winner is lost while another still hears who took the call: that one gets it after all', async (t) => {
  void t.test('on a mobile with the question again, and time enough to answer it', async (t) => {
    const call = new PaperCall('7011', { roster: aRoster({ stat: together(['mobile']) }) });
    const bell = call.phone(mobiles.bell).answers();
    const ames = call.phone(mobiles.ames).answers();
    // The second attempt: its time to answer has nearly run out when the other one presses the digit.
    call.after(25);
    ames.presses('4').losesSound();
    t.equal(call.legs.length, 2, 'nobody is called a second time while on the line');
    t.equal(call.callerHears, 'ringback');
    t.same(call.heard.slice(-2), ['im-sorry', 'one-moment-please']);
    call.after(10);
    t.equal(bell.leg.status, 'answered', 'the time of the first question does not count');
    bell.presses('4');
    t.equal(call.callerHears, 'leg');
    t.equal(bell.leg.status, 'bridged');
    t.same(
      call.factsOf('accepted').map(({ person }) => person),
      ['ames', 'bell'],
    );
  });
  void t.test('at a desk at once', async (t) => {
    const call = new PaperCall('7011', { roster: aRoster({ stat: together(['desk']) }) });
    const ames = call.phone(phones.ames).answers();
    const bell = call.phone(phones.bell).answers();
    t.same(bell.leg.heard, ['taken-by', 'Dr Ames']);
    ames.losesSound();
    t.equal(bell.leg.status, 'bridged');
    t.equal(call.callerHears, 'leg');
  });
  void t.test('and who presses nothing leaves the caller to voicemail', async (t) => {
    const call = new PaperCall('7011', { roster: aRoster({ stat: together(['mobile']) }) });
    const bell = call.phone(mobiles.bell).answers();
    call.phone(mobiles.ames).answers().presses('4').losesSound();
    call.after(31);
    t.equal(bell.leg.status, 'gone');
    t.ok(call.fact('nobodyAccepted'));
  });
});

void t.test('the audit tells the story in order', async (t) => {
  const call = new PaperCall('7011').after(5);
  call.phone(phones.ames).answers().hangsUp();
  t.same(
    call.facts.map(({ fact }) => fact.fact),
    [
      'arrived',
      'documentsUsed',
      'decided',
      'callerAnswered',
      'escalationStarted',
      'stepStarted',
      'considered',
      'legRung',
      'considered',
      'legRung',
      'legRinging',
      'legRinging',
      'legAnswered',
      'accepted',
      'legEnded',
      'bridged',
      'legEnded',
      'ended',
    ],
  );
});
