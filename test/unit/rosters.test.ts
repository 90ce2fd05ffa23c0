import t from 'tap';
import { HOME, resolve } from '../../src/core/dialplan/index.ts';
import {
  type CompiledRoster,
  type DutyTier,
  dutyTiers,
  type PersonId,
  type ServiceId,
  type ServicePlace,
  type ShiftOverride,
} from '../../src/core/oncall/index.ts';
import { instant, wall, zone } from '../../src/core/time/index.ts';
import { whoToRing } from '../../src/core/escalation/who-to-ring.ts';
import { compileDocuments, showProblem } from '../../src/documents/index.ts';
import { told } from '../support/told.ts';

const chicago = zone('America/Chicago');
const at = (text: string) => chicago.toInstant(wall(text)!);
const CARDIOLOGY = 'cardiology' as ServiceId;
const WINDOW = { from: at('2026-10-01'), to: at('2027-03-31') };

const PLAN = `site:
  { name: Lakeside, zone: America/Chicago, country: US, operator: 1000, trunk: carrier, main-number: "+12025550100", ring-for: 20s }
extensions:
  1000: { name: Operator, kind: post }
  2101: { name: Ward 4B, kind: unit }
  3101: { name: Dr Ames, kind: person }
  3102: { name: Dr Moss, kind: person }
mailboxes:
  cardiology: { name: Cardiology }
routes:
  7011: { from: inside, escalate: { service: cardiology, urgency: stat } }
`;
const PEOPLE = `zone: America/Chicago
people:
  operator: { name: Operator, desk: 1000 }
  dr-ames: { name: Dr Ames, desk: 3101, mobile: "+12025550111" }
  dr-bell: { name: Dr Bell, mobile: "+12025550112" }
  dr-chen: { name: Dr Chen, mobile: "+12025550113" }
chains:
  stat:
    steps:
      - { ring: [primary, operator], on: [desk, mobile], for: 15s }
    last-resort: voicemail
`;

function service(tiers: string): string {
  return `services:
  cardiology:
    name: Cardiology
    zone: America/Chicago
    mailbox: cardiology
    chains: { stat: stat, urgent: stat, routine: stat }
${tiers}`;
}

/** The roster of `documents`, or what is wrong with them. */
function compiled(documents: string): CompiledRoster {
  return compiledWithPlan(documents).roster;
}

function compiledWithPlan(documents: string) {
  const result = compileDocuments(
    [
      { kind: 'plan', path: 'dialplans/a.yaml', text: PLAN },
      { kind: 'roster', path: 'oncall/people.yaml', text: PEOPLE },
      { kind: 'roster', path: 'oncall/a.yaml', text: documents },
    ],
    { prompts: new Set(['number-not-in-service']), window: WINDOW },
  );
  if (result.kind === 'refused') throw new Error(result.problems.map(showProblem).join('\n'));
  return result;
}

function who(roster: CompiledRoster, when: string, tier: DutyTier = 'primary'): string {
  const result = roster.whoIsOnCall(CARDIOLOGY, tier, at(when));
  if (result.kind !== 'onCall') return 'nobody';
  return [result.answer, ...(result.also ?? [])].map(({ person }) => person.id).join('+');
}

function why(roster: CompiledRoster, when: string, tier: DutyTier = 'primary'): string {
  const result = roster.whoIsOnCall(CARDIOLOGY, tier, at(when));
  return result.kind === 'outsideWindow'
    ? 'outside'
    : result.kind === 'onCall'
      ? result.answer.because
      : result.because;
}

