import { join } from 'node:path';
import t from 'tap';
import { watchGreetingEnds } from '../../src/cli/app/greeting-ends.ts';
import type { CallEvent, CallId, Party } from '../../src/core/call/index.ts';
import type { CompiledRoster } from '../../src/core/oncall/index.ts';
import { plusMs } from '../../src/core/time/index.ts';
import {
  type AuditEntry,
  Chases,
  Engine,
  engineSchema,
  systemRandom,
  type TelephonyEffect,
} from '../../src/engine/index.ts';
import { openStore, type Store } from '../../src/storage/index.ts';
import { always, aPlan, aRoster, cardiology, mobiles, noon, phones } from '../support/lakeside.ts';
import { settled, VirtualClock } from '../support/virtual-clock.ts';

// Urgent messages are followed in the store, through calls of the house, over changes of shift and of process.

const plan = aPlan([], {
  mailboxes: [
    { id: 'cardiology', name: 'Cardiology' },
    { id: 'office', name: 'Office' },
    { id: phones.bell, name: 'Dr Bell' },
  ],
});
const minuteMs = 60_000;
/** Ames until noon, Bell from then on. */
const shifts = aRoster({
  tiers: {
    primary: [{ kind: 'rotation', everyDays: 1, since: '2026-11-22T12:00', people: ['ames', 'bell'] as never }],
    backup: always('chen'),
    attending: always('chen'),
  },
});

/** A house around one store: what it calls, and what stands in the record. */
class ChasingHouse {
  readonly called: { readonly minute: number; readonly number: string; readonly about: string }[] = [];
  readonly entries: AuditEntry[] = [];
  readonly calls: { emit(event: CallEvent): void; readonly number: string; readonly effects: TelephonyEffect[] }[] = [];
  readonly chases: Chases;
  readonly engine: Engine;
  readonly clock: VirtualClock;
  roster: CompiledRoster;
  startedMs: number;
  /** Every line is in use. */
  isFull = false;
  isCallerBusy = false;

  constructor(store: Store, clock: VirtualClock, roster: CompiledRoster, breaks: () => boolean = () => false) {
    this.clock = clock;
    this.roster = roster;
    this.startedMs = clock.now();
    const log = { info() {}, warn() {}, error() {} };
    const audit = {
      attest: async (entries: readonly AuditEntry[]) => (this.entries.push(...entries), 'durable' as const),
    };
    const documents = { current: () => ({ plan, roster: this.roster }), upToDate: (r: CompiledRoster) => r };
    const reachability = { isRegistered: () => true, trunkFault: () => null };
    this.engine = new Engine({
      options: engineSchema.parse({}),
      audit,
      index: { callStarted() {}, callEnded() {}, unfinished: () => [] },
      documents,
      reachability,
      clock,
      random: systemRandom,
      log,
      houseCalls: {
        prepare: ({ target }: Party) => this.#phone(target.kind === 'extension' ? target.extension : target.e164),
      },
    });
    this.chases = new Chases({
      book: {
        open: () => store.chases.open(),
        save: (...args) => {
          if (breaks()) throw new Error('the disk is full');
          store.chases.save(...args);
        },
      },
      documents,
      reachability,
      audit,
      clock,
      log,
      callOut: (party, errand) => {
        if (this.isFull) return null;
        const number = party.target.kind === 'extension' ? party.target.extension : party.target.e164;
        this.called.push({
          minute: Math.round((clock.now() - this.startedMs) / minuteMs),
          number,
          about: errand.errand,
        });
        return this.engine.callOut(party, errand);
      },
      callerOf: () =>
        this.isCallerBusy ? 'busy' : { person: '', target: { kind: 'extension', extension: phones.ward } },
    });
    this.chases.start();
  }

