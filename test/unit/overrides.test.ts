import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc } from '../support/fast-check.ts';
import t from 'tap';
import {
  acceptSwap,
  applyChange,
  compileRoster,
  type CompiledRoster,
  endOverride,
  makeOverride,
  type OverrideDecision,
  type OverrideRequest,
  type PersonId,
  type RosterSource,
  type ServiceId,
  type ShiftOverride,
  spanInForce,
} from '../../src/core/oncall/index.ts';
import { instant, type Instant, plusMs, wall, zone } from '../../src/core/time/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { warmCli } from '../support/warm-cli.ts';

const HOUR = 3_600_000;
const home = zone('America/Chicago');
const at = (text: string): Instant => home.toInstant(wall(text)!);
const id = (name: string) => name as PersonId;
const CARDIOLOGY = 'cardiology' as ServiceId;
const NOW = at('2026-11-22 06:10');
const names = ['ames', 'bell', 'chen', 'diaz'] as const;

const chain = { id: 'c', steps: [], lastResort: { kind: 'voicemail', urgent: false } } as const;
const source: RosterSource = {
  version: 'sha256:test',
  zone: 'America/Chicago',
  people: names.map((name) => ({ id: id(name), name: `Dr ${name}`, mobile: '+12025550111' })),
  services: [
    {
      id: CARDIOLOGY,
      name: 'Cardiology',
      zone: 'America/Chicago',
      tiers: {
        primary: [{ kind: 'rotation', everyDays: 1, since: '2026-11-20T07:00', people: names.slice(0, 3).map(id) }],
      },
      mailbox: 'm',
      chains: { stat: chain, urgent: chain, routine: chain },
    },
  ],
};
const base = compileRoster(source, { from: at('2026-11-15'), to: at('2026-12-31') });

function request(more: Partial<OverrideRequest>): OverrideRequest {
  const span = { from: at('2026-11-23 07:00'), to: at('2026-11-24 07:00') };
  return {
    kind: 'replace',
    service: CARDIOLOGY,
    tier: 'primary',
    span,
    out: null,
    in: null,
    author: 'R. Okafor',
    reason: 'ill',
    ...more,
  };
}

/** Rows after a decision; throws what was refused. */
function after(roster: CompiledRoster, decision: OverrideDecision): CompiledRoster {
  if (decision.kind === 'refused') throw new Error(decision.because);
  return roster.withOverrides(applyChange(roster.overrides, decision.change));
}

function who(roster: CompiledRoster, when: Instant | string): string {
  const result = roster.whoIsOnCall(CARDIOLOGY, 'primary', typeof when === 'string' ? at(when) : when);
  if (result.kind !== 'onCall') return 'nobody';
  return [result.answer, ...(result.also ?? [])].map(({ person }) => person.id).join('+');
}

void t.test('two that nobody could obey both are refused, and the first is named', async (t) => {
  // 20 ames, 21 bell, 22 chen, 23 ames, 24 bell, 25 chen
  const replaced = after(base, makeOverride(request({ out: id('ames'), in: id('diaz') }), { roster: base, now: NOW }));
  t.equal(who(replaced, '2026-11-23 12:00'), 'diaz');
  const inTheWay = (more: Partial<OverrideRequest>) => {
    const decision = makeOverride(request(more), { roster: replaced, now: NOW });
    return decision.kind === 'refused' ? decision.because : 'made';
  };
  const says = 'override 1 of R. Okafor, 2026-11-23 07:00 to 2026-11-24 07:00, is in the way';
  const noon = { from: at('2026-11-23 12:00'), to: at('2026-11-23 13:00') };
  t.equal(inTheWay({ kind: 'replace', out: id('diaz'), in: id('bell'), span: noon }), says, 'of whoever stands in');
  t.equal(inTheWay({ kind: 'add', in: id('diaz'), span: noon }), says, 'of the same person');
  t.equal(inTheWay({ kind: 'add', in: id('chen'), span: noon }), 'made');
  const long = { from: at('2026-11-22 12:00'), to: at('2026-11-26 12:00') };
  t.equal(inTheWay({ kind: 'remove', out: id('ames'), span: long }), says, 'twice the same to put off');
  t.equal(inTheWay({ kind: 'remove', out: id('bell'), span: long }), 'made');
});

