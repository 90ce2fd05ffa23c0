import t from 'tap';
import type { CallId } from '../../src/core/call/index.ts';
import type { PlanSource } from '../../src/core/dialplan/index.ts';
import type { CompiledRoster } from '../../src/core/oncall/index.ts';
import { type Instant, plusMs } from '../../src/core/time/index.ts';
import {
  type Chase,
  type Chased,
  type ChaseEvent,
  type ChaseFact,
  chasedOf,
  expectedChase,
  stepChase,
} from '../../src/core/voicemail/index.ts';
import { always, aPlan, aRoster, cardiology, mobiles, noon, phones } from '../support/lakeside.ts';

const mailboxes: PlanSource['mailboxes'] = [
  { id: 'cardiology', name: 'Cardiology' },
  { id: 'office', name: 'Office' },
  { id: phones.bell, name: 'Dr Bell' },
];
const plan = aPlan([], { mailboxes });
const minuteMs = 60_000;

/** The machine on a virtual clock. */
class PaperChase {
  at: Instant = noon;
  state: Chase = expectedChase;
  readonly facts: { readonly minute: number; readonly fact: ChaseFact }[] = [];
  /** "3: bell 3102": the minute, who was told, and where. */
  readonly told: string[] = [];
  readonly toldCaller: string[] = [];
  readonly unregistered: readonly string[];
  readonly #roster: CompiledRoster;
  #agenda: { readonly at: Instant; readonly event: ChaseEvent }[] = [];

  constructor(about: Partial<Chased> = {}, roster = aRoster(), unregistered: readonly string[] = []) {
    this.#roster = roster;
    this.unregistered = unregistered;
    const message = {
      messageId: 'M1',
      mailbox: 'cardiology',
      service: cardiology,
      urgency: 'stat',
      callId: null,
    } as const;
    this.happens({ type: 'urgentMessageLeft', message: { ...message, leftAt: this.at, ...about } });
  }

  happens(event: ChaseEvent): this {
    const world = {
      at: this.at,
      plan,
      roster: this.#roster,
      isRegistered: (extension: string) => !this.unregistered.includes(extension),
      trunkFault: () => null,
    };
    // The state survives being written down.
    const { state, effects } = stepChase(world, JSON.parse(JSON.stringify(this.state)) as Chase, event);
    this.state = state;
    const minute = (this.at - noon) / minuteMs;
    for (const effect of effects) {
      if (effect.type === 'attest') this.facts.push({ minute, fact: effect.fact });
      if (effect.type === 'wakeMe') this.#agenda.push({ at: plusMs(this.at, effect.afterMs), event: effect.with });
      if (effect.type === 'tellCaller') this.toldCaller.push(`${minute}: ${effect.that}`);
      if (effect.type === 'tellOfMessage') {
        const { person, target } = effect;
        this.told.push(`${minute}: ${person} ${target.kind === 'extension' ? target.extension : target.e164}`);
      }
    }
    return this;
  }

  until(minute: number): this {
    const end = plusMs(noon, minute * minuteMs);
    for (;;) {
      this.#agenda.sort((a, b) => a.at - b.at);
      const next = this.#agenda[0];
      if (next === undefined || next.at > end) break;
      this.#agenda.shift();
      this.at = next.at;
      this.happens(next.event);
    }
    this.at = end;
    return this;
  }

  factsOf(name: ChaseFact['fact']) {
    return this.facts.filter(({ fact }) => fact.fact === name);
  }
}

void t.test(
  'an urgent message goes down the chain and stays with the supervisor until somebody takes it',
  async (t) => {
    const chase = new PaperChase().until(35);
    t.same(chase.told, [
      `0: ames ${phones.ames}`,
      `0: ames ${mobiles.ames}`,
      `3: bell ${phones.bell}`,
      `3: bell ${mobiles.bell}`,
      `6: chen ${phones.chen}`,
      `6: chen ${mobiles.chen}`,
      `9: operator ${phones.operator}`,
      `9: supervisor ${phones.supervisor}`,
      `9: supervisor ${mobiles.supervisor}`,
      // At the end, again and again: nobody is a supervisor by role here, so it is the operator.
      `12: operator ${phones.operator}`,
      `22: operator ${phones.operator}`,
      `32: operator ${phones.operator}`,
    ]);
    t.same(
      chase.factsOf('chaseUnclaimed').map(({ minute }) => minute),
      [12],
      'said once',
    );
    chase.happens({ type: 'messageClaimed', by: '3102' }).until(120);
    t.equal(chase.told.length, 12, 'nobody is told any more');
    t.match(chase.factsOf('chaseOver'), [{ fact: { because: 'claimed', by: '3102', tookMs: 35 * minuteMs } }]);
  },
);