void t.test('a plan knows the place of a service; a place in another roster misleads nobody', async (t) => {
  const neurology = `services:
  neurology:
    name: Neurology
    zone: America/Chicago
    mailbox: cardiology
    chains: { stat: stat, urgent: stat, routine: stat }
    primary: [{ always: dr-chen }]
`;
  const own = service('    primary: [{ always: dr-ames }]');
  const { plan, roster } = compiledWithPlan(`${neurology}${own.replace('services:\n', '')}`);
  const { verb } = resolve(plan, { dialled: '7011', from: 'inside', at: at('2026-11-22') });
  t.match(verb, { verb: 'escalate', service: CARDIOLOGY, urgency: 'stat', place: 1 });
  const asked = (where: CompiledRoster, place?: number) =>
    told(where.whoIsOnCall(CARDIOLOGY, 'primary', at('2026-11-22'), place as ServicePlace | undefined));
  const answer = asked(roster);
  t.match(answer, { kind: 'onCall', answer: { person: { id: 'dr-ames' }, because: 'always on call' } });
  for (const place of [0, 1, 2, -1]) t.same(asked(roster, place), answer, `place ${place}`);
  const other = compiled(`${own}\n${neurology.replace('services:\n', '')}`);
  t.same(asked(other, 1), answer);
});

void t.test('a rotation by the hour hands off at the same hours of every day', async (t) => {
  const roster = compiled(
    service(`    primary:
      - { rotation: [dr-ames, dr-bell, dr-chen], every: { hours: 12 }, handoff: "07:00", since: 2026-10-26 }`),
  );
  t.equal(who(roster, '2026-10-26 07:00'), 'dr-ames');
  t.equal(who(roster, '2026-10-26 19:00'), 'dr-bell');
  t.equal(who(roster, '2026-10-27 06:59'), 'dr-bell');
  t.equal(who(roster, '2026-10-27 07:00'), 'dr-chen');
  t.equal(
    why(roster, '2026-11-01 08:00'),
    'rotation every 12 h since 2026-10-26 07:00, on duty until 2026-11-01 19:00',
  );
});

void t.test('layers with hours: nights and week-ends are somebody else’s', async (t) => {
  const roster = compiled(
    service(`    primary:
      - { always: dr-ames, during: { mon-fri: 08:00-17:00 } }
      - { rotation: [dr-bell, dr-chen], every: week, handoff: mon 17:00, since: 2026-10-05, during: { mon-sun: 17:00-08:00 } }
    attending:
      - { always: dr-chen, during: { sat-sun: 00:00-24:00 } }`),
  );
  t.equal(who(roster, '2026-11-20 08:00'), 'dr-ames', 'a Friday');
  t.equal(why(roster, '2026-11-20 09:00'), 'on call in the hours of the rule, on duty until 2026-11-20 17:00');
  t.equal(who(roster, '2026-11-20 17:00'), 'dr-bell');
  t.equal(who(roster, '2026-11-21 07:59'), 'dr-bell', 'a stretch belongs to the day on which it begins');
  t.equal(who(roster, '2026-11-21 12:00'), 'nobody', 'week-ends by day are left open by these rules');
  t.equal(who(roster, '2026-11-23 16:59'), 'dr-ames');
  t.equal(who(roster, '2026-11-23 17:00'), 'dr-chen');
  t.equal(why(roster, '2026-11-21 12:00'), 'the next primary of cardiology begins 2026-11-21 17:00');
  t.equal(who(roster, '2026-11-20 23:59', 'attending'), 'nobody');
  t.equal(who(roster, '2026-11-21 00:00', 'attending'), 'dr-chen');
  const weekend = roster.shifts(CARDIOLOGY, 'attending').find(({ from }) => from === at('2026-11-21'));
  t.equal(weekend?.to, at('2026-11-23'), 'whole days join');
});

