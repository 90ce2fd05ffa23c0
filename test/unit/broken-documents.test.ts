import t from 'tap';
import { instant } from '../../src/core/time/index.ts';
import { checkShape } from '../../src/documents/check-shape.ts';
import { compileDocuments, type DocumentFile, showProblem } from '../../src/documents/index.ts';
import { parseYaml } from '../../src/documents/parse-yaml.ts';
import { MAX_FILE_BYTES } from '../../src/documents/read-folder.ts';
import { rosterFile } from '../../src/documents/schema/roster-file.ts';
import { MAX_PARTS, yamlTree } from '../../src/documents/yaml-tree.ts';

const ROSTER = `zone: America/Chicago
people:
  operator: { name: Operator, desk: 1000 }
  dr-ames: { name: Dr Ames, desk: 3101, mobile: "+12025550111" }
  dr-bell: { name: Dr Bell, mobile: +12025550112 }
services:
  cardiology:
    name: Cardiology
    mailbox: cardiology
    primary:
      - { rotation: [dr-ames, dr-bell], every: week, handoff: mon 08:00, since: 2026-01-05 }
      - always: dr-bell
    chains: { stat: stat, urgent: stat, routine: stat }
chains:
  stat:
    steps:
      - { ring: primary, on: [desk, mobile], for: 15s }
      - ring: [operator, dr-ames]
        on: [desk]
        for: 20s
    last-resort: voicemail
`;
const PLAN = `site:
  name: Lakeside
  zone: America/Chicago
  country: US
  operator: 1000
  trunk: carrier
  main-number: "+12025550100"
  ring-for: 20s
extensions:
  1000: { name: Operator, kind: post, name-prompt: name-operator }
  3101: { name: Dr Ames, kind: person }
mailboxes:
  cardiology: { name: Cardiology }
hours:
  office: { mon-fri: 08:00-17:00 }
routes:
  7011: { from: inside, escalate: { service: cardiology, urgency: stat } }
  1500: { from: anywhere, run: main }
flows:
  main:
    menu:
      say: main-menu
      wait: 5s
      tries: 3
      keys:
        1: { hours: { during: office, open: { operator: { for: 20s } }, closed: { run: message } } }
        "#": { ring: { extension: 3101, for: 20s } }
      otherwise: { run: message }
  message: { voicemail: { mailbox: cardiology } }
`;
const VERBS =
  'ring, ring-group, operator, forward, transfer, queue, escalate, ask-urgency, set-urgency, menu, gather, play, say, choose, lookup, hours, voicemail, run, hang-up, refuse';
const PROMPTS = new Set(['main-menu', 'name-operator', 'number-not-in-service']);
const WINDOW = { from: instant(Date.UTC(2026, 0, 1)), to: instant(Date.UTC(2026, 3, 1)) };

const roster = (text: string, path = 'oncall/a.yaml'): DocumentFile => ({ kind: 'roster', path, text });
const plan = (text: string, path = 'dialplans/a.yaml'): DocumentFile => ({ kind: 'plan', path, text });

function problemsOf(...files: DocumentFile[]): string[] {
  const result = compileDocuments(files, { prompts: PROMPTS, window: WINDOW });
  return result.kind === 'ok' ? [] : result.problems.map(showProblem);
}

/** What is changed in a good document, and what has to be said about it. */
type Case = readonly [change: string, to: string, says: string];