void t.test('a request that means nothing is refused with what to do', async (t) => {
  const because = (more: Partial<OverrideRequest>) => {
    const decision = makeOverride(request(more), { roster: base, now: NOW });
    return decision.kind === 'refused' ? decision.because : 'made';
  };
  const past = { from: at('2026-11-20'), to: at('2026-11-21') };
  t.equal(because({ kind: 'add', in: id('diaz'), span: past }), 'it is over before it begins');
  t.equal(because({ kind: 'add', in: id('diaz'), span: { from: past.to, to: past.from } }), 'it ends before it begins');
  t.equal(
    because({ out: id('bell'), in: id('diaz') }),
    'Dr bell is not primary between 2026-11-23 07:00 and 2026-11-24 07:00',
  );
  t.equal(because({ out: id('ames'), in: id('ames') }), 'that is the same person twice');
  t.equal(because({ kind: 'add', in: id('nobody') }), 'there is no person nobody');
  t.equal(because({ kind: 'add', in: id('diaz'), reason: ' ' }), 'an override needs a reason');
  t.equal(because({ kind: 'add', in: id('diaz'), reason: 'ill\nand more' }), 'an override needs a reason');
  t.equal(because({ kind: 'add', in: id('diaz'), author: 'x'.repeat(81) }), 'an override needs an author');
  const never = { from: at('2026-11-23 07:00'), to: at('2099-01-01') };
  t.equal(because({ kind: 'add', in: id('diaz'), span: never }), 'it lasts longer than a year');
});

void t.test('whoever takes a shift ends what is in the way; undoing it brings that back', async (t) => {
  const replaced = after(base, makeOverride(request({ out: id('ames'), in: id('diaz') }), { roster: base, now: NOW }));
  const span = { from: at('2026-11-23 10:00'), to: at('2026-11-23 12:00') };
  const take = makeOverride(request({ kind: 'take', in: id('bell'), span }), {
    roster: replaced,
    now: at('2026-11-23 10:00'),
  });
  const taken = after(replaced, take);
  t.same(
    ['07:00', '09:59', '10:00', '11:59', '12:00', '23:59'].map((time) => who(taken, `2026-11-23 ${time}`)),
    ['diaz', 'diaz', 'bell', 'bell', 'diaz', 'diaz'],
    'what it did not need goes on',
  );
  const undone = after(taken, endOverride(2, 'R. Okafor', { roster: taken, now: at('2026-11-23 11:00') }));
  t.same(
    ['09:59', '10:59', '11:00', '11:59', '12:00'].map((time) => who(undone, `2026-11-23 ${time}`)),
    ['diaz', 'bell', 'diaz', 'diaz', 'diaz'],
    'and the past stays',
  );
  const later = at('2026-11-23 11:30');
  t.match(endOverride(2, 'x', { roster: undone, now: later }), { because: 'override 2 was ended by R. Okafor' });
  t.match(endOverride(9, 'x', { roster: undone, now: NOW }), { because: 'there is no override 9' });
});

void t.test('a swap counts when it is accepted, both halves or none', async (t) => {
  const spans = {
    span: { from: at('2026-11-23 07:00'), to: at('2026-11-24 07:00') },
    other: { from: at('2026-11-24 07:00'), to: at('2026-11-25 07:00') },
  };
  const swap = request({ kind: 'swap', out: id('ames'), in: id('bell'), ...spans });
  const proposed = after(base, makeOverride(swap, { roster: base, now: NOW }));
  t.same([who(proposed, '2026-11-23 12:00'), who(proposed, '2026-11-24 12:00')], ['ames', 'bell']);
  const accepted = after(proposed, acceptSwap(1, 'Dr bell', { roster: proposed, now: plusMs(NOW, HOUR) }));
  t.same([who(accepted, '2026-11-23 12:00'), who(accepted, '2026-11-24 12:00')], ['bell', 'ames']);
  t.match(acceptSwap(1, 'x', { roster: accepted, now: NOW }), { because: 'swap 1 was accepted by Dr bell' });
  const undone = after(accepted, endOverride(2, 'Dr ames', { roster: accepted, now: plusMs(NOW, 2 * HOUR) }));
  t.same([who(undone, '2026-11-23 12:00'), who(undone, '2026-11-24 12:00')], ['ames', 'bell'], 'undone as a whole');
  const declined = after(proposed, endOverride(1, 'Dr bell', { roster: proposed, now: NOW }));
  t.match(acceptSwap(1, 'x', { roster: declined, now: NOW }), { because: 'swap 1 was declined by Dr bell' });
  t.match(acceptSwap(1, 'x', { roster: proposed, now: at('2026-11-24 08:00') }), {
    because: 'a shift of swap 1 is over',
  });
  t.match(acceptSwap(7, 'x', { roster: proposed, now: NOW }), { because: 'there is no swap 7' });

  const rival = after(
    proposed,
    makeOverride(request({ kind: 'take', in: id('diaz') }), { roster: proposed, now: NOW }),
  );
  t.match(acceptSwap(1, 'x', { roster: rival, now: NOW }), { because: /override 3 of R. Okafor.* is in the way/ });
});