void t.test('it follows the live roster over a shift change', async (t) => {
  const before = aRoster();
  const after = aRoster({ tiers: { primary: always('chen'), backup: always('bell'), attending: always('ames') } });
  const changesAt = plusMs(noon, 2 * minuteMs);
  // The tiers pass on two minutes after the message was left, in the middle of the first step.
  const roster: CompiledRoster = {
    ...before,
    whoIsOnCall(service, tier, at) {
      const answer = (at < changesAt ? before : after).whoIsOnCall(service, tier, at);
      if (answer.kind !== 'onCall' || at >= changesAt) return answer;
      const { personId, person, tier: on, because, since } = answer.answer;
      return { ...answer, answer: { personId, person, tier: on, because, since, until: changesAt } };
    },
  };
  const chase = new PaperChase({}, roster).until(8);
  t.same(chase.told, [
    `0: ames ${phones.ames}`,
    `0: ames ${mobiles.ames}`,
    `2: chen ${phones.chen}`,
    `2: chen ${mobiles.chen}`,
    `3: bell ${phones.bell}`,
    `3: bell ${mobiles.bell}`,
    // The attending of now, though she was told before as the primary of then.
    `6: ames ${phones.ames}`,
    `6: ames ${mobiles.ames}`,
  ]);
});

void t.test(
  'after a restart the step is worked again for what is left of it; a change of the roster is followed at once',
  async (t) => {
    const chase = new PaperChase().until(2).happens({ type: 'chaseResumed' });
    t.same(chase.told.slice(2), [`2: ames ${phones.ames}`, `2: ames ${mobiles.ames}`], 'their calls were cut off');
    chase.until(4);
    t.equal(chase.told[4], `3: bell ${phones.bell}`, 'the next step comes when it would have come');
    t.equal(chase.happens({ type: 'rosterChanged' }).told.length, 6, 'who was told is not told again');
    const late = new PaperChase();
    late.at = plusMs(noon, 60 * minuteMs);
    t.match(late.happens({ type: 'chaseResumed' }).told.at(-1), `60: bell ${mobiles.bell}`);
  },
);

void t.test('whoever left it is told what becomes of it, once for each', async (t) => {
  const chase = new PaperChase({ callId: 'K7QX-2M4D-9RTB' as CallId }).until(40);
  t.same(chase.toldCaller, ['12: unclaimed']);
  chase.happens({ type: 'messageClaimed', by: '3102' });
  t.same(chase.toldCaller, ['12: unclaimed', '40: claimed']);
});

void t.test('what is followed: urgent messages, and any at the end of an urgent or STAT chain', async (t) => {
  const left = {
    messageId: 'M1',
    mailbox: 'cardiology',
    callId: null,
    at: noon,
    isUrgent: false,
    service: null,
    urgency: null,
    again: null,
  };
  const roster = aRoster();
  t.equal(chasedOf(roster, left), null);
  t.equal(chasedOf(roster, { ...left, service: cardiology, urgency: 'routine' }), null);
  t.match(chasedOf(roster, { ...left, isUrgent: true }), { service: cardiology, urgency: 'urgent' });
  t.match(chasedOf(roster, { ...left, isUrgent: true, mailbox: 'office' }), { service: null, urgency: 'urgent' });
  t.match(chasedOf(roster, { ...left, service: cardiology, urgency: 'urgent' }), { urgency: 'urgent', leftAt: noon });
  t.match(chasedOf(roster, { ...left, mailbox: 'office', service: cardiology, urgency: 'stat' }), {
    service: cardiology,
    urgency: 'stat',
  });
});

void t.test('a step in which nobody can be told costs no time', async (t) => {
  const roster = aRoster({ without: { person: 'ames', device: 'mobile' } });
  const chase = new PaperChase({}, roster, [phones.ames]);
  t.same(chase.told, [`0: bell ${phones.bell}`, `0: bell ${mobiles.bell}`]);
});

void t.test('a mailbox of no service goes to its person, one of nobody to the supervisor at once', async (t) => {
  const bell = new PaperChase({ mailbox: phones.bell, service: null }).until(4);
  t.same(bell.told, [`0: bell ${phones.bell}`, `0: bell ${mobiles.bell}`, `3: operator ${phones.operator}`]);
  const office = new PaperChase({ mailbox: 'office', service: null });
  t.same(office.told, [`0: operator ${phones.operator}`]);
  t.equal(office.factsOf('chaseUnclaimed').length, 1);
});

void t.test('a deleted message is chased no longer, and late timers mean nothing', async (t) => {
  const chase = new PaperChase().happens({ type: 'messageDeleted' }).until(60);
  t.equal(chase.told.length, 2);
  t.match(chase.state, { name: 'over', because: 'deleted' });
  const again = new PaperChase().happens({ type: 'chaseStepTimedOut', round: 7 });
  t.equal(again.told.length, 2, 'a timer of another step');
});
