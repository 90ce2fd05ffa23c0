import { readFileSync } from 'node:fs';
import t from 'tap';
import { faultKinds, isShown, prove } from '../../src/core/prove/index.ts';
import { instant, plusMs } from '../../src/core/time/index.ts';
import { type DocumentFile, problemOf, showProblem } from '../../src/documents/index.ts';
import { compileFiles } from '../../src/documents/index.ts';
import { recordedPrompts } from '../support/plan-example.ts';

// The worked examples of docs/proving.md, one for one.

const page = readFileSync('docs/proving.md', 'utf8');
const now = instant(Date.parse('2026-10-25T12:00:00Z'));
const lakeside = {
  plan: readFileSync('dialplans/lakeside.yaml', 'utf8'),
  roster: readFileSync('oncall/lakeside.yaml', 'utf8'),
};

function proved(
  edits: readonly { readonly file: 'plan' | 'roster'; readonly from: string | RegExp; readonly to: string }[],
  more: { readonly plan: string; readonly roster: string } | null = null,
) {
  const texts = { ...lakeside };
  for (const { file, from, to } of edits) {
    const text = texts[file].replaceAll(from, to);
    if (text === texts[file]) throw new Error(`the ${file} has no ${String(from)}`);
    texts[file] = text;
  }
  const files: DocumentFile[] = [
    { kind: 'plan' as const, path: 'dialplans/lakeside.yaml', text: texts.plan },
    { kind: 'roster' as const, path: 'oncall/lakeside.yaml', text: texts.roster },
  ];
  if (more !== null) {
    files.push({ kind: 'plan' as const, path: 'dialplans/more.yaml', text: more.plan });
    files.push({ kind: 'roster' as const, path: 'oncall/more.yaml', text: more.roster });
  }
  const compiled = compileFiles(files, { prompts: recordedPrompts, now });
  if (compiled.kind === 'refused') throw new Error(compiled.problems.map(showProblem).join('\n'));
  const { plan, roster } = compiled;
  const { faults } = prove(plan, roster, { from: now, to: plusMs(now, 90 * 86_400_000) });
  for (const fault of faults) if (!isShown(plan, roster, fault)) throw new Error(`not shown: ${fault.reason}`);
  return faults.map((fault) => ({
    kind: fault.kind,
    reason: fault.reason,
    told: showProblem(problemOf(compiled, fault)),
  }));
}

const examples: readonly (readonly [row: string, edits: Parameters<typeof proved>[0]])[] = [
  [
    '`staffed: always` and the step of the operator',
    [
      { file: 'roster', from: ', staffed: always', to: '' },
      { file: 'roster', from: /\n.*ring: \[operator, house-supervisor\].*/g, to: '' },
    ],
  ],
  [
    '`claimed-by: 1000` taken away',
    [
      {
        file: 'plan',
        from: '{ name: Cardiology, claimed-by: 1000, number: 3910 }',
        to: '{ name: Cardiology, number: 3910 }',
      },
    ],
  ],
  [
    'the attending of cardiology is on leave',
    [
      {
        file: 'roster',
        from: 'mobile: "+12025550113" }',
        to: 'mobile: "+12025550113", leave: [{ from: 2026-11-01 01:30, until: 2026-11-01 02:30 }] }',
      },
    ],
  ],
  [
    'the main menu without a key is refused',
    [
      {
        file: 'plan',
        from: /(0: \{ run: operator \}\n\s+otherwise:) \{ run: operator \}/g,
        to: '$1 { refuse: { cause: not-allowed } }',
      },
    ],
  ],
  ['`stat` with 60 s for each step', [{ file: 'roster', from: 'for: 15s', to: 'for: 60s' }]],
  [
    'Dr Chen without a desk phone',
    [
      { file: 'roster', from: 'desk: 3103, ', to: '' },
      {
        file: 'roster',
        from: 'ring: attending, on: [desk, mobile], for: 15s',
        to: 'ring: attending, on: [desk], for: 15s',
      },
    ],
  ],
];