const aRequest = fc.record({
  kind: fc.constantFrom('add', 'remove', 'replace', 'take', 'swap', 'accept', 'undo'),
  out: fc.constantFrom(...names),
  in: fc.constantFrom(...names),
  fromHour: fc.integer({ min: -30, max: 120 }),
  hours: fc.integer({ min: 1, max: 60 }),
  waitHours: fc.integer({ min: 0, max: 12 }),
  number: fc.integer({ min: 1, max: 9 }),
});

void t.test(
  'whatever is asked for: no two overrides conflict, the past never changes, everybody sees one answer',
  async () => {
    fc.assert(
      fc.property(fc.array(aRequest, { minLength: 1, maxLength: 8 }), (asked) => {
        let roster = base;
        let now = NOW;
        for (const one of asked) {
          now = plusMs(now, one.waitHours * HOUR);
          const from = plusMs(now, one.fromHour * HOUR);
          const span = { from, to: plusMs(from, one.hours * HOUR) };
          const situation = { roster, now };
          const spans =
            one.kind === 'swap' ? { span, other: { from: span.to, to: plusMs(span.to, 20 * HOUR) } } : { span };
          const [out, into] = [
            one.kind === 'add' || one.kind === 'take' ? null : id(one.out),
            one.kind === 'remove' ? null : id(one.in),
          ];
          const decision =
            one.kind === 'accept'
              ? acceptSwap(one.number, 'x', situation)
              : one.kind === 'undo'
                ? endOverride(one.number, 'x', situation)
                : makeOverride(request({ kind: one.kind as 'add', out, in: into, ...spans }), situation);
          if (decision.kind === 'refused') continue;
          const next = after(roster, decision);
          for (let hour = -48; hour < 0; hour += 5) {
            const then = plusMs(now, hour * HOUR);
            if (who(next, then) !== who(roster, then)) throw new Error(`the past has changed: ${home.show(then)}`);
          }
          roster = next;
          const counting = roster.overrides.flatMap((row) =>
            spanInForce(row) ? [{ ...row, ...spanInForce(row)! }] : [],
          );
          for (const a of counting) for (const b of counting) if (a.id < b.id) noConflict(a, b);
          const spansNow = roster.shifts(CARDIOLOGY, 'primary');
          for (let hour = 0; hour < 150; hour += 2) {
            const then = plusMs(now, hour * HOUR);
            const here = spansNow.filter((shift) => shift.from <= then && then < shift.to);
            const said = here.flatMap(({ people }) => people.map(({ person }) => person.id)).join('+') || 'nobody';
            if (here.length > 1 || said !== who(roster, then)) throw new Error(`${said}, and ${who(roster, then)}`);
            if (new Set(said.split('+')).size !== said.split('+').length) throw new Error(`twice the same: ${said}`);
          }
        }
      }),
      { numRuns: 120 },
    );
  },
);

function noConflict(a: ShiftOverride, b: ShiftOverride): void {
  if (a.from >= b.to || b.from >= a.to) return;
  if (a.kind === 'take' && b.kind === 'take') throw new Error(`${a.id} and ${b.id} both take`);
  if (a.out !== null && a.out === b.out) throw new Error(`${a.id} and ${b.id} put off the same person`);
  if (a.in !== null && a.in === b.in) throw new Error(`${a.id} and ${b.id} put on the same person`);
}

void t.test('rows are kept, each change with a revision of its own', async (t) => {
  const path = join(t.testdir({}), 'wardline.db');
  const store = await openStore(path);
  t.teardown(() => store.close());
  const guest = await openStore(path, { as: 'guest' });
  t.teardown(() => guest.close());
  t.same([store.overrides.revision(), store.overrides.list()], [0, []]);
  const decision = makeOverride(request({ out: id('ames'), in: id('diaz') }), { roster: base, now: NOW });
  if (decision.kind === 'refused') throw new Error(decision.because);
  guest.overrides.apply(decision.change);
  t.equal(store.overrides.revision(), 1);
  t.same(store.overrides.list(), decision.change.add);
  t.same(store.overrides.list(at('2026-11-24 07:00')), [], 'over by then');
  const undo = endOverride(1, 'R. Okafor', {
    roster: base.withOverrides(store.overrides.list()),
    now: instant(NOW + 1),
  });
  if (undo.kind === 'refused') throw new Error(undo.because);
  store.overrides.apply(undo.change);
  t.equal(guest.overrides.revision(), 2);
  t.match(guest.overrides.list(), [{ endedAt: NOW + 1, endedBy: 'R. Okafor' }]);
});

