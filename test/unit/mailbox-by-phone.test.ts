import t from 'tap';
import { CALLER } from '../../src/core/call/index.ts';
import type { PlanSource } from '../../src/core/dialplan/index.ts';
import { retrace, simulate, tellSimulation } from '../../src/core/simulate/index.ts';
import { instant, plusMs } from '../../src/core/time/index.ts';
import { absenceEnd, type MessageBrief } from '../../src/core/voicemail/index.ts';
import { aPlan, aRoster, noon, phones } from '../support/lakeside.ts';
import { type Circumstances, PaperCall } from '../support/paper-phones.ts';

const left = (messageId: string, ageMs: number, more: Partial<MessageBrief> = {}): MessageBrief => ({
  messageId,
  at: plusMs(noon, -ageMs),
  isUrgent: false,
  state: 'new',
  from: null,
  isClaimed: false,
  isPrivate: false,
  callBack: null,
  sentBy: null,
  isForwarded: false,
  service: null,
  ...more,
});
const mailboxes: PlanSource['mailboxes'] = [
  { id: phones.ames, name: 'Dr Ames' },
  { id: phones.bell, name: 'Dr Bell' },
  { id: 'office', name: 'Office' },
  { id: 'cardiology', name: 'Cardiology', phones: [phones.ward], openTo: [phones.ames] },
];
const own = { number: '*97', from: 'inside', to: { verb: 'mailbox', whose: 'own' } } as const;
const ask = { number: '+12025550197', from: 'trunk', to: { verb: 'mailbox', whose: 'ask' } } as const;
const toAmes = {
  number: '1700',
  from: 'inside',
  to: { verb: 'voicemail', mailbox: phones.ames, urgent: false, greeting: [] },
} as const;
const plan = aPlan([own, ask, toAmes], { mailboxes });
const pin = '271828';
const holds = {
  [phones.ames]: {
    pin,
    holds: [
      left('saved', 9000, { state: 'saved' }),
      left('late', 1000),
      left('early', 5000, { from: phones.ward }),
      left('urgent', 10, { isUrgent: true }),
    ],
  },
  [phones.bell]: { pin: '314159', holds: [] },
  cardiology: { pin: '999000', holds: [left('ward', 1)] },
};
const dial = (circumstances: Circumstances = {}) =>
  new PaperCall('*97', { plan, from: phones.ames, mailboxes: holds, ...circumstances }).after(1);
const opened = (circumstances: Circumstances = {}) => dial(circumstances).presses(pin).after(1);
const played = (call: PaperCall) => call.heard.filter((id) => id.startsWith('<'));

void t.test('*97 from the own phone asks for the PIN and tells what there is, urgent first', async (t) => {
  const call = dial();
  t.same(call.heard, ['mailbox-pin']);
  call.presses(pin).after(1);
  t.same(played(call), ['<urgent>']);
  t.match(call.fact('mailboxOpened'), { mailbox: phones.ames, person: phones.ames, device: phones.ames, messages: 4 });
  t.match(call.fact('messageAccessed'), { how: 'heard', messageId: 'urgent', device: phones.ames });
  t.equal(
    call.heard.slice(1, call.heard.indexOf('<urgent>')).join(' '),
    'mailbox-of 3101 3 mailbox-new 1 mailbox-kept mailbox-urgent mailbox-from-outside mailbox-received 1123 mailbox-at 1159',
  );
  call.presses('6').presses('6').presses('6').presses('6');
  t.same(played(call), ['<urgent>', '<early>', '<late>', '<saved>']);
  t.ok(call.heard.includes('mailbox-no-more'));
  t.same(call.changes, [], 'whoever only skips has heard nothing');
  call.presses('4');
  t.equal(played(call).at(-1), '<saved>');
});

void t.test('keep, delete, undo and claim are done at once and on record', async (t) => {
  const call = opened().presses('5').after(1).presses('2').presses('3').presses('*').presses('#').after(5);
  t.same(call.changes, [
    '3101 heard urgent',
    '3101 claims urgent',
    '3101 heard urgent',
    '3101 saved urgent',
    '3101 heard early',
    '3101 deleted early',
    '3101 heard late',
    '3101 restored early',
    '3101 heard late',
  ]);
  t.same(
    call.factsOf('messageAccessed').map(({ how, messageId }) => `${how} ${messageId}`),
    [
      'heard urgent',
      'claimed urgent',
      'saved urgent',
      'heard early',
      'deleted early',
      'heard late',
      'restored early',
      'heard ward',
    ],
  );
  // The shared mailbox comes next, with the same PIN.
  t.equal(played(call).at(-1), '<ward>');
  t.equal(call.presses('#').after(5).endedBecause, 'mailboxClosed');
});