  #phone(number: string) {
    const effects: TelephonyEffect[] = [];
    return {
      perform: (effect: TelephonyEffect) => void effects.push(effect),
      taken: (_callId: CallId, emit: (event: CallEvent) => void) => void this.calls.push({ emit, number, effects }),
    };
  }

  async pass(ms: number): Promise<this> {
    await this.clock.pass(ms);
    await settled();
    return this;
  }

  facts(name: string) {
    return this.entries.flatMap(({ fact }) => (fact.fact === name ? [fact] : []));
  }
}

const left = {
  messageId: 'M1',
  mailbox: 'cardiology',
  callId: 'K7QX-2M4D-9RTB',
  durationMs: 900,
  isUrgent: true,
  service: cardiology,
  urgency: 'stat',
  path: 'M1.sealed',
  sentBy: null,
  copyOf: null,
  exportedAt: null,
  isPrivate: false,
  callBack: null,
} as const;

async function aStore(t: { testdir(): string; teardown(fn: () => unknown): void }): Promise<Store> {
  const store = await openStore(join(t.testdir(), 'wardline.db'));
  t.teardown(() => store.close());
  return store;
}

void t.test(
  'an unclaimed message is followed over the change of shift, and stops when somebody claims it',
  async (t) => {
    const store = await aStore(t);
    const clock = new VirtualClock(plusMs(noon, -2 * minuteMs));
    const house = new ChasingHouse(store, clock, shifts);
    await house.pass(1000);
    t.equal(house.called.length, 0, 'nothing is open');
    await store.messages.save({ ...left, at: clock.now() });
    await house.pass(4000);
    t.same(
      house.called.map(({ number }) => number),
      [phones.ames, mobiles.ames],
    );
    t.match(house.calls[0]?.effects, [{ type: 'answerCaller' }]);
    await house.pass(minuteMs);
    t.match(house.calls[0]?.effects.at(-1), { type: 'callOver', cause: 'noAnswer' });
    await house.pass(minuteMs);
    t.same(house.called.slice(2), [
      { minute: 2, number: phones.bell, about: 'deliver' },
      { minute: 2, number: mobiles.bell, about: 'deliver' },
    ]);
    t.match(house.facts('chaseTold').at(-1), { person: 'bell', tier: 'primary' });
    t.match(store.chases.open()[0], { chase: { name: 'chasing', step: 0 }, claimedBy: null });

    // By phone or by a command, whichever process it is.
    await store.messages.change('M1', 'claimed', { at: clock.now(), by: phones.bell });
    await house.pass(3000);
    t.match(house.facts('chaseOver'), [{ because: 'claimed', by: phones.bell }]);
    t.match(
      house.calls[2]?.effects.at(-1),
      { type: 'callOver', cause: 'takenElsewhere' },
      'who still rings is left in peace',
    );
    t.match(house.called.at(-1), { number: phones.ward, about: 'tellClaimed' });
    t.equal(store.chases.open().length, 0);
    const calls = house.called.length;
    await house.pass(60 * minuteMs);
    t.equal(house.called.length, calls, 'nobody is called any more');
    await house.chases.close();
  },
);

void t.test("a killed process: the next one goes on where it was; unclaimed it is the supervisor's", async (t) => {
  const store = await aStore(t);
  const clock = new VirtualClock(noon);
  await store.messages.save({ ...left, at: clock.now() });
  const first = new ChasingHouse(store, clock, aRoster());
  await first.pass(4 * minuteMs);
  t.same(first.called.map(({ minute, number }) => `${minute} ${number}`).slice(2), [
    `3 ${phones.bell}`,
    `3 ${mobiles.bell}`,
  ]);
  await first.chases.close();

  const second = new ChasingHouse(store, clock, aRoster());
  await second.pass(10_000);
  t.same(
    second.called.map(({ number }) => number),
    [phones.bell, mobiles.bell],
    'their calls were cut off',
  );
  await second.pass(20 * minuteMs);
  t.equal(second.called[2]?.number, phones.chen, 'the next step');
  t.equal(second.facts('chaseStarted').length, 0, 'it was started once');
  t.equal(second.facts('chaseUnclaimed').length, 1);
  t.equal(second.called.filter(({ about }) => about === 'tellUnclaimed').length, 1);
  t.ok(second.called.filter(({ number }) => number === phones.operator).length >= 2, 'again and again');
  await store.messages.change('M1', 'deleted', { at: clock.now(), by: 'somebody' });
  await second.pass(3000);
  t.match(second.facts('chaseOver'), [{ because: 'deleted' }]);
  await second.chases.close();
});