const rosterCases: readonly Case[] = [
  [
    'zone: America/Chicago',
    'zone: America/Chikago',
    'oncall/a.yaml:1:7: unknown time zone "America/Chikago" (use an IANA name such as America/Chicago)',
  ],
  [
    'people:',
    'peeple:',
    'oncall/a.yaml:2:1: unknown key "peeple"; did you mean "people"? (use one of: zone, units, specialties, holidays, temporary, feeds, feed-shifts, people, chains, services)',
  ],
  ['name: Dr Ames, ', '', 'oncall/a.yaml:4:3: "name" is missing (add "name": the name as it is spoken: Dr Ames)'],
  [
    'desk: 3101',
    'desk: "31 01"',
    'oncall/a.yaml:4:35: "31 01" is not an extension (write the extension of the desk phone in digits: 3101)',
  ],
  ['desk: 3101', 'desk: 3199', 'oncall/a.yaml:4:35: unknown extension "3199" (use one of: 1000, 3101)'],
  [
    'desk: 3101',
    'desk: 1000',
    'oncall/a.yaml:4:35: extension 1000 is already the desk of operator (a desk phone has one owner)',
  ],
  [
    '"+12025550111"',
    '"2025550111"',
    'oncall/a.yaml:4:49: 2025550111 is not an E.164 number (write it with + and the country code, without spaces: "+12025550111")',
  ],
  [
    '{ name: Dr Bell, mobile: +12025550112 }',
    '{ name: Dr Bell }',
    'oncall/a.yaml:5:12: Dr Bell can be reached by no device (add desk, mobile or both)',
  ],
  [
    '  dr-bell: { name',
    '  Dr_Bell: { name',
    'oncall/a.yaml:5:3: "Dr_Bell" cannot be an id (use small letters, digits and hyphens, at most 64: dr-ames)',
  ],
  [
    '  dr-bell: { name',
    '  primary: { name',
    'oncall/a.yaml:5:3: "primary" names a tier, not a person (give the person another id)',
  ],
  ['  dr-bell: { name', '  dr-ames: { name', 'oncall/a.yaml:5:3: "dr-ames" is defined twice (remove one of them)'],
  [
    'mailbox: cardiology',
    'mailbox: cardiolgy',
    'oncall/a.yaml:9:14: unknown mailbox "cardiolgy"; did you mean "cardiology"? (use one of: cardiology)',
  ],
  [
    '[dr-ames, dr-bell]',
    '[dr-ames, dr-bel]',
    'oncall/a.yaml:11:31: unknown person "dr-bel"; did you mean "dr-bell"? (use one of: operator, dr-ames, dr-bell)',
  ],
  [
    '[dr-ames, dr-bell]',
    '[]',
    'oncall/a.yaml:11:21: a rotation of nobody (name at least one person: rotation: [dr-ames])',
  ],
  [
    'every: week',
    'every: month',
    'oncall/a.yaml:11:48: "month" does not fit here (write day, week, {days: 3} or {hours: 12})',
  ],
  [
    'every: week',
    'every: { days: 3 }',
    'oncall/a.yaml:11:70: a hand-off each mon needs whole weeks (write every: week)',
  ],
  [
    'every: week',
    'every: { dayz: 3 }',
    'oncall/a.yaml:11:41: "days" is missing (add "days": a number of days: {days: 3})',
  ],
  [
    'mon 08:00',
    'mon 25:00',
    'oncall/a.yaml:11:63: "mon 25:00" does not fit here (write the wall clock time of the hand-off: "07:00" or "mon 08:00")',
  ],
  [
    'since: 2026-01-05',
    'since: 2026-01-06',
    'oncall/a.yaml:11:81: 2026-01-06 is a tue, not a mon (use a date such as 2026-01-12)',
  ],
  [
    'since: 2026-01-05',
    'since: 2026-02-30',
    'oncall/a.yaml:11:81: "2026-02-30T08:00" is no date that exists (write the first hand-off as 2026-01-05)',
  ],
  [
    'mon 08:00, since: 2026-01-05',
    '"08:00", since: 1970-01-05',
    'oncall/a.yaml:11:79: the year 1970 is out of range (use 2000 to 2099)',
  ],
  [
    ', since: 2026-01-05',
    '',
    'oncall/a.yaml:11:9: "since" is missing (write always: dr-chen, or all of rotation, every, handoff and since)',
  ],
  [
    'always: dr-bell',
    '{ always: dr-bell, every: day }',
    'oncall/a.yaml:12:35: "always" and "every" exclude each other (keep one of the two)',
  ],
  [
    'urgent: stat, routine',
    'urgent: stta, routine',
    'oncall/a.yaml:13:35: unknown chain "stta"; did you mean "stat"? (use one of: stat)',
  ],
  [
    'ring: primary',
    'ring: primry',
    'oncall/a.yaml:17:17: unknown tier or person "primry"; did you mean "primary"? (use one of: primary, backup, fellow, attending, supervisor, operator, dr-ames, dr-bell)',
  ],
  [
    'on: [desk, mobile]',
    'on: [desk, pager]',
    'oncall/a.yaml:17:37: "pager" does not fit here (use one of: desk, mobile, preferred)',
  ],
  ['for: 15s', 'for: 15 seconds', 'oncall/a.yaml:17:51: "15 seconds" does not fit here (write a time as 15s or 2m)'],
  ['for: 15s', 'for: 6m', 'oncall/a.yaml:17:51: 360 s is too long (use 1s to 300s)'],
  ['for: 15s', 'for: 0s', 'oncall/a.yaml:17:51: 0 s is too short (use 1s to 300s)'],
  [
    'on: [desk]\n',
    'on: [mobile]\n',
    'oncall/a.yaml:18:16: Operator has no mobile (add one to people.operator, or change on:)',
  ],
  [
    'last-resort: voicemail',
    'last-resort: voice-mail',
    'oncall/a.yaml:21:18: "voice-mail" does not fit here; did you mean "voicemail"? (use one of: voicemail, urgent-voicemail)',
  ],
  [
    '    steps:\n',
    '    steps: []\n    stepz:\n',
    'oncall/a.yaml:17:5: unknown key "stepz"; did you mean "steps"? (use one of: steps, within, last-resort)',
  ],
  [
    '[dr-ames, dr-bell], every',
    '[dr-ames, dr-bell, every',
    'oncall/a.yaml:11:91: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ] (mind spaces, colons and quotes)',
  ],
  [
    'people:\n',
    'people:\n\tx: 1\n',
    'oncall/a.yaml:3:1: not valid YAML: Tabs are not allowed as indentation (mind spaces, colons and quotes)',
  ],
  [
    'dr-ames: {',
    'dr-ames: *nobody {',
    'oncall/a.yaml:4:12: not valid YAML: Nested mappings are not allowed in compact mappings (mind spaces, colons and quotes)',
  ],
];

