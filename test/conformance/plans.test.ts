import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { type PlanExample, tell } from '../support/plan-example.ts';
import { ask, type RosterExample } from '../support/roster-example.ts';

// Every file of plans/ is an example with its expected trace; README.md in there says how to read one.

const FOLDER = 'test/conformance/plans';
const names = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml') && !name.startsWith('house'))
  .sort();
const isRoster = (name: string) => name.startsWith('rosters');

for (const name of names.filter(isRoster)) {
  const example = parse(readFileSync(join(FOLDER, name), 'utf8')) as RosterExample;
  void t.test(`${name}: ${example.says}`, async (t) => {
    const { refused, answers } = ask(example);
    t.same(refused, example.refused ?? []);
    t.same(answers, example.answers ?? []);
  });
}

for (const name of names.filter((name) => !isRoster(name))) {
  const example = parse(readFileSync(join(FOLDER, name), 'utf8')) as PlanExample;
  void t.test(`${name}: ${example.says}`, async (t) => {
    const { refused, traces } = tell(example);
    t.same(refused, example.refused ?? []);
    for (const [i, call] of (example.calls ?? []).entries()) {
      t.same(traces[i], call.trace, `${call.from} dials ${call.to}`);
    }
  });
}

void t.test('there are as many examples as are promised, and each says something of its own', async (t) => {
  const all = names.map((name) => readFileSync(join(FOLDER, name), 'utf8'));
  t.ok(names.length >= 300, `${names.length} examples`);
  t.ok(names.filter(isRoster).length >= 60, 'and many of them are rosters');
  t.equal(new Set(all.map((text) => (parse(text) as PlanExample).says)).size, names.length);
  t.equal(new Set(all.map((text) => text.replace(/^says:.*$/m, ''))).size, names.length);
  for (const text of all) {
    const { calls = [], refused = [], answers = [] } = parse(text) as PlanExample & RosterExample;
    if (calls.length + refused.length + answers.length === 0) t.fail(`nothing is expected in:\n${text}`);
  }
});
