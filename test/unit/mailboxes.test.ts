import { join } from 'node:path';
import t from 'tap';
import type { PlanSource } from '../../src/core/dialplan/index.ts';
import { alsoOpenTo, mailboxByNumber, mailboxOfPhone, roomFor, rulesOf } from '../../src/core/voicemail/index.ts';
import { instant, plusMs } from '../../src/core/time/index.ts';
import { compileDocuments } from '../../src/documents/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { aPlan, noon, phones } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';
import { recordedPrompts } from '../support/plan-example.ts';

const boxes: PlanSource['mailboxes'] = [
  { id: 'cardiology', name: 'Cardiology', phones: ['2101'], openTo: [phones.ames], mostMessages: 2 },
  { id: 'office', name: 'Office', number: '3900', claimedBy: '1000', longestMs: 60_000 },
  { id: phones.ames, name: 'Dr Ames' },
];
const toOffice = {
  number: '1600',
  from: 'inside',
  to: { verb: 'voicemail', mailbox: 'office', urgent: false, greeting: [] },
} as const;
const toUrgent = { ...toOffice, number: '1601', to: { ...toOffice.to, urgent: true } } as const;
const plan = aPlan([toOffice, toUrgent], { mailboxes: boxes });

void t.test('whose mailbox it is follows from the plan', async (t) => {
  t.equal(mailboxOfPhone(plan, phones.ward)?.id, 'cardiology');
  t.equal(mailboxOfPhone(plan, phones.ames)?.id, phones.ames, 'a mailbox that is called like an extension is its own');
  t.equal(mailboxOfPhone(plan, phones.icu), null);
  t.equal(mailboxByNumber(plan, '3900')?.id, 'office');
  t.equal(mailboxByNumber(plan, phones.ames)?.id, phones.ames);
  t.same(alsoOpenTo(plan, phones.ames), ['cardiology']);
  t.match(rulesOf(plan, 'gone'), { id: 'gone', mostMessages: 100, longestMs: 300_000, phones: [], number: null });
});

void t.test('a full mailbox sends routine callers to a human, and takes what nobody else would', async (t) => {
  const box = { mostMessages: 10 };
  const routine = { mustBeTaken: false, evenFull: false };
  t.equal(roomFor(box, 9, routine), 'taken');
  t.equal(roomFor(box, 10, routine), 'toHuman');
  t.equal(roomFor(box, 19, { ...routine, evenFull: true }), 'taken');
  t.equal(roomFor(box, 20, { ...routine, evenFull: true }), 'refused');
  t.equal(roomFor(box, 99, { ...routine, mustBeTaken: true }), 'taken', 'what is urgent has no limit');
});

void t.test('a caller at a full mailbox is told and put through to the operator', async (t) => {
  const call = new PaperCall('1600', { plan, messages: 100 }).after(2);
  t.same(call.heard, ['mailbox-full']);
  t.same(call.ringing, [phones.operator]);
  t.match(call.fact('mailboxFull'), { mailbox: 'office', messages: 100 });
  call.phone(phones.operator).answers();
  t.equal(call.callerHears, 'leg');
});

void t.test('when the operator does not answer either, the message is taken all the same', async (t) => {
  const call = new PaperCall('1600', { plan, messages: 100 }).after(40);
  t.ok(call.recording, 'the caller speaks');
  t.equal(call.presses('#').presses('#').after(5).endedBecause, 'messageLeft');
});

void t.test('with a full disk the caller is told before the tone, and the record says why', async (t) => {
  const call = new PaperCall('1600', { plan, roomToRecord: false }).after(30);
  t.same(call.heard, ['voicemail-unavailable'], 'neither a greeting nor a tone');
  t.match(call.fact('recorderFull'), { mailbox: 'office' });
  t.equal(call.endedBecause, 'recordingFailed');
  t.notOk(call.fact('recordingStarted'));
});

void t.test('a mailbox that is twice as full as it may be refuses with words', async (t) => {
  const call = new PaperCall('1600', { plan, messages: 200 }).after(60);
  t.equal(call.endedBecause, 'mailboxFull');
  t.equal(call.heard.at(-1), 'voicemail-unavailable');
  t.notOk(call.fact('recordingStarted'));
});