const planCases: readonly Case[] = [
  [
    'operator: 1000',
    'operator: 1001',
    'dialplans/a.yaml:5:13: unknown extension "1001"; did you mean "1000"? (use one of: 1000, 3101)',
  ],
  [
    '  operator: 1000\n',
    '',
    'dialplans/a.yaml:1:1: "operator" is missing (add "operator": the extension of the last human: 1000)',
  ],
  [
    '"+12025550100"',
    '"0100"',
    'dialplans/a.yaml:7:16: 0100 is not an E.164 number (write it with + and the country code, without spaces: "+12025550100")',
  ],
  [
    'country: US',
    'country: usa',
    'dialplans/a.yaml:4:12: "usa" is not a country (use the two letters of ISO 3166: US)',
  ],
  [
    '1000: { name: Operator, kind: post',
    '1000: { name: Operator, kind: desk',
    'dialplans/a.yaml:10:33: "desk" does not fit here (use one of: unit, person, post)',
  ],
  [
    'name-prompt: name-operator',
    'name-prompt: name-operater',
    'dialplans/a.yaml:10:52: unknown prompt "name-operater"; did you mean "name-operator"? (use one of: name-operator)',
  ],
  [
    'mon-fri: 08:00-17:00',
    'mon-fri: 17:00-08:00',
    'dialplans/a.yaml:15:22: "17:00-08:00" is no time of day (write 08:00-17:00; split hours at midnight)',
  ],
  ['mon-fri: 08:00', 'mo-fri: 08:00', 'dialplans/a.yaml:15:21: "mo-fri" is no weekday (write mon or mon-fri)'],
  ['  1500: { from', '  7011: { from', 'dialplans/a.yaml:18:3: "7011" is defined twice (remove one of them)'],
  [
    '  1500: { from',
    '  3101: { from',
    'dialplans/a.yaml:18:3: extension 3101 is already defined at dialplans/a.yaml:11:3 (remove one of them)',
  ],
  [
    '  1500: { from',
    '  main-line: { from',
    'dialplans/a.yaml:18:3: "main-line" cannot be dialled: it has "m" in it (use a service number ("7011"), E.164 ("+12025550100") or a pattern ("2xxx"))',
  ],
  [
    'service: cardiology',
    'service: cardiolgy',
    'dialplans/a.yaml:17:46: unknown service "cardiolgy"; did you mean "cardiology"? (use one of: cardiology)',
  ],
  [
    'urgency: stat',
    'urgency: STAT',
    'dialplans/a.yaml:17:67: "STAT" does not fit here; did you mean "stat"? (use one of: stat, urgent, routine)',
  ],
  [
    'run: main }',
    'run: mian }',
    'dialplans/a.yaml:18:32: unknown flow "mian"; did you mean "main"? (use one of: main, message)',
  ],
  [
    'run: main }',
    'run: main, ring: { extension: 3101, for: 5s } }',
    'dialplans/a.yaml:18:32: "ring" and "run" exclude each other (keep one, and put the other behind it)',
  ],
  [
    'from: anywhere, run: main',
    'from: anywhere',
    `dialplans/a.yaml:18:9: nothing is said about what to do (use one of: ${VERBS})`,
  ],
  [
    'say: main-menu',
    'say: main-menue',
    'dialplans/a.yaml:22:12: unknown prompt "main-menue"; did you mean "main-menu"? (use one of: main-menu, name-operator, number-not-in-service)',
  ],
  ['wait: 5s', 'wait: 90s', 'dialplans/a.yaml:23:13: 90 s is too long (use 1s to 60s)'],
  ['tries: 3', 'tries: 30', 'dialplans/a.yaml:24:14: a question that is asked 30 times (use 1 to 10)'],
  ['"#": {', 'A: {', 'dialplans/a.yaml:27:9: "A" is not a key of a telephone (use one of 0-9, "*" and "#")'],
  [
    'extension: 3101',
    'extension: 3102',
    'dialplans/a.yaml:27:35: unknown extension "3102"; did you mean "3101"? (use one of: 1000, 3101)',
  ],
  [
    'during: office',
    'during: ofice',
    'dialplans/a.yaml:26:31: unknown hours "ofice"; did you mean "office"? (use one of: office)',
  ],
  [
    'otherwise: { run: message }',
    'otherwise: { run: main }',
    'dialplans/a.yaml:28:25: the flows run in a circle: main -> main (let one of them end at a person or a mailbox)',
  ],
  [
    '  message: { voicemail: { mailbox: cardiology } }',
    '  message: { run: main }',
    'dialplans/a.yaml:29:19: the flows run in a circle: main -> message -> main (let one of them end at a person or a mailbox)',
  ],
  [
    '  message: { voicemail: { mailbox: cardiology } }',
    '  message: { run: constructor }',
    'dialplans/a.yaml:29:19: unknown flow "constructor" (use one of: main, message)',
  ],
  [
    'mailbox: cardiology }',
    'mailbox: cardiologie }',
    'dialplans/a.yaml:29:36: unknown mailbox "cardiologie"; did you mean "cardiology"? (use one of: cardiology)',
  ],
  [
    '  main:\n    menu:',
    '  main:\n    menue:',
    `dialplans/a.yaml:21:5: unknown key "menue"; did you mean "menu"? (use one of: ${VERBS})`,
  ],
];

