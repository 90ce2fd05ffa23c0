import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cruise } from 'dependency-cruiser';
import t from 'tap';

const rules = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: object[];
  options: object;
};

t.test('imports run downward', async (t) => {
  const { output } = await cruise(['src'], {
    ...rules.options,
    ruleSet: { forbidden: rules.forbidden },
    validate: true,
  } as never);
  if (typeof output === 'string') return t.fail(output);
  t.same(
    output.summary.violations.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`),
    [],
  );
  const seen = output.modules.filter((module) => module.source.startsWith('src/')).length;
  t.ok(seen > 60, `${seen} modules seen: with a TypeScript it does not know it sees none and is content`);
});

t.test('the core decides without a clock, chance or waiting', async (t) => {
  const banned =
    /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(Timeout|Interval|Immediate)\b|\bawait\b|\bperformance\.now\b|\bTemporal\.Now\b/;
  t.same(
    lines('src/core')
      .filter(({ text }) => banned.test(text))
      .map(({ place }) => place),
    [],
  );
});

t.test('only config reads the environment', async (t) => {
  const found = lines('src').filter(
    ({ place, text }) => /\bprocess\.env\b/.test(text) && !place.startsWith('src/config/'),
  );
  t.same(
    found.map(({ place }) => place),
    [],
  );
});

t.test('processes are started in one module, and nothing is evaluated', async (t) => {
  const starts = lines('src').filter(({ text }) => /^import (?!type\b).*['"]node:child_process['"]/.test(text));
  t.same([...new Set(starts.map(({ place }) => place.split(':')[0]))], ['src/cli/supervise/processes.ts']);
  const evaluates = lines('src').filter(({ text }) => /\beval\(|\bnew Function\(|['"]node:vm['"]/.test(text));
  t.same(
    evaluates.map(({ place }) => place),
    [],
  );
});

/** Every line of code below a folder with its place; lines that are comment only are left out. */
function lines(folder: string): { place: string; text: string }[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return files.flatMap((name) =>
    readFileSync(`${folder}/${name}`, 'utf8')
      .split('\n')
      .map((text, i) => ({ place: `${folder}/${name}:${i + 1}`, text }))
      .filter(({ text }) => !/^\s*(\/\/|\*|\/\*)/.test(text)),
  );
}