void t.test('no PIN, no messages: wrong ones are counted and the caller is let go', async (t) => {
  const call = dial();
  for (const wrong of ['000000', '111111', '222222']) call.presses(wrong).after(1);
  call.after(5);
  t.equal(call.endedBecause, 'mailboxClosed');
  t.same(
    call.factsOf('pinTried').map(({ result }) => result),
    ['wrong', 'wrong', 'wrong'],
  );
  t.same(played(call), []);
  t.notMatch(JSON.stringify(call.facts), '000000', 'what was keyed stands nowhere');
});

void t.test('a shared mailbox is opened by a person with the PIN of their own', async (t) => {
  const ward = dial({ from: phones.ward });
  t.same(ward.heard, ['mailbox-which']);
  ward.presses(phones.ames).after(1).presses(pin).after(1);
  t.match(ward.fact('mailboxOpened'), { mailbox: 'cardiology', person: phones.ames, device: phones.ward });
  t.same(played(ward), ['<ward>']);
  const bell = dial({ from: phones.ward }).presses(phones.bell).after(1).presses('314159').after(1);
  t.equal(bell.heard.at(-1), 'mailbox-which', 'whoever may not is asked again');
  t.same(played(bell), []);
});

void t.test('from outside by number and PIN; a number that there is not sounds like a wrong PIN', async (t) => {
  const outside = (keyed: string, pinKeyed: string) =>
    new PaperCall('+12025550197', { plan, fromTrunk: true, mailboxes: holds })
      .after(1)
      .presses(keyed)
      .after(1)
      .presses(pinKeyed)
      .after(1);
  t.same(played(outside(phones.ames, pin)), ['<urgent>']);
  t.same(outside('8888', pin).heard, outside(phones.ames, '000000').heard);
});

void t.test('call back rings the phone that left it, never an outside number', async (t) => {
  const call = opened().presses('6').presses('8');
  t.same(call.ringing, [phones.ward]);
  const none = opened().presses('8');
  t.ok(none.heard.includes('mailbox-no-callback'));
  t.same(none.ringing, []);
});

void t.test('what the caller marked is what is heard: private, and where to be called back', async (t) => {
  const marked = (callBack: string, from: string | null) =>
    opened({ mailboxes: { [phones.ames]: { pin, holds: [left('m', 1, { isPrivate: true, callBack, from })] } } });
  t.equal(marked('2101', null).heard.includes('mailbox-private'), true);
  t.equal(opened().heard.includes('mailbox-private'), false);
  t.same(marked(phones.bell, phones.ward).presses('8').ringing, [phones.bell]);
  t.same(marked('911', phones.ward).presses('8').ringing, [phones.ward], 'no phone of the house');
  const none = marked('911', null).presses('8');
  t.same([none.ringing, none.heard.includes('mailbox-no-callback')], [[], true]);
});

void t.test('0 leads to the operator, silence to an end', async (t) => {
  t.same(opened().presses('0').ringing, [phones.operator]);
  t.equal(opened().after(600).endedBecause, 'mailboxClosed');
});

void t.test('a message that cannot be opened is said and on record, and the others go on', async (t) => {
  const call = opened({ unplayable: ['urgent'] }).after(1);
  t.ok(call.heard.includes('mailbox-damaged'));
  t.match(call.fact('messageUnplayable'), { messageId: 'urgent', why: 'damaged' });
  t.same(played(call.presses('6')), ['<early>']);
});

void t.test('a store that cannot be read is said', async (t) => {
  const { [phones.ames]: ames } = holds;
  const call = new PaperCall('*97', {
    plan,
    from: phones.ames,
    mailboxes: { [phones.ames]: { ...ames!, holds: null } },
  })
    .after(1)
    .presses(pin)
    .after(1);
  t.equal(call.heard.at(-1), 'mailbox-unavailable');
});

void t.test('keys during a greeting open nothing', async (t) => {
  const call = new PaperCall('1700', { plan, mailboxes: holds }).after(0);
  call.presses('*').presses('9').after(10);
  t.ok(call.recording);
  t.notOk(call.fact('mailboxOpened'));
});