function firstProblemAfter(kind: 'roster' | 'plan', [change, to]: Case): string | undefined {
  const good = kind === 'roster' ? ROSTER : PLAN;
  if (!good.includes(change)) throw new Error(`the good document has no ${change}`);
  const broken = good.replace(change, () => to);
  return kind === 'roster' ? problemsOf(roster(broken), plan(PLAN))[0] : problemsOf(roster(ROSTER), plan(broken))[0];
}

void t.test('the good documents are good', async (t) => {
  t.same(problemsOf(roster(ROSTER), plan(PLAN)), []);
});

void t.test('a broken roster is refused with file, line, column, reason and remedy', async (t) => {
  for (const one of rosterCases) t.equal(firstProblemAfter('roster', one), one[2]);
});

void t.test('a broken dialplan is refused with file, line, column, reason and remedy', async (t) => {
  for (const one of planCases) t.equal(firstProblemAfter('plan', one), one[2]);
});

void t.test('what two files define is refused, naming both places', async (t) => {
  const more = roster(
    'people:\n  dr-chen: { name: Dr Chen, mobile: "+12025550113" }\n  dr-ames: { name: Ames }\n',
    'oncall/b.yaml',
  );
  t.same(problemsOf(roster(ROSTER), more, plan(PLAN)), [
    'oncall/b.yaml:3:3: "dr-ames" is already defined at oncall/a.yaml:4:3 (remove one of them)',
  ]);
  const site = PLAN.slice(0, PLAN.indexOf('extensions:'));
  t.same(problemsOf(roster(ROSTER), plan(PLAN), plan(site, 'dialplans/b.yaml')), [
    'dialplans/b.yaml:1:1: the site is already defined at dialplans/a.yaml:1:1 (remove one of them)',
  ]);
});

