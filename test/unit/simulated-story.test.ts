import t from 'tap';
import { suppose } from '../../src/cli/suppose.ts';
import { ladder } from '../../src/core/audit/index.ts';
import { tellStory } from '../../src/core/simulate/index.ts';
import { aPlan, aRoster, mobiles, noon, phones } from '../support/lakeside.ts';
import { PaperCall } from '../support/paper-phones.ts';

const plan = aPlan();
const roster = aRoster();
const nothing = { outcome: [], press: [], answer: [], unregistered: [], trunkDown: [] };

function story(to: string, options: Partial<Parameters<typeof suppose>[0]>, from: string | null = phones.ward) {
  const { presses, ...phones } = suppose({ ...nothing, ...options }, plan, roster);
  return tellStory(plan, roster, { from, to, at: noon, ...phones }, presses);
}

const names = { person: (id: string) => id, service: () => 'Cardiology', mailbox: () => '', extension: () => null };
const told = ({ facts }: ReturnType<typeof story>) => ladder(facts, names).map(({ says }) => says);

void t.test('each outcome of a phone leads where it leads in a real call', async (t) => {
  const end = (outcome: readonly string[], more = {}) => story('7011', { outcome, ...more }).end;
  const human = (person: string, phone: string, afterMs: number) => ({ kind: 'human', person, phone, afterMs });
  t.same(end(['3101=answers']), human('ames', phones.ames, 5_000));
  t.same(end(['3101=answers@14s']), human('ames', phones.ames, 14_000));
  t.same(end(['3101=answers@16s', '3102=answers']), human('bell', phones.bell, 20_000), 'too late for the step');
  t.same(end(['3101=busy', `${mobiles.ames}=unreachable`, '3102=answers']), human('bell', phones.bell, 5_000));
  t.same(end([`${mobiles.ames}=answers`]), human('ames', mobiles.ames, 5_000));
  t.same(end([`${mobiles.ames}=declines`, '3102=answers@1s']), human('bell', phones.bell, 4_000), 'no is no at once');
  t.same(end(['3101=declines', '3102=answers']), human('bell', phones.bell, 20_000), 'the mobile rings on');
  t.same(end(['3101=no-answer@3s', `${mobiles.ames}=busy`, '3102=answers']), human('bell', phones.bell, 8_000));
  t.same(end(['3101=unregistered', `${mobiles.ames}=busy`, '3102=answers']), human('bell', phones.bell, 5_000));
  t.same(end([`${mobiles.supervisor}=machine@14s`]), {
    kind: 'message',
    mailbox: 'cardiology',
    urgent: true,
    afterMs: 89_000,
  });
  t.same(end([]), { kind: 'message', mailbox: 'cardiology', urgent: true, afterMs: 60_000 });
});

void t.test('keys and urgency are what the caller says, then there is silence', async (t) => {
  t.match(story('7010', { urgency: 'routine' }).end, { kind: 'message', urgent: false, afterMs: 20_000 });
  t.match(story('7010', { press: [{ key: '1', afterMs: 0 }] }).end, { kind: 'message', urgent: true, afterMs: 60_000 });
  t.match(
    story(
      '+12025550100',
      {
        press: [
          { key: '7', afterMs: 0 },
          { key: '2', afterMs: 0 },
        ],
        outcome: ['3101=answers'],
      },
      null,
    ).end,
    { kind: 'human' },
  );
  t.match(story('1500', { press: [{ key: '7', afterMs: 0 }] }).end, {
    kind: 'message',
    mailbox: 'office',
    afterMs: 25_000,
  });
  t.match(story('2102', { outcome: ['2102=answers'] }).end, { kind: 'human', person: '2102', afterMs: 5_000 });
  t.match(story('3101', { outcome: ['3101=busy'] }).end, { kind: 'over', cause: 'busy' });
});

void t.test('the story is told in the words of the record', async (t) => {
  const machine = told(story('7011', { outcome: [`${mobiles.ames}=machine@10s`, '3102=answers@9s'] }));
  const live = new PaperCall('7011', { at: noon, plan, roster, from: phones.ward }).after(10);
  live.phone(mobiles.ames).answers();
  live.after(14);
  live.phone(phones.bell).answers();
  const spoken = ladder(live.facts, names).map(({ says }) => says);
  const [, ...rest] = machine;
  const heard = (lines: readonly string[]) => lines.filter((line) => /^Step|TAKEN|nothing is pressed|asked/.test(line));
  t.ok(heard(rest).length >= 5);
  t.same(new Set(heard(rest)), new Set(heard(spoken)));
});

void t.test('what is supposed of nobody is refused', async (t) => {
  for (const outcome of ['9999=busy', '3101=asleep', '3101', '3101=answers@ten']) {
    t.throws(() => suppose({ ...nothing, outcome: [outcome] }, plan, roster), /--outcome/);
  }
});

void t.test('a phone that is named more than once does one thing after the other', async (t) => {
  const { outcomeOf } = suppose({ ...nothing, outcome: ['3101=busy', '3101=machine@2s', '3102=busy'] }, plan, roster);
  const rings = (phone: string) => outcomeOf(phone).kind;
  t.same(
    [rings('3101'), rings('3102'), rings('3101'), rings('3101'), rings('3103')].join(),
    'busy,busy,machine,machine,noAnswer',
  );
});