void t.test('shifts by hand, holidays and holiday plans', async (t) => {
  const roster = compiled(
    `holidays:
  us:
    - { date: 4th thu of nov, name: Thanksgiving }
    - { date: 12-25, name: Christmas }
    - { date: 2026-12-24, name: Christmas Eve }
    - { date: easter + 1 }
${service(`    primary:
      - { shifts: [{ who: dr-chen, from: 2026-11-21 08:00, until: 2026-11-22 08:00 }, { who: dr-bell, from: 2026-11-30, until: 2026-11-30 }] }
      - { holidays: us, rotation: [dr-ames, dr-bell], hours: "08:00-08:00", since: 2026-10-01 }
      - { always: dr-ames, not-on-holidays: us }
    backup:
      - { always: dr-bell, on-holidays: us }`)}`,
  );
  t.equal(who(roster, '2026-11-21 07:59'), 'dr-ames');
  t.equal(who(roster, '2026-11-21 08:00'), 'dr-chen');
  t.equal(why(roster, '2026-11-21 08:00'), 'shift listed by hand, on duty until 2026-11-22 08:00');
  t.equal(who(roster, '2026-11-30 23:59'), 'dr-bell', 'a date alone at the end includes that day');
  t.equal(who(roster, '2026-12-01 00:00'), 'dr-ames');
  t.equal(who(roster, '2026-11-26 07:59'), 'nobody', 'Thanksgiving before 08:00');
  t.equal(why(roster, '2026-11-26 08:00'), 'layer 2: holiday plan by us, on duty until 2026-11-27 08:00');
  t.equal(who(roster, '2026-12-24 12:00'), 'dr-bell', 'the second holiday');
  t.equal(who(roster, '2026-12-25 12:00'), 'dr-ames', 'the third');
  t.equal(who(roster, '2027-03-29 12:00'), 'dr-bell', 'Easter Monday 2027');
  t.equal(who(roster, '2026-12-25 12:00', 'backup'), 'dr-bell');
  t.equal(who(roster, '2026-12-26 00:00', 'backup'), 'nobody');
});

void t.test('leave passes a turn to the next who is there, and says so', async (t) => {
  const roster = compiled(
    `people:
  dr-diaz: { name: Dr Diaz, mobile: "+12025550121", leave: [{ from: 2026-11-21 12:00, until: 2026-11-24, kind: vacation }] }
  dr-evans: { name: Dr Evans, mobile: "+12025550122", leave: [{ from: 2026-11-24, until: 2026-11-24 }] }
${service(`    primary:
      - { rotation: [dr-diaz, dr-evans], every: day, handoff: "07:00", since: 2026-11-20 }
      - always: dr-chen
    backup:
      - always: dr-diaz`)}`,
  );
  t.equal(who(roster, '2026-11-20 12:00'), 'dr-diaz');
  t.equal(who(roster, '2026-11-21 07:00'), 'dr-evans');
  t.equal(who(roster, '2026-11-22 12:00'), 'dr-evans');
  t.equal(
    why(roster, '2026-11-22 12:00'),
    'daily rotation since 2026-11-20 07:00, for Dr Diaz who is away, on duty until 2026-11-23 07:00',
  );
  t.equal(who(roster, '2026-11-24 12:00'), 'dr-chen', 'all are away: the next layer answers');
  t.equal(who(roster, '2026-11-25 00:00'), 'dr-diaz', 'the turn of the 24th is Dr Diaz’s, who is back');
  t.equal(who(roster, '2026-11-22 12:00', 'backup'), 'nobody');
});

void t.test('a temporary roster takes the place of the rules, and leaves no hole unless told to', async (t) => {
  const temporary = (gaps: string) =>
    compiled(
      `temporary:
  flood:
    reason: Flood
    from: 2026-12-01 08:00
    until: 2026-12-03
    gaps: ${gaps}
    services: { cardiology: { primary: [{ always: dr-chen, during: { mon-sun: 08:00-20:00 } }] } }
${service('    primary: [{ always: dr-ames }]\n    backup: [{ always: dr-bell }]')}`,
    );
  for (const gaps of ['usual', 'nobody']) {
    const roster = temporary(gaps);
    t.equal(who(roster, '2026-12-01 07:59'), 'dr-ames');
    t.equal(who(roster, '2026-12-01 08:00'), 'dr-chen');
    t.match(why(roster, '2026-12-01 08:00'), /^temporary roster flood: .* until 2026-12-01 20:00$/);
    t.equal(who(roster, '2026-12-01 21:00'), gaps === 'usual' ? 'dr-ames' : 'nobody');
    t.equal(who(roster, '2026-12-04 00:00'), 'dr-ames');
    t.equal(who(roster, '2026-12-02 12:00', 'backup'), 'dr-bell', 'other tiers keep their rules');
  }
});

