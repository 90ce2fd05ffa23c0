import { readFileSync } from 'node:fs';
import t from 'tap';
import { faultKinds, isShown, prove } from '../../src/core/prove/index.ts';
import { instant, plusMs } from '../../src/core/time/index.ts';
import { problemOf, showProblem } from '../../src/documents/index.ts';
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
) {
  const texts = { ...lakeside };
  for (const { file, from, to } of edits) {
    const text = texts[file].replaceAll(from, to);
    if (text === texts[file]) throw new Error(`the ${file} has no ${String(from)}`);
    texts[file] = text;
  }
  const files = [
    { kind: 'plan' as const, path: 'dialplans/lakeside.yaml', text: texts.plan },
    { kind: 'roster' as const, path: 'oncall/lakeside.yaml', text: texts.roster },
  ];
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
    [{ file: 'plan', from: '{ name: Cardiology, claimed-by: 1000 }', to: '{ name: Cardiology }' }],
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