void t.test(
  'whoever takes over during a step is called at once; a store that cannot write stops nothing',
  async (t) => {
    const store = await aStore(t);
    const clock = new VirtualClock(noon);
    await store.messages.save({ ...left, at: clock.now() });
    const house = new ChasingHouse(store, clock, aRoster(), () => true);
    await house.pass(30_000);
    t.equal(house.called.length, 2);
    house.roster = aRoster({ tiers: { primary: always('chen'), backup: always('bell'), attending: always('bell') } });
    await house.pass(3000);
    t.same(
      house.called.slice(2).map(({ number }) => number),
      [phones.chen, mobiles.chen],
    );
    await house.pass(3 * minuteMs);
    t.equal(house.called[4]?.number, phones.bell);
    await house.chases.close();
  },
);

void t.test('a message that was claimed while no house was there rings nobody', async (t) => {
  const store = await aStore(t);
  const clock = new VirtualClock(noon);
  await store.messages.save({ ...left, at: clock.now() });
  const first = new ChasingHouse(store, clock, aRoster());
  await first.pass(10_000);
  await first.chases.close();
  await store.messages.change('M1', 'claimed', { at: clock.now(), by: 'ames' });
  let isFullDisk = true;
  const second = new ChasingHouse(store, clock, aRoster(), () => isFullDisk);
  await second.pass(10_000);
  t.same(second.called, [{ minute: 0, number: phones.ward, about: 'tellClaimed' }]);
  isFullDisk = false;
  await second.pass(10_000);
  t.same([store.chases.open(), second.chases.open], [[], 0], 'its end is written as soon as the store takes it');
  t.same([second.facts('chaseOver').length, second.called.length], [1, 1]);
  await second.chases.close();
});

void t.test('whoever left it is told by the next process when this one dies before it could', async (t) => {
  const store = await aStore(t);
  const clock = new VirtualClock(noon);
  const told = (house: ChasingHouse) => house.called.filter(({ about }) => about.startsWith('tell'));
  await store.messages.save({ ...left, mailbox: 'office', service: null, at: clock.now() });
  const first = new ChasingHouse(store, clock, aRoster());
  await first.pass(minuteMs);
  t.same(
    [first.facts('chaseUnclaimed').length, told(first)],
    [1, []],
    "it is the supervisor's, and too soon to say so",
  );
  await first.chases.close();

  const second = new ChasingHouse(store, clock, aRoster());
  second.isCallerBusy = true;
  await second.pass(5 * minuteMs);
  t.same(told(second), [], 'nobody is disturbed while they talk');
  await second.chases.close();

  const third = new ChasingHouse(store, clock, aRoster());
  third.isFull = true;
  await third.pass(10_000);
  t.same(told(third), [], 'no line is free');
  third.isFull = false;
  await third.pass(minuteMs);
  t.same(
    told(third).map(({ about }) => about),
    ['tellUnclaimed'],
  );
  third.isCallerBusy = true;
  await store.messages.change('M1', 'claimed', { at: clock.now(), by: phones.bell });
  await third.pass(3000);
  t.same([third.facts('chaseOver').length, third.chases.open, told(third).length], [1, 0, 1]);
  await third.chases.close();

  const fourth = new ChasingHouse(store, clock, aRoster());
  await fourth.pass(10_000);
  t.same(
    told(fourth).map(({ about }) => about),
    ['tellClaimed'],
  );
  t.same(fourth.facts('chaseOver'), [], 'it was over before');
  t.same(store.chases.open(), []);
  await fourth.chases.close();
  const fifth = new ChasingHouse(store, clock, aRoster());
  await fifth.pass(minuteMs);
  t.same(fifth.called, [], 'once');
  await fifth.chases.close();
});