void t.test('the simulator gets as far as the PIN', async (t) => {
  const told = tellSimulation(
    simulate(plan, aRoster(), {
      from: phones.ames,
      to: '*97',
      at: noon,
    }),
    plan,
  );
  t.match(told.join('\n'), /open the mailbox of this phone[\s\S]*End: whoever opened a mailbox was done/);
});

const deliver = (opener: string, mailbox = 'cardiology') =>
  ({
    party: { person: 'bell', target: { kind: 'extension', extension: phones.bell } },
    errand: { errand: 'deliver', messageId: 'ward', mailbox, opener },
  }) as const;

void t.test('the house brings a message: a PIN shows who it is, and only that message can be heard', async (t) => {
  const two = {
    ...holds,
    cardiology: { pin: '999000', holds: [left('other', 2), left('ward', 1, { isUrgent: true })] },
  };
  const call = dial({ called: deliver(phones.bell), mailboxes: two });
  t.match(call.factsOf('houseCalled'), [{ person: 'bell', about: 'deliver', messageId: 'ward' }]);
  call.picksUp().after(1);
  t.same(call.heard, ['chase-waits', 'Cardiology', 'mailbox-pin']);
  call.presses('314159').after(1);
  t.match(call.factsOf('mailboxOpened'), [{ mailbox: 'cardiology', person: phones.bell, messages: 1 }]);
  t.same(played(call), ['<ward>']);
  call.presses('3');
  t.equal(call.changes.includes(`${phones.bell} deleted ward`), false, 'the mailbox is not hers to clear');
  call.presses('5').after(1);
  t.match(call.factsOf('messageAccessed').at(-1), { how: 'claimed', messageId: 'ward', person: phones.bell });
  t.equal(call.presses('#').after(5).heard.includes('<late>'), false);
});

void t.test('without a PIN of their own they sign with that of the mailbox', async (t) => {
  const call = dial({ called: deliver(phones.chen), mailboxes: holds })
    .picksUp()
    .after(1)
    .presses('111222')
    .after(1);
  t.match(call.factsOf('pinTried'), [{ mailbox: phones.chen, result: 'noPin' }]);
  call.presses('999000').after(1);
  t.match(call.factsOf('mailboxOpened'), [{ mailbox: 'cardiology', person: 'cardiology' }]);
});

void t.test('a mailbox of a carrier hears that something waits, and no more', async (t) => {
  const call = dial({ called: deliver(phones.bell) })
    .picksUp()
    .after(120);
  t.equal(call.endedBecause, 'mailboxClosed');
  t.same(played(call), []);
});

void t.test('nobody picks up, it is busy, or it is settled meanwhile', async (t) => {
  t.equal(dial({ called: deliver(phones.bell) }).after(60).endedBecause, 'noAnswer');
  const busy = { type: 'legFailed', leg: CALLER, result: { kind: 'busy', sipStatus: 486 } } as const;
  t.equal(dial({ called: deliver(phones.bell) }).happens(busy).endedBecause, 'busy');
  const settled = { type: 'errandSettled' } as const;
  t.equal(dial({ called: deliver(phones.bell) }).happens(settled).endedBecause, 'takenElsewhere');
  const listens = dial({ called: deliver(phones.bell) })
    .picksUp()
    .after(1)
    .happens(settled);
  t.equal(listens.endedBecause, undefined, 'whoever listens is not cut off');
});

void t.test('of two who claim one has it', async (t) => {
  const call = opened({ claimedBy: phones.bell }).presses('5').after(1);
  t.equal(call.heard.at(-2), 'mailbox-claimed-already');
  t.equal(
    call.factsOf('messageAccessed').some(({ how }) => how === 'claimed'),
    false,
  );
});

void t.test('whoever left a message is told what became of it', async (t) => {
  const about = { messageId: 'ward', mailbox: 'cardiology' };
  const outside = { person: '', target: { kind: 'number', e164: '+12025550166', trunk: 'carrier' } } as const;
  const call = dial({ called: { party: outside, errand: { errand: 'tellClaimed', ...about } } });
  t.notMatch(
    JSON.stringify(call.factsOf('houseCalled')),
    /0166/,
    'a number of a patient is not on record in the clear',
  );
  call.picksUp().after(10);
  t.same([call.heard, call.endedBecause], [['chase-claimed', 'chase-claimed'], 'callerTold']);
});

