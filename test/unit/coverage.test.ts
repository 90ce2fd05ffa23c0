import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  type ClinicalService,
  compileRoster,
  coverage,
  type PersonId,
  type RosterSource,
  type ServiceId,
  weeklyCover,
} from '../../src/core/oncall/index.ts';
import { instant, type Instant, wall, zone } from '../../src/core/time/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { warmCli } from '../support/warm-cli.ts';

const HOUR = 3_600_000;
const home = zone('Europe/Berlin');
const at = (text: string): Instant => home.toInstant(wall(text)!);
const id = (name: string) => name as PersonId;
const chain = { id: 'c', steps: [], lastResort: { kind: 'voicemail', urgent: false } } as const;

function roster(tiers: ClinicalService['tiers'], more: Partial<RosterSource> = {}) {
  const service = (name: string, own: ClinicalService['tiers']): ClinicalService => ({
    id: name as ServiceId,
    name,
    zone: 'Europe/Berlin',
    tiers: own,
    mailbox: 'm',
    chains: { stat: chain, urgent: chain, routine: chain },
  });
  const source: RosterSource = {
    version: 'v',
    zone: 'Europe/Berlin',
    people: ['a', 'b', 'c'].map((name) => ({ id: id(name), name, mobile: '+12025550111' })),
    services: [service('one', tiers), service('two', { backup: [{ kind: 'always', person: id('c') }] })],
    ...more,
  };
  return compileRoster(source, { from: at('2026-10-01'), to: at('2027-12-31') });
}

void t.test('a gap is found to the minute, also on the night when clocks change', async (t) => {
  const stretches = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, fromMinute: 150, toMinute: 1_440 + 120 }));
  const compiled = roster({ primary: [{ kind: 'always', person: id('a'), during: stretches }] });
  const within = { from: at('2026-10-24 12:00'), to: at('2026-10-26 12:00') };
  const { gaps } = coverage(compiled, within);
  t.same(
    gaps.map(({ from, to, tier, service }) => [service, tier, home.show(from), (to - from) / 60_000]),
    [
      // 02:00 and 02:30 are shown twice: the first time counts.
      ['one', 'primary', '2026-10-25 02:00', 30],
      ['one', 'primary', '2026-10-26 02:00', 30],
    ],
  );
});

void t.test('who is needed in two places at once, and who shares a duty', async (t) => {
  const rotation = (people: readonly string[]) =>
    ({ kind: 'rotation', everyDays: 1, since: '2026-11-01T08:00', people: people.map(id) }) as const;
  const compiled = roster({ primary: [rotation(['a', 'b', 'c'])], backup: [rotation(['b', 'c', 'c'])] });
  const { doubleDuties, load, gaps } = coverage(compiled, { from: at('2026-11-01 08:00'), to: at('2026-11-10 08:00') });
  t.same(gaps, []);
  const c = doubleDuties.filter(({ person }) => person.id === 'c');
  t.same(
    c
      .slice(0, 3)
      .map(({ from, to, duties }) => [home.show(from), (to - from) / HOUR, duties.map(({ tier }) => tier).join()]),
    [
      ['2026-11-02 08:00', 24, 'backup,backup'],
      ['2026-11-03 08:00', 24, 'primary,backup,backup'],
      ['2026-11-05 08:00', 24, 'backup,backup'],
    ],
  );
  const [a, b] = ['a', 'b'].map((name) => load.find(({ person, tier }) => person.id === name && tier === 'primary'));
  t.same([a?.dutyMs, a?.shifts, a?.overMean], [72 * HOUR, 3, 0]);
  t.same([a?.nightMs, b?.nightMs], [24 * HOUR, 24 * HOUR]);
  t.equal(load.find(({ person, tier }) => person.id === 'c' && tier === 'backup')?.overMean.toFixed(3), '0.333');
  // 2026-11-01 was a Sunday: 16 h of it, and the whole day from Saturday the 7th on.
  t.equal(a?.weekendMs, (16 + 24) * HOUR);
});