void t.test('an urgent message is always taken', async (t) => {
  t.ok(new PaperCall('1601', { plan, messages: 5000 }).after(10).recording);
});

void t.test('what a plan says of mailboxes is read and checked', async (t) => {
  const written = (mailboxes: string) =>
    compileDocuments([{ kind: 'plan', path: 'plan.yaml', text: `${site}mailboxes:\n${mailboxes}` }], {
      prompts: recordedPrompts,
      window: { from: noon, to: plusMs(noon, 1000) },
    });
  const good = written(
    '  ward: { name: Ward 4B, phones: [2101], open-to: ["3101"], most-messages: 20, longest: 2m, number: 2199 }\n  "3101": { name: Dr Ames }\n',
  );
  t.same(good.kind === 'ok' && good.plan.mailbox('ward'), {
    id: 'ward',
    name: 'Ward 4B',
    number: '2199',
    phones: ['2101'],
    openTo: ['3101'],
    mostMessages: 20,
    longestMs: 120_000,
  });
  const bad = written(
    '  ward: { name: Ward, phones: [2101, 2999], open-to: [ward], most-messages: 0, longest: 20m, number: "1" }\n  icu: { name: ICU, phones: [2101] }\n',
  );
  t.same(bad.kind === 'refused' && bad.problems.map(({ reason }) => reason), [
    'unknown extension "2999"',
    '"1" cannot be keyed as a mailbox',
    'a mailbox of 0 messages',
    '1200 s is too long',
    'a mailbox cannot be its own person',
    'phone 2101 belongs to the mailbox ward already',
  ]);
});

const site = `site: { name: X, zone: America/Chicago, country: US, operator: 1000, trunk: carrier, main-number: "+12025550100", ring-for: 20s }
extensions: { 1000: { name: Operator, kind: post }, 2101: { name: Ward, kind: unit } }
`;

void t.test('what became of a message is kept, and the first who heard or claimed it stays', async (t) => {
  const store = await openStore(join(t.testdir(), 'wardline.db'));
  const left = {
    mailbox: 'office',
    callId: null,
    durationMs: 900,
    path: 'x',
    sentBy: null,
    copyOf: null,
    exportedAt: null,
    isPrivate: false,
    callBack: null,
    service: null,
    urgency: null,
  };
  await store.messages.save({ ...left, messageId: 'A', at: instant(1), isUrgent: false });
  await store.messages.save({ ...left, messageId: 'B', at: instant(2), isUrgent: true });
  t.same(store.messages.count('office'), { fresh: 2, freshUrgent: 1, saved: 0 });
  t.equal(await store.messages.change('B', 'heard', { at: instant(5), by: '3101' }), true);
  t.same(store.messages.count('office'), { fresh: 1, freshUrgent: 0, saved: 1 }, 'what was heard is new no more');
  await store.messages.change('B', 'heard', { at: instant(6), by: '3102' });
  await store.messages.change('B', 'claimed', { at: instant(7), by: '3102' });
  await store.messages.change('B', 'claimed', { at: instant(8), by: '3101' });
  await store.messages.change('B', 'saved', { at: instant(9), by: '3101' });
  await store.messages.change('A', 'deleted', { at: instant(9), by: '3101' });
  t.same(store.messages.count('office'), { fresh: 0, freshUrgent: 0, saved: 1 });
  t.match(await store.messages.find('B'), {
    state: 'saved',
    heard: { at: 5, by: '3101' },
    claimed: { at: 7, by: '3102' },
  });
  // A recovery that learns how long it is does not bring it back.
  await store.messages.save({ ...left, durationMs: 950, messageId: 'A', at: instant(1), isUrgent: false });
  t.match(await store.messages.find('A'), { state: 'deleted', durationMs: 950, deleted: { by: '3101' } });
  await store.messages.change('A', 'restored', { at: instant(10), by: '3101' });
  t.equal(store.messages.count('office').saved, 2);
  t.equal(await store.messages.change('nope', 'saved', { at: instant(1), by: 'x' }), false);
  await store.close();
});