void t.test('overrides stand before every rule, from when they were made until they are undone', async (t) => {
  const base = compiled(
    service(`    primary:
      - { rotation: [dr-ames, dr-bell], every: day, handoff: "07:00", since: 2026-11-20 }`),
  );
  let id = 0;
  const override = (more: Partial<ShiftOverride>): ShiftOverride => ({
    id: ++id,
    kind: 'replace',
    service: CARDIOLOGY,
    tier: 'primary',
    from: at('2026-11-22 07:00'),
    to: at('2026-11-25 07:00'),
    out: null,
    in: null,
    author: 'R. Okafor',
    reason: 'ill',
    madeAt: at('2026-11-22 06:10'),
    swap: null,
    acceptedAt: at('2026-11-22 06:10'),
    acceptedBy: 'R. Okafor',
    endedAt: null,
    endedBy: null,
    endedFor: null,
    ...more,
  });
  const [ames, bell, chen] = ['dr-ames', 'dr-bell', 'dr-chen'] as PersonId[];
  const withIt = (more: Partial<ShiftOverride>) => base.withOverrides([override(more)]);

  const replaced = withIt({ out: ames!, in: chen! });
  t.equal(
    why(replaced, '2026-11-22 07:00'),
    'by override of R. Okafor, 2026-11-22 06:10, on duty until 2026-11-23 07:00',
  );
  t.equal(who(replaced, '2026-11-22 07:00'), 'dr-chen');
  t.equal(who(replaced, '2026-11-23 07:00'), 'dr-bell', 'whom it does not speak of stays');
  t.equal(who(replaced, '2026-11-24 07:00'), 'dr-chen');
  t.equal(who(replaced, '2026-11-26 07:00'), 'dr-ames', 'it is over');

  t.equal(who(withIt({ kind: 'remove', out: ames! }), '2026-11-22 07:00'), 'dr-bell', 'the next in the rotation');
  t.equal(who(withIt({ kind: 'take', in: chen! }), '2026-11-23 12:00'), 'dr-chen', 'whoever it would have been');

  const added = withIt({ kind: 'add', in: chen!, from: at('2026-11-22 10:00'), to: at('2026-11-22 12:00') });
  t.equal(who(added, '2026-11-22 09:59'), 'dr-ames');
  t.equal(who(added, '2026-11-22 10:00'), 'dr-ames+dr-chen');
  t.match(added.whoIsOnCall(CARDIOLOGY, 'primary', at('2026-11-22 09:00')), { changesAt: at('2026-11-22 10:00') });
  t.match(added.whoIsOnCall(CARDIOLOGY, 'primary', at('2026-11-22 10:00')), { changesAt: at('2026-11-22 12:00') });
  const spans = added.shifts(CARDIOLOGY, 'primary').filter(({ from }) => from >= at('2026-11-22 07:00'));
  t.same(
    spans.slice(0, 3).map(({ from, people }) => [chicago.show(from), people.map(({ person }) => person.id).join('+')]),
    [
      ['2026-11-22 07:00', 'dr-ames'],
      ['2026-11-22 10:00', 'dr-ames+dr-chen'],
      ['2026-11-22 12:00', 'dr-ames'],
    ],
  );

  const late = withIt({ kind: 'take', in: chen!, from: at('2026-11-20 07:00') });
  t.equal(who(late, '2026-11-22 06:09'), 'dr-bell', 'nobody changes who was on call');
  t.equal(who(late, '2026-11-22 06:10'), 'dr-chen');
  t.equal(who(withIt({ kind: 'take', in: chen!, acceptedAt: null }), '2026-11-22 12:00'), 'dr-ames', 'proposed');
  const undone = withIt({ kind: 'take', in: chen!, endedAt: at('2026-11-22 09:00') });
  t.equal(who(undone, '2026-11-22 08:59'), 'dr-chen');
  t.equal(who(undone, '2026-11-22 09:00'), 'dr-ames');
  t.equal(who(base, '2026-11-22 12:00'), 'dr-ames', 'the roster itself has not changed');
  t.equal(
    who(base.withOverrides([override({ kind: 'add', in: bell!, tier: 'fellow' })]), '2026-11-22 12:00', 'fellow'),
    'dr-bell',
  );
});