void t.test('each worked example of the page is refused as it says', async (t) => {
  t.same(proved([{ file: 'plan', from: 'Ward 4B', to: 'Ward 5' }]), [], 'Lakeside itself is proved');
  const rows = page
    .slice(page.indexOf('## Worked examples'))
    .split('\n')
    .filter((line) => /^\| `(oncall|dialplans)/.test(line));
  t.equal(rows.length, examples.length, 'every row has its example');
  for (const [about, edits] of examples) {
    const row = rows.find((one) => one.includes(about));
    const [, kind, says] = /\| `(\w+)`: (.*) \|$/.exec(row ?? '') ?? [];
    const found = proved(edits);
    t.ok(
      found.some((fault) => fault.kind === kind && fault.reason.startsWith(says ?? '-')),
      `${about}: ${found.map(({ kind, reason }) => `${kind}: ${reason}`).join(' | ')}`,
    );
    t.match(found[0]?.told, /lakeside\.yaml:\d+:\d+: .*; for example .*; look: wardline plan simulate /);
  }
});

void t.test('every kind of fault is on the page', async (t) => {
  for (const kind of faultKinds) t.match(page, `| \`${kind}\` |`);
});

/** A line that goes to a chain when the desk is closed, to the operator when it is open, once a caller has pressed 1. */
const nightLine = `
hours:
  desk: { mon-sun: 08:00-17:00 }
routes:
  "+12025550177":
    from: trunk
    menu:
      say: main-menu
      wait: 5s
      tries: 2
      keys:
        1: { hours: { during: desk, open: { operator: { for: 30s } }, closed: { run: night } } }
      otherwise: { operator: { for: 30s } }
flows:
  night: { escalate: { service: night, urgency: routine } }
`;
const nightDuty = (backup: string, steps: string) => `
zone: America/Chicago
services:
  night:
    name: Night
    mailbox: cardiology
    primary: [{ always: dr-chen, during: { mon-sun: [00:00-08:00, 17:00-24:00] } }]
    backup: [{ always: dr-ames, during: { mon-sun: [${backup}] } }]
    chains: { stat: stat, urgent: stat, routine: night }
chains:
  night: { steps: [${steps}], last-resort: voicemail }
`;
const [primary, backup] = ['{ ring: primary, on: [desk], for: 20s }', '{ ring: backup, on: [desk], for: 20s }'];

void t.test('whoever presses the key at the very moment of opening is behind open doors', async (t) => {
  // Nobody is on duty while the desk is open, when no call comes to the chain.
  t.same(proved([], { plan: nightLine, roster: nightDuty('00:00-08:00, 17:00-24:00', primary) }), []);
});

void t.test('a call that is under way when duty ends meets the gap, though nobody can call into it', async (t) => {
  const night = '00:00-08:00, 17:00-24:00';
  const [found, ...others] = proved([], { plan: nightLine, roster: nightDuty(night, `${primary}, ${backup}`) });
  t.match(found, { kind: 'coverageGap', reason: /^nobody is backup of night: the next .* begins 2026-10-25 17:00/ });
  t.match(found?.told, /for example 2026-10-25 07:59 .* dials \+12025550177, presses 1: /);
  t.same(others, []);
  // A quarter of an hour more is enough for every call that came in before.
  t.same(proved([], { plan: nightLine, roster: nightDuty('00:00-08:15, 17:00-24:00', `${primary}, ${backup}`) }), []);
});

void t.test('a call that is under way when duty passes on may ring longer than on either side of it', async (t) => {
  // Whoever is primary is backup too, so that the second step has nobody left to ring; unless others came on meanwhile.
  const turns = '{ rotation: [dr-ames, dr-chen], every: day, handoff: "08:00", since: 2026-10-01 }';
  const roster = (within: string) => `
zone: America/Chicago
services:
  night:
    name: Night
    mailbox: cardiology
    primary: [${turns}]
    backup: [${turns}]
    chains: { stat: stat, urgent: stat, routine: night }
chains:
  night: { within: ${within}, steps: [${primary}, ${backup}], last-resort: voicemail }
`;
  const plan = 'routes:\n  7099: { from: inside, escalate: { service: night, urgency: routine } }\n';
  t.match(proved([], { plan, roster: roster('30s') }), [
    { kind: 'tooLate', reason: /up to 40 s after the chain; 30 s/ },
  ]);
  t.same(proved([], { plan, roster: roster('40s') }), []);
});