void t.test('a greeting is recorded by phone, heard again, and deleted', async (t) => {
  const call = opened().presses('9').presses('4').presses('3').presses('2').after(2);
  t.equal(call.callerHears, 'recorder');
  call.presses('#').after(1);
  const [set] = call.factsOf('greetingChanged');
  t.match(set, { how: 'recorded', mailbox: phones.ames, kind: 'absence', durationMs: 4000, device: phones.ames });
  t.match(set?.greetingId, /^greeting-m1-\d+$/);
  t.equal(call.changes.at(-1), `${phones.ames} absence of ${phones.ames}: ${set?.greetingId}`);
  t.equal(call.heard.at(-1), 'absence-until', 'an absence is asked for its end');
  call.presses('0').after(1);
  t.match(call.factsOf('greetingChanged').at(-1), { how: 'endSet', greetingId: set?.greetingId, endsAt: null });
  t.same(call.heard.slice(-2), ['greeting-set', 'absence-keys']);
  call.presses('2').after(2).recordingEnds('key', 300);
  t.equal(call.heard.at(-2), 'greeting-none', 'a slip of the finger is no greeting');
  const known = opened({ greetings: { usual: 'greeting-old' } })
    .presses('9')
    .presses('4')
    .presses('1')
    .presses('1');
  t.equal(played(known).at(-1), '<greeting-old>');
  known.presses('3');
  t.match(known.factsOf('greetingChanged'), [{ how: 'deleted', greetingId: 'greeting-old' }]);
  t.equal(known.presses('#').after(1).heard.at(-1), 'mailbox-keys', 'back to the messages');
});

void t.test('an absence ends by itself: in days, or on the first day back', async (t) => {
  const away = () =>
    opened({ greetings: { absence: 'g-absence' } })
      .presses('9')
      .presses('4')
      .presses('3')
      .presses('4');
  t.equal(away().heard.at(-1), 'absence-until');
  const wrong = away().presses('1332');
  t.same(wrong.heard.slice(-2), ['wrong-key', 'absence-until'], 'there is no such day');
  t.same(wrong.factsOf('greetingChanged'), []);
  const days = wrong.presses('2').after(1);
  const [fact] = days.factsOf('greetingChanged');
  t.match(fact, { how: 'endSet', kind: 'absence', greetingId: 'g-absence', person: phones.ames });
  t.equal(days.changes.at(-1), `absence of ${phones.ames} ends ${fact?.endsAt}`);
  t.ok(days.heard.includes('absence-ends'), 'which day that is');
  t.equal(
    away()
      .after(60)
      .changes.filter((change) => change.startsWith('absence')).length,
    0,
    'silence changes nothing',
  );

  const greetings = { usual: 'g-usual', absence: 'g-absence' };
  t.same(atHome({ greetings: { ...greetings, absenceEndsAt: plusMs(noon, 60_000) } }).heard[0], '<g-absence>');
  t.same(atHome({ greetings: { ...greetings, absenceEndsAt: plusMs(noon, -1) } }).heard[0], '<g-usual>');
});

void t.test('keys for a day mean midnight of the house, in whatever year it comes next', async (t) => {
  const at = instant(Date.parse('2026-11-23T23:30:00-06:00'));
  const ends = (keys: string) => {
    const end = absenceEnd(keys, 'America/Chicago', at);
    return end === null ? null : new Date(end).toISOString();
  };
  t.equal(ends('1'), '2026-11-24T06:00:00.000Z', 'today is the first day');
  t.equal(ends('14'), '2026-12-07T06:00:00.000Z');
  t.equal(ends('1124'), '2026-11-24T06:00:00.000Z');
  t.equal(ends('1123'), '2027-11-23T06:00:00.000Z', 'today is over');
  t.equal(ends('0704'), '2027-07-04T05:00:00.000Z', 'in summer time');
  t.equal(ends('0229'), '2028-02-29T06:00:00.000Z');
  for (const none of ['', '00', '0', '0230', '1301', '123', '12345']) t.equal(ends(none), null, none);
});

const atHome = (circumstances: Circumstances = {}) =>
  new PaperCall('1700', { plan, from: phones.ward, ...circumstances }).after(0);