void t.test('whoever is on call is who the shifts say, for any tier at any time', async (t) => {
  const roster = compiled(
    service(`    primary:
      - { rotation: [dr-ames, dr-bell], every: { hours: 8 }, handoff: "07:00", since: 2026-10-26, during: { mon-fri: 06:00-23:00 } }
      - { always: dr-chen, during: { sat-sun: 10:00-02:00 } }`),
  );
  const shifts = roster.shifts(CARDIOLOGY, 'primary');
  for (let when = at('2026-10-20') as number; when < at('2026-11-20'); when += 1_700_000) {
    const covering = shifts.filter(({ from, to }) => from <= when && when < to);
    t.ok(covering.length <= 1);
    const result = roster.whoIsOnCall(CARDIOLOGY, 'primary', instant(when));
    const said = result.kind === 'onCall' ? result.answer.person.id : undefined;
    if (said !== covering[0]?.people[0]?.person.id) t.fail(`${chicago.show(instant(when))}: ${said}`);
  }
  t.equal(dutyTiers.length, 5);
});

void t.test(
  'which phone rings follows the hour, the urgency and the unit; a preference makes nobody unreachable',
  async (t) => {
    const { plan, roster } = compiledWithPlan(`units:
  ward: { name: Ward 4B, phones: [2101] }
people:
  dr-moss:
    name: Dr Moss
    desk: 3102
    mobile: "+12025550151"
    numbers: { home: "+12025550951" }
    prefer:
      - { from: [ward], urgency: [stat], ring: [desk, mobile] }
      - { during: { mon-sun: 22:00-07:00 }, ring: [home] }
      - { during: { mon-fri: 08:00-17:00 }, services: [cardiology], ring: [desk] }
${service('    primary: [{ always: dr-moss }]')}`);
    const step = { targets: [{ kind: 'tier', tier: 'primary' }], devices: ['preferred'], dwellMs: 20_000 } as const;
    const rings = (
      when: string,
      more: { urgency?: 'stat' | 'routine'; from?: string; isRegistered?: boolean } = {},
    ) => {
      const { urgency = 'routine', from, isRegistered = true } = more;
      const world = { at: at(when), plan, roster, isRegistered: () => isRegistered, trunkFault: () => null };
      const caller = from === undefined ? { kind: 'trunk', trunk: 'carrier' } : { kind: 'phone', extension: from };
      const calling = caller as Parameters<typeof whoToRing>[1]['from'];
      const situation = { from: calling, acceptDigit: '5', site: HOME, hasMedia: true };
      const { candidates } = whoToRing(world, situation, step, {
        service: CARDIOLOGY,
        urgency,
        tried: [],
        declined: [],
      });
      return candidates.map((one) => `${one.verdict} ${one.contact ?? one.device}`).join(', ');
    };
    t.equal(rings('2026-11-23 12:00'), 'rung desk', 'a Monday at noon');
    t.equal(rings('2026-11-23 12:00', { isRegistered: false }), 'skipped desk, rung mobile, rung home');
    t.equal(rings('2026-11-23 23:00'), 'rung home');
    t.equal(rings('2026-11-24 06:59'), 'rung home', 'the night goes on');
    t.equal(rings('2026-11-24 07:00'), 'rung desk, rung mobile, rung home', 'no preference fits');
    t.equal(
      rings('2026-11-23 23:00', { urgency: 'stat', from: '2101' }),
      'rung desk, rung mobile',
      'STAT from the ward',
    );
    t.equal(rings('2026-11-23 23:00', { urgency: 'stat', from: '3101' }), 'rung home', 'not from elsewhere');
  },
);

