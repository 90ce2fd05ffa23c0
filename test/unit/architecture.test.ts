import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
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
  const ours = output.modules.filter((module) => module.source.startsWith('src/'));
  t.ok(
    ours.length > 300,
    `${ours.length} modules seen: with a TypeScript it does not know it sees none and is content`,
  );

  // From what was parsed, not from the text: an import may stand on several lines, or be awaited.
  const users = (pattern: RegExp) =>
    ours
      .filter(({ dependencies }) =>
        dependencies.some((to) => pattern.test(to.module) && !to.dependencyTypes.includes('type-only')),
      )
      .map(({ source }) => source);
  t.same(users(/^(node:)?child_process$/), ['src/processes/index.ts'], 'processes are started in one module');
  t.same(users(/^(node:)?(vm|process|inspector|repl)$/), [], 'nothing is evaluated; the environment has one reader');

  // Each of them has a heap of its own: a library for schemas would cost 5 MB in every one.
  const bySource = new Map(output.modules.map((module) => [module.source, module]));
  const reached = new Set(['src/mediad/media/worker.ts']);
  for (const source of reached) {
    for (const to of bySource.get(source)?.dependencies ?? []) {
      if (!to.dynamic && !to.dependencyTypes.includes('type-only')) reached.add(to.resolved);
    }
  }
  t.ok(reached.size > 50, `${reached.size} modules in a media thread`);
  t.same(
    [...reached].filter((source) => source.includes('zod')),
    [],
  );
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
    // Also `const { env } = process` and `process['env']`.
    ({ place, text }) => /\bprocess\b.*\benv\b|\benv\b.*\bprocess\b/.test(text) && !place.startsWith('src/config/'),
  );
  t.same(
    found.map(({ place }) => place),
    [],
  );
});

t.test('nothing is evaluated', async (t) => {
  const evaluates = lines('src').filter(({ text }) => /\beval\(|\bnew Function\(/.test(text));
  t.same(
    evaluates.map(({ place }) => place),
    [],
  );
});

t.test('docs/architecture.md names what is there', async (t) => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const [, tour = ''] = page.split('## One inbound call');
  let folder = '';
  const missing: string[] = [];
  for (const [, path = ''] of page.matchAll(/`([\w./-]+(?:\.ts|\.cjs|\/))`/g)) {
    // "`src/telephony/call.ts`, `leg.ts`": what follows a path lies beside it. The folders of the table lie in src/.
    const places = [path, join('src', path), join(folder, path)];
    if (tour.includes(`\`${path}\``) && path.startsWith('src/')) folder = dirname(path);
    // What each folder publishes, said of all of them.
    const isOfEach = ['index.ts', 'ports.ts', 'options.ts'].includes(path);
    if (!isOfEach && !places.some((place) => existsSync(place))) missing.push(path);
  }
  t.same(missing, []);
  const inTable = [...page.matchAll(/^\| `(\w[\w-]*)\/`/gm)].map(([, name]) => name);
  const inSrc = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  t.same(inTable.sort(), inSrc.map(({ name }) => name).sort(), 'every folder has its row');
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