void t.test('what became of a message is not told after a night without a house', async (t) => {
  const store = await aStore(t);
  const clock = new VirtualClock(noon);
  await store.messages.save({ ...left, at: clock.now() });
  const first = new ChasingHouse(store, clock, aRoster());
  first.isCallerBusy = true;
  await first.pass(10_000);
  await store.messages.change('M1', 'claimed', { at: clock.now(), by: phones.bell });
  await first.pass(3000);
  await first.chases.close();
  t.equal(store.chases.open().length, 1, 'owed');
  await clock.pass(5 * 60 * minuteMs);
  const second = new ChasingHouse(store, clock, aRoster());
  await second.pass(10_000);
  t.same([second.called, store.chases.open()], [[], []]);
  await second.chases.close();
});

void t.test('a house without a free line calls as soon as there is one', async (t) => {
  const store = await aStore(t);
  const clock = new VirtualClock(noon);
  await store.messages.save({ ...left, at: clock.now() });
  const house = new ChasingHouse(store, clock, aRoster());
  house.isFull = true;
  await house.pass(minuteMs);
  t.same(house.called, []);
  house.isFull = false;
  await house.pass(15_000);
  t.same(
    house.called.map(({ number }) => number),
    [phones.ames, mobiles.ames],
  );
  await house.pass(minuteMs);
  t.equal(house.called.length, 2, 'once');
  await house.chases.close();
});

void t.test('messages that were there before anybody was followed stay as they are', async (t) => {
  const store = await aStore(t);
  await store.messages.save({ ...left, at: noon, isUrgent: false, urgency: 'routine' });
  await store.messages.save({ ...left, messageId: 'M2', at: noon });
  await store.messages.change('M2', 'claimed', { at: noon, by: 'x' });
  await store.messages.save({ ...left, messageId: 'M3', at: noon });
  await store.messages.change('M3', 'deleted', { at: noon, by: 'x' });
  t.same(store.chases.open(), []);
});

void t.test('greetings: one of each kind, and which recordings are in use', async (t) => {
  const store = await aStore(t);
  const done = { at: noon, by: phones.bell };
  store.greetings.set(phones.bell, 'usual', 'greeting-1', done);
  store.greetings.set(phones.bell, 'absence', 'greeting-2', done);
  store.greetings.set(phones.bell, 'usual', 'greeting-3', done);
  t.same(store.greetings.of(phones.bell), { usual: 'greeting-3', absence: 'greeting-2' });
  store.greetings.set(phones.bell, 'absence', null, done);
  t.same([...store.greetings.ids()], ['greeting-3']);
  t.same(store.greetings.of('office'), {});
});

void t.test('an absence that has come to its end is taken away and on record; the next has no end', async (t) => {
  const store = await aStore(t);
  const clock = new VirtualClock(noon);
  const done = { at: noon, by: phones.bell };
  store.greetings.set(phones.bell, 'usual', 'greeting-1', done);
  store.greetings.set(phones.bell, 'absence', 'greeting-2', done);
  const endsAt = plusMs(noon, 30 * minuteMs);
  store.greetings.setAbsenceEnd(phones.bell, endsAt);
  t.same(store.greetings.of(phones.bell), { usual: 'greeting-1', absence: 'greeting-2', absenceEndsAt: endsAt });
  const seen: unknown[] = [];
  const shredded: string[] = [];
  let isBroken = true;
  const closers: (() => unknown)[] = [];
  watchGreetingEnds(
    {
      greetings: store.greetings,
      clock,
      log: { error: () => {} } as never,
      attest: async (fact) => {
        if (isBroken && shredded.length === 0) throw new Error('the audit is slow');
        seen.push(fact);
      },
      shred: async (id) => shredded.push(id),
    },
    { add: (_name: string, close: () => unknown) => void closers.push(close) } as never,
  );
  const pass = async (minutes: number) => {
    for (let i = 0; i < minutes; i++) await clock.pass(minuteMs).then(settled);
  };
  await pass(29);
  t.same(seen, []);
  await pass(3);
  t.equal(store.greetings.list(phones.bell).length, 2, 'not before it is on record');
  isBroken = false;
  await pass(2);
  t.match(seen, [{ fact: 'greetingChanged', how: 'ended', greetingId: 'greeting-2', person: 'system', endsAt }]);
  t.same([shredded, store.greetings.of(phones.bell)], [['greeting-2'], { usual: 'greeting-1' }]);
  store.greetings.set(phones.bell, 'absence', 'greeting-3', done);
  await pass(2);
  t.equal(store.greetings.of(phones.bell).absence, 'greeting-3');
  await Promise.all(closers.map((close) => close()));
});