void t.test('what a roster cannot mean is refused with its place, the reason and what to do', async (t) => {
  const problem = (documents: string): string => {
    try {
      compiled(documents);
      return 'good';
    } catch (error) {
      return (error as Error).message.split('\n')[0]!;
    }
  };
  const rule = (written: string) => problem(service(`    primary:\n      - ${written}`));
  const rotation = 'rotation: [dr-ames], every: day, handoff: "07:00", since: 2026-11-01';
  const cases: readonly (readonly [string, string])[] = [
    [
      rule('{ always: dr-ames, during: { mon-fry: 08:00-17:00 } }'),
      'oncall/a.yaml:8:47: "mon-fry" is no weekday (write mon or mon-fri)',
    ],
    [
      rule('{ always: dr-ames, during: { mon: 8-17 } }'),
      'oncall/a.yaml:8:43: "8-17" is no time of day (write 08:00-17:00; 17:00-08:00 ends on the next day)',
    ],
    [
      rule(`{ ${rotation}, on-holidays: us }`),
      'oncall/a.yaml:8:94: unknown holiday calendar "us" (define the holiday calendar first)',
    ],
    [
      rule(`{ ${rotation}, shifts: [] }`),
      'oncall/a.yaml:8:21: "shifts" and "rotation" exclude each other (keep one of the two)',
    ],
    [
      rule('{ shifts: [{ who: dr-ames, from: 2026-11-02 08:00, until: 2026-11-01 }] }'),
      'oncall/a.yaml:8:67: it ends with 2026-11-01, before it begins (write a later end)',
    ],
    [
      rule('{ shifts: [{ who: dr-ames, from: 1970-01-01, until: 2026-11-01 }] }'),
      'oncall/a.yaml:8:42: the year 1970 is out of range (use 2000 to 2099)',
    ],
    [
      rule('{ shifts: [{ who: dr-ames, from: 2026-11-01, until: 2100-11-01 }] }'),
      'oncall/a.yaml:8:61: the year 2100 is out of range (use 2000 to 2099)',
    ],
    [
      rule('{ shifts: [{ who: dr-amse, from: 2026-11-01, until: 2026-11-02 }] }'),
      'oncall/a.yaml:8:27: unknown person "dr-amse"; did you mean "dr-ames"? (use one of: operator, dr-ames, dr-bell, dr-chen)',
    ],
    [
      rule('{ rotation: [dr-ames], every: { hours: 500 }, handoff: "07:00", since: 2026-11-01 }'),
      'oncall/a.yaml:8:39: a turn of 500 hours (use 1 to 168 whole hours)',
    ],
    [rule('feed: amion'), 'oncall/a.yaml:8:15: unknown feed "amion" (define the feed first)'],
    [
      problem('holidays: { us: [{ date: 5th fri }] }'),
      'oncall/a.yaml:1:26: this is no day of a calendar (write 2026-12-24, 12-25 for every year, 4th thu of nov, last mon of may, easter or easter + 1)',
    ],
    [
      problem('units: { a: { name: A, phones: [2101] }, b: { name: B, phones: [2101] } }'),
      'oncall/a.yaml:1:65: extension 2101 is already a phone of a (a phone belongs to one unit)',
    ],
    [
      problem('people: { x: { name: X, mobile: "+12025550199", prefer: [{ ring: [home] }] } }'),
      'oncall/a.yaml:1:67: unknown phone of this person "home" (use one of: mobile)',
    ],
    [
      problem('people: { x: { name: X, mobile: "+12025550199", specialty: heart } }'),
      'oncall/a.yaml:1:60: unknown specialty "heart" (define the specialty first)',
    ],
    [
      problem('feeds: { f: { calendar: a.ics, table: a.csv, names: {} } }'),
      'oncall/a.yaml:1:13: a feed is either a calendar or a table (write calendar: or table:)',
    ],
    [
      problem('people: { dr-ames: { name: A, mobile: "+12025550199" } }'),
      'oncall/a.yaml:1:11: "dr-ames" is already defined at oncall/people.yaml:4:3 (remove one of them)',
    ],
  ];
  for (const [said, expected] of cases) t.equal(said, expected);
  const season = (id: string) =>
    `  ${id}: { reason: r, from: 2026-12-01, until: 2026-12-05, services: { cardiology: { primary: [{ always: dr-ames }] } } }\n`;
  t.match(
    problem(`temporary:\n${season('a')}${season('b')}${service('    primary: [{ always: dr-ames }]')}`),
    /temporary roster a speaks of the same tier at that time/,
  );
  const many = Array.from(
    { length: 5_001 },
    (_, i) => `{ who: dr-ames, from: 20${10 + (i % 80)}-01-01, until: 20${10 + (i % 80)}-01-02 }`,
  ).join(', ');
  t.match(rule(`{ shifts: [${many}] }`), /5001 shifts in one list \(use at most 5000\)/);
});