void t.test(
  'callers hear what was recorded: absence first, then that of the hour; else what the house says',
  async (t) => {
    const all = { usual: 'g-usual', closed: 'g-closed', absence: 'g-absence' };
    t.same(atHome({ greetings: all }).heard, ['<g-absence>', 'beep']);
    t.same(
      atHome({ greetings: { usual: 'g-usual', closed: 'g-closed' } }).heard,
      ['<g-usual>', 'beep'],
      'no hours: always open',
    );
    const nights = aPlan([toAmes], {
      hours: [{ id: 'mornings', weekly: [{ weekday: 1, fromMinute: 0, toMinute: 60 }] }],
      mailboxes: [...mailboxes.slice(1), { id: phones.ames, name: 'Dr Ames', hours: 'mornings' }],
    });
    t.same(atHome({ plan: nights, greetings: { usual: 'g-usual', closed: 'g-closed' } }).heard, ['<g-closed>', 'beep']);
    const broken = atHome({ greetings: all, unplayable: ['g-absence'] }).after(1);
    t.same(broken.heard, ['voicemail-greeting-person', 'beep'], 'one that cannot be opened is not silence');
    t.equal(atHome({ greetings: all }).presses('0').after(1).ringing.includes(phones.operator), true);
  },
);

const recorded = () => atHome().after(5).presses('#');

void t.test('after "#" the caller hears it, marks it, leaves a number, says it again', async (t) => {
  const call = recorded();
  t.equal(call.heard.at(-1), 'review-keys');
  t.equal(call.fact('recordingEnded'), undefined, 'it is not delivered yet');
  call.presses('1');
  t.equal(played(call).at(-1), '<m1>');
  call.presses('3').presses('4').presses('5').presses('2102');
  t.match(call.factsOf('messageMarked'), [{ urgent: true }, { private: true }, { messageId: 'm1' }], 'at the key');
  t.equal(call.factsOf('messageMarked')[2]?.callBack?.reveal(), '2102');
  call.presses('#').after(5);
  t.match(call.factsOf('recordingEnded'), [{ messageId: 'm1', durationMs: 4000, urgent: true, private: true }]);
  t.equal(call.fact('recordingEnded')?.callBack?.reveal(), '2102');
  t.equal(call.endedBecause, 'messageLeft');

  const twice = recorded().presses('2').after(2).presses('#').hangsUp();
  t.match(twice.factsOf('recordingDiscarded'), [{ messageId: 'm1' }]);
  t.match(twice.factsOf('recordingEnded'), [{ messageId: 'm1-2', by: 'key' }], 'hanging up sends it');
  t.equal(twice.endedBecause, 'messageLeft');

  const asks = recorded().presses('0').after(1);
  t.same([asks.factsOf('recordingEnded').length, asks.ringing], [1, [phones.operator]], 'the message stays');
  const silent = recorded().after(20);
  t.equal(silent.endedBecause, 'messageLeft');
  t.notOk('urgent' in (silent.fact('recordingEnded') ?? {}));
  const stopped = recorded().happens({ type: 'wardlineStopping' });
  t.equal(stopped.factsOf('recordingEnded').length, 1);
});

void t.test('whoever says it again loses neither marks nor message', async (t) => {
  const marked = () => recorded().presses('3').presses('5').presses('2102').presses('2');
  const broken = marked().hangsUp();
  t.match(broken.factsOf('recordingEnded'), [{ messageId: 'm1', durationMs: 4000, urgent: true }]);
  t.same([broken.factsOf('recordingDiscarded'), broken.endedBecause], [[], 'messageLeft'], 'during the tone');
  const silent = marked().after(2).recordingEnds('silence', 0).after(5);
  t.match(silent.factsOf('recordingEnded'), [
    { messageId: 'm1-2', durationMs: 0 },
    { messageId: 'm1', urgent: true },
  ]);
  t.same([silent.factsOf('recordingDiscarded'), silent.endedBecause], [[], 'messageLeft']);
  const other = marked().after(2).hangsUp();
  t.match(other.factsOf('recordingStarted').at(-1), { messageId: 'm1-2', urgent: true });
  t.match(other.factsOf('recordingEnded'), [{ messageId: 'm1-2', by: 'hangUp', urgent: true }]);
  t.equal(other.factsOf('recordingEnded')[0]?.callBack?.reveal(), '2102');
  t.match(other.factsOf('recordingDiscarded'), [{ messageId: 'm1' }]);
  const thrice = recorded().presses('2').after(2).presses('#').presses('2').after(2).presses('#').hangsUp();
  t.same(
    thrice.factsOf('recordingDiscarded').map(({ messageId }) => messageId),
    ['m1', 'm1-2'],
  );
  for (const { facts } of [broken, silent, other, thrice]) {
    t.same(retrace(plan, { lately: () => [aRoster()] } as never, facts), { kind: 'same' });
  }
});

