import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t from 'tap';
import { parse } from 'yaml';
import { resolve, resolveVerb } from '../../src/core/dialplan/index.ts';
import type { DutyTier, ServiceId } from '../../src/core/oncall/index.ts';
import { simulate, tellSimulation } from '../../src/core/simulate/index.ts';
import { instant, wall, zone } from '../../src/core/time/index.ts';
import { documentSchemas, loadDocuments, showProblem } from '../../src/documents/index.ts';

/** The recorded prompts, by the file that says their words. */
const PROMPTS = new Set(
  ['wardline', 'asterisk-core-sounds'].flatMap((set) => {
    const words = readFileSync(`src/mediad/prompts/en/${set}/texts.yaml`, 'utf8');
    return Object.keys(parse(words) as Record<string, string>);
  }),
);

const chicago = zone('America/Chicago');
const at = (text: string) => chicago.toInstant(wall(text)!);

async function lakeside() {
  const now = at('2026-10-20 12:00');
  const loaded = await loadDocuments({ dialplans: 'dialplans', oncall: 'oncall', prompts: PROMPTS, now });
  if (loaded.kind === 'refused') throw new Error(loaded.problems.map(showProblem).join('\n'));
  return loaded;
}

void t.test('who is on call at Lakeside, and why', async (t) => {
  const { roster } = await lakeside();
  const who = (service: string, tier: DutyTier, when: string) => {
    const result = roster.whoIsOnCall(service as ServiceId, tier, at(when));
    return result.kind === 'onCall' ? `${result.answer.person.name}: ${result.answer.because}` : result;
  };
  const untilMonday = 'weekly rotation since 2026-01-05 08:00, on duty until 2026-11-23 08:00';
  t.equal(who('cardiology', 'primary', '2026-11-22 23:00'), `Dr Bell: ${untilMonday}`);
  t.equal(who('cardiology', 'backup', '2026-11-22 23:00'), `Dr Ames: ${untilMonday}`);
  t.match(who('cardiology', 'primary', '2026-11-23 07:59'), /^Dr Bell/);
  t.match(who('cardiology', 'primary', '2026-11-23 08:00'), /^Dr Ames/);
  t.equal(who('cardiology', 'attending', '2026-11-23 08:00'), 'Dr Chen: always on call');
  t.match(who('neurology', 'primary', '2026-10-31 07:00'), /^Dr Evans: daily .* until 2026-11-01 07:00$/);
  t.match(who('neurology', 'primary', '2026-11-01 06:59'), /^Dr Evans/, 'the long night: 25 h of duty');
  t.match(who('neurology', 'primary', '2026-11-01 07:00'), /^Dr Diaz/);
  t.match(who('neurology', 'attending', '2026-11-01 07:00'), {
    kind: 'nobodyOnCall',
    because: 'neurology has no attending',
  });
  const shift = roster.whoIsOnCall('neurology' as ServiceId, 'primary', at('2026-10-31 12:00'));
  if (shift.kind !== 'onCall') throw new Error('somebody is on call');
  t.equal(shift.answer.until - shift.answer.since, 25 * 3_600_000);
  t.equal(roster.personByDesk('3103')?.name, 'Dr Chen');
});

void t.test('what each number of Lakeside does', async (t) => {
  const { plan } = await lakeside();
  const decide = (dialled: string, from: 'inside' | 'trunk', when = '2026-11-23 09:00') => {
    return resolve(plan, { dialled, from, at: at(when) });
  };
  t.match(decide('7011', 'inside'), {
    verb: { verb: 'escalate', service: 'cardiology', urgency: 'stat' },
    trace: [
      { at: 'routes.7011', says: '7011 was dialled from a phone of the house' },
      { at: 'routes.7011', says: 'work down the STAT chain of cardiology' },
    ],
  });
  t.match(decide('7023', 'inside').verb, { verb: 'escalate', service: 'neurology', urgency: 'routine' });
  const keys = { 1: 'stat', 2: 'urgent', 3: 'routine' };
  t.match(decide('7020', 'inside').verb, {
    verb: 'askUrgency',
    service: 'neurology',
    keys,
    noKeyMs: 5_000,
    noKey: 'urgent',
  });
  t.match(decide('2102', 'inside').verb, { verb: 'ring', extension: '2102', forMs: 20_000, otherwise: null });
  t.match(decide('1500', 'inside').verb, { verb: 'menu', id: 'main-line', tries: 3 });
  t.match(decide('+12025550100', 'trunk').verb, {
    verb: 'menu',
    id: 'main-line',
    otherwise: { verb: 'run', flow: 'operator' },
  });
});

