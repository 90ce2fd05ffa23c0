import { readFileSync } from 'node:fs';
import t from 'tap';
import { documentSchemas } from '../../src/documents/index.ts';
import { type ExampleCall, type PlanExample, tell } from '../support/plan-example.ts';

// docs/dialplans.md: every plan on the page is run as it stands there, and every call below it happens as it is told.

const page = readFileSync('docs/dialplans.md', 'utf8');
const blocks = [...page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map(([, info = '', text = '']) => ({
  info,
  text,
}));

/** "2101 dials 4100 at 2026-11-23 12:00; 2102 is busy; 10 s pass" */
function callOf(line: string): ExampleCall {
  const [dials = '', ...happens] = line.split('; ');
  const [, from = '', to = '', at] = /^(.*) dials (\S+)(?: at (.*))?$/.exec(dials) ?? [];
  return { from, to, ...(at === undefined ? {} : { at }), happens, trace: [] };
}

let example: PlanExample = { says: '' };
let checked = 0;
for (const { info, text } of blocks) {
  const [, name = 'plan.yaml'] = /^yaml plan(?: (\S+))?$/.exec(info) ?? [];
  if (info.startsWith('yaml plan') && name === 'plan.yaml') example = { says: '', plan: text };
  else if (info.startsWith('yaml plan')) example = { ...example, files: { ...example.files, [name]: text } };
  const plan = example;
  const lines = text.trimEnd().split('\n');
  if (info === 'text call') {
    const [dials = '', ...expected] = lines;
    checked += 1;
    void t.test(dials, async (t) => {
      const { refused, traces } = tell({ ...plan, calls: [callOf(dials)] });
      t.same(refused, []);
      let rest = traces[0] ?? [];
      for (const line of expected) {
        const found = rest.findIndex((told) => told === line || told.replace(/^[\d.]+ s: /, '') === line);
        t.ok(found >= 0, found >= 0 ? line : `${line}\nis not in\n${rest.join('\n')}`);
        rest = rest.slice(found + 1);
      }
    });
  }
  if (info === 'text refused') {
    checked += 1;
    void t.test('what is refused', async (t) => t.same(tell(plan).refused, lines));
  }
}

void t.test('the page has examples, and says something of every verb', async (t) => {
  t.ok(checked >= 20, `${checked} calls`);
  const { properties } = (documentSchemas().plan as { $defs: { verb: { properties: object } } }).$defs.verb;
  const verbs = Object.keys(properties);
  t.ok(verbs.length >= 20);
  t.same(
    verbs.filter((verb) => !page.includes(`| \`${verb}: `)),
    [],
  );
});