void t.test('what was reviewed is replayed as it was', async (t) => {
  for (const call of [
    recorded().presses('3').presses('5').presses('2102').presses('#').after(5),
    recorded().presses('2').after(2).presses('#').presses('#').after(5),
    recorded().presses('4').presses('2').after(2).presses('#').presses('3').presses('5').presses('2102').hangsUp(),
  ]) {
    t.same(retrace(plan, { lately: () => [aRoster()] } as never, call.facts), { kind: 'same' });
    // Records of versions that told the marks with the end alone.
    const older = call.facts.filter(({ fact }) => fact.fact !== 'messageMarked');
    t.same(retrace(plan, { lately: () => [aRoster()] } as never, older), { kind: 'same' });
  }
});

const ward = { ...left('ward', 1), from: phones.ward };
const ofAmes = (message: MessageBrief, circumstances: Circumstances = {}) =>
  opened({ mailboxes: { [phones.ames]: { pin, holds: [message] } }, ...circumstances });

void t.test('a message is forwarded by the number of a mailbox, with a comment or without', async (t) => {
  const call = ofAmes(ward).presses('9').presses('1').presses(phones.bell);
  t.equal(call.heard.at(-1), 'forward-comment');
  call.presses('2');
  t.match(call.factsOf('messageAccessed').at(-1), {
    how: 'forwarded',
    messageId: 'ward',
    to: phones.bell,
    copyId: /^copy-m1-\d+$/,
    person: phones.ames,
    device: phones.ames,
    reason: 'opened with a PIN',
  });
  t.equal(call.changes.at(-1), `${phones.ames} forwards ward to ${phones.bell}`);
  t.same(call.after(1).heard.slice(-2), ['voicemail-saved', 'mailbox-keys']);

  const said = ofAmes({ ...ward, isUrgent: true })
    .presses('9')
    .presses('1')
    .presses(phones.bell)
    .presses('1')
    .after(1);
  t.match(said.recording, { mailbox: phones.bell, messageId: /^comment-m1-/ }, 'sealed for whoever opens that mailbox');
  said.presses('#').after(1);
  t.match(said.changes.at(-1), /^3101 forwards ward to 3102 urgent comment-m1-\d+$/);
  t.notOk(said.fact('recordingStarted'), 'a comment is no message of its own');
  const slip = ofAmes(ward).presses('9').presses('1').presses(phones.bell).presses('1').after(1);
  slip.recordingEnds('key', 200);
  t.equal(slip.changes.at(-1), `${phones.ames} forwards ward to ${phones.bell}`, 'a slip of the finger is no comment');
  const taken = ofAmes({ ...ward, isUrgent: true, isClaimed: true })
    .presses('9')
    .presses('1')
    .presses(phones.bell)
    .presses('2');
  t.notMatch(taken.changes.at(-1), /urgent/, 'nobody is called at night for a copy of what somebody has taken');
});

void t.test('what cannot be forwarded is said, and nothing leaves the mailbox', async (t) => {
  const to = (message: MessageBrief, number: string, circumstances: Circumstances = {}) =>
    ofAmes(message, circumstances).presses('9').presses('1').presses(number).presses('2').after(1);
  const isSent = (call: PaperCall) => call.changes.some((change) => /forwards/.test(change));
  const secret = to({ ...ward, isPrivate: true }, phones.bell);
  t.same([secret.heard.includes('mailbox-private-stays'), isSent(secret)], [true, false]);
  const nowhere = to(ward, '8888');
  t.same([nowhere.heard.includes('mailbox-wrong-pin'), isSent(nowhere)], [true, false]);
  const self = to(ward, phones.ames);
  t.same([self.heard.includes('mailbox-wrong-pin'), isSent(self)], [true, false]);
  const full = to(ward, phones.bell, { messages: 100 });
  t.same([full.heard.includes('mailbox-full-there'), isSent(full)], [true, false]);
  t.equal(
    isSent(to({ ...ward, isUrgent: true }, phones.bell, { messages: 100 })),
    true,
    'urgent ones are always taken',
  );
  const silent = ofAmes(ward).presses('9').presses('1').presses(phones.bell).after(30);
  t.same([silent.heard.includes('not-sent'), isSent(silent)], [true, false], 'silence sends nothing');
  const broken = to(ward, phones.bell, { notForwarded: 'it cannot be opened (damaged)' });
  t.match(broken.factsOf('messageUnplayable'), [{ why: 'not forwarded: it cannot be opened (damaged)' }]);
  t.ok(broken.heard.includes('not-sent'));
  const brought = dial({ called: deliver(phones.bell), mailboxes: holds })
    .picksUp()
    .after(1)
    .presses('314159')
    .after(1);
  t.same([isSent(brought.presses('9').presses('1')), brought.heard.includes('mailbox-more')], [false, false]);
  const copy = ofAmes({ ...ward, sentBy: phones.bell, isForwarded: true });
  t.match(copy.heard.join(' '), /mailbox-forwarded-by 3102 mailbox-from .* mailbox-received/);
});