void t.test('phones cannot dial out, and strangers cannot dial in', async (t) => {
  const { plan } = await lakeside();
  for (const dialled of [
    '+442071234567',
    '00442071234567',
    '9011442071234567',
    '911',
    '',
    '7',
    '+12025550100',
    '70110',
  ]) {
    const { verb, trace } = resolve(plan, { dialled, from: 'inside', at: at('2026-11-23 09:00') });
    t.same(verb, { verb: 'refuse', cause: 'numberNotInService', prompts: [] });
    if (dialled !== '')
      t.notOk(JSON.stringify(trace).includes(dialled), 'a number that may be a patient’s is not in the trace');
  }
  for (const dialled of ['7011', '1000', '1500', '2101', '+12025550111']) {
    const { verb } = resolve(plan, { dialled, from: 'trunk', at: at('2026-11-23 09:00') });
    t.match(verb, { verb: 'refuse', cause: 'numberNotInService', prompts: [] });
  }
});

void t.test(
  'key 1 of the main line reaches the operator in opening hours, else the voicemail of the office',
  async (t) => {
    const { plan } = await lakeside();
    const press1 = (when: string) => {
      const menu = resolve(plan, { dialled: '+12025550100', from: 'trunk', at: at(when) });
      if (menu.verb.verb !== 'menu') throw new Error('the main line offers a menu');
      return resolveVerb(plan, menu.verb.keys['1']!, at(when), `${menu.trace.at(-1)!.at}.keys.1`);
    };
    const verbAt = (when: string) => press1(when).verb.verb;
    for (const open of ['2026-11-23 08:00', '2026-11-27 16:59']) t.equal(verbAt(open), 'operator', open);
    const closedAt = ['2026-11-23 07:59', '2026-11-27 17:00', '2026-11-28 12:00', '2026-11-29 12:00'];
    for (const closed of closedAt) t.equal(verbAt(closed), 'voicemail', closed);
    t.same(
      press1('2026-11-28 12:00').trace.map((line) => `${line.at}: ${line.says}`),
      [
        'flows.main-line.keys.1: continue with the flow appointments',
        'flows.appointments: office hours: closed at 2026-11-28 12:00',
        'flows.appointments.closed: continue with the flow office-voicemail',
        'flows.office-voicemail: take a message for the mailbox of Appointments office',
      ],
    );
  },
);

void t.test('a simulated STAT call tells who would be rung, who not, and how it ends', async (t) => {
  const { plan, roster } = await lakeside();
  const isRegistered = (extension: string) => extension !== '3102';
  const simulation = simulate(plan, roster, { from: '3101', to: '7011', at: at('2026-11-22 23:00'), isRegistered });
  const duty = 'weekly rotation since 2026-01-05 08:00, on duty until 2026-11-23 08:00';
  t.same(tellSimulation(simulation, plan), [
    '   +0 s  7011 was dialled from a phone of the house  [routes.7011]',
    '         work down the STAT chain of cardiology  [routes.7011]',
    '   +0 s  Step 1: primary, desk phone and mobile, for 15 s',
    `           Dr Bell (primary), ${duty}`,
    '             skip: desk phone 3102 is not registered',
    '             ring: mobile +12025550112',
    '  +15 s  Step 2: backup, desk phone and mobile, for 15 s',
    `           Dr Ames (backup), ${duty}`,
    '             skip: desk phone 3101 is the calling phone',
    '             ring: mobile +12025550111',
    '  +30 s  Step 3: attending, desk phone and mobile, for 15 s',
    '           Dr Chen (attending), always on call',
    '             ring: desk phone 3103',
    '             ring: mobile +12025550113',
    '  +45 s  Step 4: Operator and House supervisor, desk phone and mobile, for 20 s',
    '           Operator, named in the chain',
    '             ring: desk phone 1000',
    '             skip: has no mobile',
    '           House supervisor, named in the chain',
    '             ring: desk phone 1001',
    '             ring: mobile +12025550190',
    '  +65 s  End: an urgent message is taken for Cardiology',
  ]);
});

void t.test(
  'a shift that begins while the chain works counts from its first second; an empty step takes no time',
  async (t) => {
    const { plan, roster } = await lakeside();
    const handOff = at('2026-11-23 07:00');
    const { happens } = simulate(plan, roster, { from: '2101', to: '7022', at: instant(handOff - 30_000) });
    const told = happens.flatMap((happening) => {
      if (happening.kind !== 'step') return [];
      const { at, forMs, considered } = happening;
      const who = considered.map(({ person, device, verdict }) => `${verdict} ${person?.id} ${device}`);
      return [[at - handOff, forMs, who]];
    });
    t.same(told, [
      [-30_000, 20_000, ['rung dr-evans desk']],
      [-10_000, 25_000, ['rung dr-evans mobile', 'rung dr-diaz mobile']],
      [15_000, 0, ['skipped dr-evans desk', 'skipped dr-evans mobile']],
      [15_000, 0, ['skipped undefined null']],
    ]);
  },
);