void t.test('weeks ahead: how much of what was promised nobody covers', async (t) => {
  const since = '2026-11-09T00:00';
  const compiled = roster({ primary: [{ kind: 'rotation', everyDays: 7, since, people: [id('a')] }] });
  const weeks = weeklyCover(compiled, at('2026-11-02'), 52);
  t.equal(weeks.length, 52);
  t.same(
    weeks.slice(0, 3).map(({ gapShare }) => gapShare),
    [0.5, 0, 0],
    'one of two tiers is open in the first week',
  );
  t.match(weeks[0]?.worst, { service: 'one', tier: 'primary' });
});

void t.test('who was on call is answered from the roster that was in force then', async (t) => {
  const data = join(t.testdir({ data: {} }), 'data');
  const files = (swap: boolean) =>
    (['plan', 'roster'] as const).map((kind) => {
      const path = kind === 'plan' ? 'dialplans/lakeside.yaml' : 'oncall/lakeside.yaml';
      const text = readFileSync(path, 'utf8');
      return { kind, path, text: swap ? text.replace('always: dr-chen', 'always: dr-ames') : text };
    });
  const store = await openStore(join(data, 'wardline.db'));
  await store.documents.save({
    plan: 'p',
    roster: 'first',
    at: instant(Date.parse('2026-09-01T00:00Z')),
    files: files(true),
  });
  await store.documents.save({
    plan: 'p',
    roster: 'second',
    at: instant(Date.parse('2026-10-01T00:00Z')),
    files: files(false),
  });
  await store.close();
  const ask = async (when: string) => warmCli(['oncall', 'who', '--of', 'cardiology', '--at', when, '--data', data]);
  t.match(
    (await ask('2026-09-15T00:00Z')).out,
    /attending +Dr Ames .*2026-09-30 19:00 +always/,
    'until the next version',
  );
  t.match((await ask('2026-10-15T00:00Z')).out, /attending +Dr Chen/);
  t.match(await ask('2026-08-15T00:00Z'), { code: 1, err: /no roster of this house was in force at that time/ });
  t.match(await warmCli(['oncall', 'show', 'cardiology', '--at', '2026-09-15T00:00Z', '--data', data]), {
    out: /attending +Dr Ames/,
  });
});

void t.test('wardline oncall coverage: exit code, calendar and a gap that an override makes', async (t) => {
  const data = join(t.testdir({}), 'data');
  const wardline = async (...args: string[]) => warmCli(['oncall', ...args, '--data', data]);
  const from = ['--from', '2027-03-01T08:00'];
  t.match(await wardline('coverage', ...from), { code: 0, out: /^No gap in the next 90 days\./ });
  const calendar = await wardline('coverage', ...from, '--calendar', '--days', '2', '--service', 'neurology');
  t.match(
    calendar.out,
    /^Neurology, primary \(America\/Chicago\)\n {2}Mon 2027-03-01 {2}Dr Evans, 07:00 Dr Diaz\n {2}Tue 2027-03-02 {2}Dr Diaz, 07:00 Dr Evans\n/,
  );
  const stays = [
    'replace',
    'neurology',
    'backup',
    'dr-diaz',
    'dr-evans',
    '--from',
    '2027-03-02T12:00',
    '--reason',
    'ill',
  ];
  t.match((await wardline('override', ...stays)).out, /\nBOTH AT ONCE: Dr Evans is primary of Neurology and backup of/);
  t.match(
    (await wardline('coverage', ...from, '--calendar', '--days', '3', '--service', 'neurology')).out,
    /backup [\s\S]* Tue 2027-03-02 {2}Dr Evans, 07:00 Dr Diaz, 12:00 Dr Evans\n {2}Wed 2027-03-03 {2}Dr Evans\n/,
  );
  t.match(await wardline('coverage', '--days', '500'), { code: 2, err: /--days 500: use 1 to 120/ });
  t.match(await wardline('coverage', '--service', 'x'), { code: 1, err: /there is no service x/ });
  const until = new Date(Date.now() + HOUR).toISOString();
  const remove = ['override', 'remove', 'cardiology', 'attending', 'dr-chen', '--until', until, '--reason', 'ill'];
  t.match((await wardline(...remove)).out, /\nNOBODY is attending then: .* to .*\n/);
  t.match(await wardline('coverage', '--service', 'cardiology'), {
    code: 1,
    out: /^1 gap in the next 90 days:\n {2}attending of Cardiology: nobody .*/,
  });
});