void t.test('a reply goes to the mailbox of whoever left it, and behind it the messages go on', async (t) => {
  const atBell = { ...ward, from: phones.bell };
  const call = ofAmes(atBell).presses('9').presses('2').after(2);
  t.match(call.recording, { mailbox: phones.bell, messageId: /^m1-r\d+$/ });
  t.match(call.factsOf('messageAccessed').at(-1), { how: 'replied', messageId: 'ward', to: phones.bell });
  t.match(call.factsOf('recordingStarted'), [{ mailbox: phones.bell, sentBy: phones.ames, urgent: false }]);
  call.presses('#').presses('3').presses('2').after(2).presses('#').presses('#').after(1);
  const [first, second] = call.factsOf('recordingStarted').map(({ messageId }) => messageId);
  t.equal(second, `${first}-2`);
  t.match(call.factsOf('recordingEnded'), [{ messageId: second, urgent: true }]);
  t.match(call.factsOf('recordingDiscarded'), [{ messageId: first }]);
  t.same(call.heard.slice(-2), ['voicemail-saved', 'mailbox-keys']);
  t.equal(call.presses('9').presses('2').after(2).hangsUp().endedBecause, 'messageLeft', 'hanging up sends it');
  t.equal(
    new Set(call.factsOf('recordingStarted').map(({ messageId }) => messageId)).size,
    3,
    'names are never used twice',
  );

  const none = ofAmes({ ...ward, from: null })
    .presses('9')
    .presses('2')
    .after(2);
  t.same([none.heard.includes('mailbox-no-reply'), none.recording], [true, null]);
  const sender = ofAmes({ ...ward, from: null, sentBy: phones.bell, isForwarded: true })
    .presses('9')
    .presses('2')
    .after(2);
  t.match(sender.recording, { mailbox: phones.bell }, 'to whoever sent it on');
  const early = ofAmes(atBell).presses('9').presses('2').hangsUp();
  t.same([early.factsOf('recordingStarted'), early.endedBecause], [[], 'callerHungUp']);
});

void t.test('a message is handed over to the colleague on call: by its service, or by that of a mailbox', async (t) => {
  const known = ofAmes({ ...ward, service: 'cardiology' })
    .presses('9')
    .presses('3');
  t.equal(known.changes.at(-1), `${phones.ames} hands over ward to cardiology`);
  t.match(known.factsOf('messageAccessed').at(-1), { how: 'handedOver', to: 'cardiology', person: phones.ames });
  t.same(known.heard.slice(-2), ['handed-over', 'mailbox-keys']);
  const keyed = opened({
    mailboxes: { ...holds, [phones.ames]: { pin, holds: [{ ...ward, isClaimed: true }] } },
    plan: aPlan([own], {
      mailboxes: mailboxes.map((box) => (box.id === 'cardiology' ? { ...box, number: '1710' } : box)),
    }),
  })
    .presses('9')
    .presses('3')
    .presses('1710');
  t.equal(keyed.changes.at(-1), `${phones.ames} hands over ward to cardiology`);
  keyed.presses('5');
  t.match(keyed.changes.at(-1), /claims ward/, "it is nobody's again");
  const secret = ofAmes({ ...ward, isPrivate: true, service: 'cardiology' })
    .presses('9')
    .presses('3');
  t.same(
    [secret.heard.includes('mailbox-private-stays'), secret.changes.some((change) => /hands over/.test(change))],
    [true, false],
  );
  const nobody = ofAmes(ward).presses('9').presses('3').presses(phones.bell);
  t.ok(nobody.heard.includes('mailbox-wrong-pin'), 'a mailbox of no service has no colleague on call');
});