void t.test('a call that is told with every key the caller could press', async (t) => {
  const { plan, roster } = await lakeside();
  const tell = (from: string | null, to: string, unregistered: readonly string[] = []) => {
    const isRegistered = (extension: string) => !unregistered.includes(extension);
    return tellSimulation(simulate(plan, roster, { from, to, at: at('2026-11-23 09:00'), isRegistered }), plan);
  };
  const mainLine = tell(null, '+12025550100');
  t.ok(mainLine.some((line) => /^ {9}Key 2:$/.test(line)));
  t.ok(mainLine.some((line) => line.includes('work down the urgent chain of cardiology')));
  t.equal(mainLine.at(-1), '         No valid key: as with key 0');
  t.ok(mainLine.some((line) => /^ {2}\+15 s {6}continue with the flow operator {2}\[.*otherwise\]$/.test(line)));
  t.equal(tell('2101', '7010').at(-1), '         No key for 5 s: as with key 2');

  t.same(tell('2101', '2102').slice(2), [
    '   +0 s  2102 rings for 20 s',
    "  +20 s  End: nobody answered in time; the caller's side gets SIP 480",
  ]);
  t.same(tell('2101', '2102', ['2102']).slice(2), [
    '   +0 s  not rung: no phone is registered for 2102',
    "   +0 s  End: no phone is registered for the called extension; the caller's side gets SIP 480",
  ]);
  const strangers = "   +0 s  End: the number dialled is not in the plan; the caller's side gets SIP 404";
  t.equal(tell('2101', '4711').at(-1), strangers);
  t.equal(tell(null, '7011').at(-1), strangers);
});

void t.test('a menu is told once, also where a key leads back to it', async (t) => {
  const back = { verb: 'run', flow: 'main' } as const;
  const { plan, roster } = await lakeside();
  const main = {
    verb: 'menu',
    id: 'main',
    greeting: [],
    prompts: [{ say: 'id', id: 'main-line-menu' }],
    keys: { 1: back, 2: { verb: 'escalate', service: 'neurology' as ServiceId, urgency: 'routine' } },
    noKeyMs: 5_000,
    tries: 2,
    wrongKey: [],
    noKey: [],
    otherwise: { verb: 'operator', forMs: 20_000, otherwise: null },
  } as const;
  const looping = {
    ...plan,
    flow: () => main,
    route: () => ({ number: '1500', site: undefined, to: back, words: null }) as const,
  };
  const told = tellSimulation(
    simulate(looping, roster, { from: '2101', to: '1500', at: at('2026-11-23 09:00') }),
    plan,
  );
  t.equal(told.filter((line) => line.includes('as told above')).length, 1);
  t.match(told.at(-1), /\+30 s +End: nobody answered in time; the caller is told and hung up/);
});

void t.test('the JSON schemas beside the examples are those of the code (node scripts/make-schemas.ts)', async (t) => {
  const { plan, roster } = documentSchemas();
  t.same(JSON.parse(readFileSync('dialplans/schema.json', 'utf8')), JSON.parse(JSON.stringify(plan)));
  t.same(JSON.parse(readFileSync('oncall/schema.json', 'utf8')), JSON.parse(JSON.stringify(roster)));
  for (const file of ['dialplans/lakeside.yaml', 'oncall/lakeside.yaml']) {
    t.match(readFileSync(file, 'utf8'), /^# yaml-language-server: \$schema=schema\.json\n/);
  }
});

void t.test('an editor that checks with the schema accepts what is good, and underlines what is not', async (t) => {
  const ajv = new Ajv2020({ strict: false });
  const read = (file: string) => readFileSync(file, 'utf8');
  const schemas = {
    plan: ajv.compile(JSON.parse(read('dialplans/schema.json')) as object),
    roster: ajv.compile(JSON.parse(read('oncall/schema.json')) as object),
  };
  const faults = (kind: keyof typeof schemas, text: string) => {
    return schemas[kind](parse(text)) ? [] : [ajv.errorsText(schemas[kind].errors)];
  };
  const examples = (page: string) =>
    [...read(page).matchAll(/```yaml[^\n]*\n([^]*?)```\s*(?:```text (\w+))?/g)].flatMap(([, text, shows]) =>
      shows === 'refused' ? [] : [text!],
    );
  for (const text of [read('dialplans/lakeside.yaml'), ...examples('docs/dialplans.md')])
    t.same(faults('plan', text), [], text);
  for (const text of [read('oncall/lakeside.yaml'), ...examples('docs/oncall.md')])
    t.same(faults('roster', text), [], text);
  t.ok(examples('docs/dialplans.md').length > 10 && examples('docs/oncall.md').length > 5);
  const bad = [
    ['plan', 'routs: {}', /additional properties/],
    ['plan', 'routes: { 4100: { from: inside, ring: { extension: 2102, for: 20 } } }', /for must be string/],
    ['plan', 'routes: { 4100: { from: nowhere, run: main } }', /from must be equal to one of/],
    ['roster', 'people: { dr-x: { nam: Dr X } }', /must have required property 'name'/],
    [
      'roster',
      'chains: { stat: { steps: [{ ring: primary, on: [pager], for: 15s }], last-resort: voicemail } }',
      /on\/0/,
    ],
  ] as const;
  for (const [kind, text, says] of bad) t.match(faults(kind, text)[0], says, text);
});