void t.test('what belongs together may stand in several files', async (t) => {
  const [people, rest] = [ROSTER.slice(0, ROSTER.indexOf('services:')), ROSTER.slice(ROSTER.indexOf('services:'))];
  t.same(problemsOf(roster(people), roster(`zone: Europe/Berlin\n${rest}`, 'oncall/b.yaml'), plan(PLAN)), []);
  t.same(problemsOf(roster(people), roster(rest, 'oncall/b.yaml'), plan(PLAN)), [
    'oncall/b.yaml:2:3: cardiology has no time zone (add zone: to the file or the service)',
  ]);
  const noSite = PLAN.slice(PLAN.indexOf('extensions:'));
  t.match(problemsOf(roster(ROSTER), plan(noSite))[0], /^dialplans\/a\.yaml:1:1: no file has a site \(add site: with/);
});

void t.test('YAML that would eat time or memory is refused at once', async (t) => {
  const laughs = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [i, letter] of 'b c d e f g h'.split(' ').entries()) {
    laughs.push(`${letter}: &${letter} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(', ')}]`);
  }
  const bombs: readonly (readonly [string, RegExp])[] = [
    [laughs.join('\n'), /1:1: the aliases in the file unfold without end/],
    ['['.repeat(500_000), /1:161: the file is nested too deeply/],
    ['- '.repeat(200_000), /1:1: the file is nested too deeply/],
    [Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /161:1: the file is nested too deeply/],
    [Array.from({ length: 60 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /nested too deeply/],
    ['', /1:1: the file is empty/],
    ['- a\n- b\n', /1:1: a list does not fit here/],
    ['a: 1\n---\nb: 2\n', /2:1: not valid YAML/],
    ['? { a: b }\n: c\n', /1:3: a key has to be plain text/],
    ['__proto__: { zone: x }\n', /1:1: "__proto__" cannot be a name/],
    ['people: !!js/function "x"\n', /1:9: not valid YAML: Unresolved tag/],
    ['people: &p {}\n<<: *p\n', /2:1: unknown key "<<"/],
  ];
  for (const [text, says] of bombs) t.match(problemsOf(roster(text), plan(PLAN))[0], says, text.slice(0, 40));
  // 30,000 keys in one map: comparing each with each would take a minute.
  const many = Array.from({ length: 30_000 }, (_, i) => `  p${i}: {name: x, mobile: "+120255"}`).join('\n');
  t.equal(problemsOf(roster(`people:\n${many}\n`), plan(PLAN)).length, 100);
});

void t.test('a text that holds too much is given up before anything is built of it', async (t) => {
  const dense: Readonly<Record<string, string>> = {
    'lists in lists': `a: ${'['.repeat(150)}${']'.repeat(150)}\n`,
    commas: '- [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a]\n',
    'empty items': '-\n',
    'empty maps': '- {}\n',
    comments: '#\n',
    lines: '\n',
    'lines of another system': '\r\n',
    'empty keys': '?\n',
    anchors: '- &a x\n',
    aliases: '- *a\n',
  };
  const [size, parts] = [MAX_FILE_BYTES / 100, MAX_PARTS / 100];
  const full = (line: string) => `x:\n${line.repeat(Math.floor(size / line.length))}`;
  for (const [what, line] of Object.entries(dense)) t.throws(() => yamlTree(full(line), parts), /too many parts/, what);
  for (const usual of [
    '  p1234: { name: Dr Ames, mobile: "+12025550111" }\n',
    '  - { who: dr-ames, from: 2026-01-01 08:00, until: 2026-01-01 20:00 }\n',
    '  7011: { from: inside, escalate: { service: cardiology, urgency: stat } }\n',
    '  2101:\n    name: Ward 4B\n    kind: unit\n',
  ]) {
    t.doesNotThrow(() => yamlTree(full(usual), parts), usual);
  }
  t.equal(
    problemsOf(roster(`a: [${','.repeat(300_000)}]\n`), plan(PLAN))[0],
    'oncall/a.yaml:1:200003: the file holds too much (split it into several files: 400000 words, brackets, commas and lines are read of each)',
  );
});

void t.test('thousands of faults cost no more than the few that are told', async (t) => {
  const { stackTraceLimit } = Error;
  const { tree } = yamlTree('a: ]\n'.repeat(500));
  t.ok(tree.errors.length >= 500);
  t.notMatch(tree.errors[0]?.stack, /\n +at /, 'an error for each fault, but no stack with it');
  t.equal(Error.stackTraceLimit, stackTraceLimit);
  const keys = Array.from({ length: 3_000 }, (_, i) => `nmae${i}: x`).join(', ');
  let places = 0;
  const parsed = parseYaml(roster(`people:\n  p: { ${keys} }\n`));
  if (parsed.kind !== 'parsed') return void t.fail('not parsed');
  const file = { ...parsed.file, place: () => ({ line: ++places, column: 1 }) };
  t.match(checkShape(rosterFile, file), { kind: 'refused' });
  t.equal(places, 50);
});

void t.test('what a refusal quotes is short, and nothing that a terminal obeys', async (t) => {
  const [escape] = problemsOf(roster(`"\\e[2J${'x'.repeat(900)}": 1\n`), plan(PLAN));
  t.match(escape, /unknown key "\ufffd\[2Jxxx.*…/);
  t.notMatch(escape, /\p{Cc}/u);
  t.ok((escape?.length ?? 0) < 800, `${escape?.length} characters`);
});