void t.test('of those who change the roster at one moment, who is told no leaves no fact behind', async (t) => {
  const data = join(t.testdir({}), 'data');
  const wardline = (...args: string[]) => warmCli([...args, '--data', data]);
  await wardline('oncall', 'override', 'list');
  const until = ['--until', new Date(Date.now() + 3 * HOUR).toISOString(), '--reason', 'ill'];
  const people = ['dr-bell', 'dr-ames', 'dr-chen'];
  const tiers = ['primary', 'backup'];
  const answers = await Promise.all(
    people.flatMap((person) =>
      tiers.map((tier) => wardline('oncall', 'override', 'add', 'cardiology', tier, person, ...until)),
    ),
  );
  const made = answers.filter(({ code }) => code === 0).length;
  const overtaken = answers.filter(({ err }) => /somebody else changed the roster at the same moment/.test(err)).length;
  t.ok(made >= 1 && overtaken >= 1, 'some were made, some were too late');
  t.equal(made + overtaken, answers.length, answers.map(({ err }) => err).join(''));
  const out = join(data, 'all.jsonl');
  t.equal((await wardline('audit', 'export', '--out', out)).code, 0);
  const facts = readFileSync(out, 'utf8').match(/overrideMade|overrideEnded/g) ?? [];
  t.same(facts, Array(made).fill('overrideMade'));
  const { overrides } = JSON.parse((await wardline('oncall', 'override', 'list', '--all', '--json')).out) as {
    overrides: { id: number }[];
  };
  t.same(
    overrides.map((row) => row.id),
    Array.from({ length: made }, (_, i) => i + 1),
  );
});

void t.test('wardline oncall override: made, listed, swapped, undone, and all of it on record', async (t) => {
  const data = join(t.testdir({}), 'data');
  const wardline = async (...args: string[]) => {
    const { code, out, err } = await warmCli([...args, '--data', data]);
    return { code, said: out + err };
  };
  const until = ['--until', new Date(Date.now() + 3 * HOUR).toISOString()];
  const why = ['--reason', 'ill', '--by', 'R. Okafor'];
  t.match(await wardline('oncall', 'override', 'list'), { code: 0, said: 'No overrides.' });
  t.match(await wardline('oncall', 'override', 'add', 'cardiology', 'primary', 'dr-chen', ...until, ...why), {
    code: 0,
    said: /^1: Dr Chen is on call as well, primary of Cardiology, .*; R. Okafor: ill \[in force\]\nBOTH AT ONCE: Dr Chen is primary of Cardiology and attending of Cardiology, .*\nTo undo it: wardline oncall override undo 1/,
  });
  t.match(await wardline('oncall', 'show', 'cardiology'), { said: /primary +Dr Chen .* by override of R\. Okafor, / });
  t.match(await wardline('oncall', 'override', 'add', 'cardiology', 'primary', 'dr-chen', ...until, ...why), {
    code: 1,
    said: /override 1 of R\. Okafor, .* is in the way \(undo it first, or use take\)/,
  });
  t.match(await wardline('oncall', 'override', 'take', 'cardiology', 'primary', 'dr-chen', ...why), {
    code: 0,
    said: /2: Dr Chen is on call, primary of Cardiology/,
  });
  t.match(await wardline('oncall', 'override', 'add', 'cardiolgy', 'primary', 'dr-chen', ...until, ...why), {
    code: 1,
    said: /there is no service cardiolgy; did you mean cardiology\?/,
  });
  t.match(await wardline('oncall', 'override', 'undo', 'two'), { code: 2, said: /two is no number of an override/ });
  t.match(await wardline('oncall', 'override', 'undo', '2'), { code: 0 });
  t.match(await wardline('oncall', 'override', 'list', '--all', '--json'), { said: /"endedBy": "R\. Okafor"/ });
  const attending = ['oncall', 'override', 'add', 'neurology', 'attending', 'dr-chen', ...why];
  t.match(await wardline(...attending), { code: 1, said: /nobody is attending of neurology at .*: give --until/ });
  t.match(await wardline(...attending, ...until), { code: 0 });
  t.match(await wardline('oncall', 'show', 'neurology'), { said: /attending +Dr Chen / });
  t.match(await wardline('plan', 'check', '--prove'), { code: 0 });
  const gone = ['oncall', 'override', 'remove', 'cardiology', 'attending', 'dr-chen', ...until, ...why];
  const { said } = await wardline(...gone);
  t.match(await wardline('plan', 'check', '--prove'), { code: 1, said: /nobody is attending of cardiology/ });
  t.match(await wardline('plan', 'activate'), { code: 1, said: /nobody is attending of cardiology/ });
  t.match(await wardline('oncall', 'override', 'undo', /undo (\d+)/.exec(said)?.[1] ?? ''), { code: 0 });
  t.match(await wardline('plan', 'activate'), { code: 0 });
  t.match(await wardline('audit', 'verify'), { code: 0 });
});