void t.test('a message that was handed over is followed from the beginning, not by whoever gave it away', async (t) => {
  const store = await aStore(t);
  const clock = new VirtualClock(noon);
  await store.messages.save({
    ...left,
    mailbox: 'office',
    service: null,
    urgency: null,
    isUrgent: false,
    at: clock.now(),
  });
  const house = new ChasingHouse(store, clock, aRoster());
  await house.pass(10_000);
  t.equal(house.called.length, 0, "an ordinary message is nobody's haste");
  await store.messages.change('M1', 'claimed', { at: clock.now(), by: phones.ames });
  store.messages.handOver('M1', cardiology, { at: clock.now(), by: phones.ames });
  await house.pass(4_000);
  t.match(house.facts('chaseStarted'), [{ service: cardiology, mailbox: 'office' }]);
  t.same(
    house.called.map(({ number }) => number),
    [phones.bell, mobiles.bell],
    'Ames is on call and has just given it away: the next one is called',
  );
  await store.messages.change('M1', 'claimed', { at: clock.now(), by: phones.bell });
  await house.pass(4_000);
  t.match(house.facts('chaseOver'), [{ because: 'claimed', by: phones.bell }]);
  store.messages.handOver('M1', cardiology, { at: clock.now(), by: phones.bell });
  await house.chases.close();

  const next = new ChasingHouse(store, clock, aRoster());
  await next.pass(4_000);
  t.match(next.facts('chaseStarted'), [{ service: cardiology }], 'also by the next process');
  t.equal(next.called[0]?.number, phones.ames);
  store.messages.handOver('M1', cardiology, { at: clock.now(), by: phones.ames });
  await next.pass(4_000);
  t.equal(next.facts('chaseStarted').length, 2, 'also while it is followed');
  t.equal(next.called.at(-1)?.number, mobiles.bell);
  await next.chases.close();
});

void t.test('an urgent message that is brought back is followed again', async (t) => {
  const store = await aStore(t);
  const clock = new VirtualClock(noon);
  await store.messages.save({ ...left, at: clock.now() });
  const house = new ChasingHouse(store, clock, aRoster());
  await house.pass(4_000);
  await store.messages.change('M1', 'deleted', { at: clock.now(), by: phones.ames });
  await house.pass(4_000);
  t.match(house.facts('chaseOver'), [{ because: 'deleted' }]);
  const calls = house.called.length;
  await store.messages.change('M1', 'restored', { at: clock.now(), by: phones.ames });
  await house.pass(4_000);
  t.equal(house.called.length, calls * 2, 'the same people are called again');
  t.equal(house.facts('chaseStarted').length, 2);
  await house.pass(60_000);
  t.equal(house.called.length, calls * 2, 'once');
  await store.messages.change('M1', 'claimed', { at: clock.now(), by: phones.bell });
  await house.pass(4_000);
  t.equal(store.chases.open().length, 0);
  await store.messages.change('M1', 'restored', { at: clock.now(), by: phones.bell });
  t.equal(store.chases.open().length, 0, 'what somebody has taken stays taken');
  await house.chases.close();
});
