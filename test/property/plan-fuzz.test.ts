import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc } from '../support/fast-check.ts';
import t from 'tap';
import { parse } from 'yaml';
import { resolve } from '../../src/core/dialplan/index.ts';
import { instant } from '../../src/core/time/index.ts';
import { compileDocuments, type DocumentFile } from '../../src/documents/index.ts';
import { type PlanExample, recordedPrompts } from '../support/plan-example.ts';

// Whatever stands in a file of the plan: it compiles, or is refused at a place in the file. It never throws.

const FOLDER = 'test/conformance/plans';
const house = (name: string) => readFileSync(join(FOLDER, 'house', name), 'utf8');
const window = { from: instant(Date.UTC(2026, 10, 1)), to: instant(Date.UTC(2026, 11, 1)) };
const at = instant(Date.UTC(2026, 10, 23, 18));

const plans = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml') && !name.startsWith('house') && !name.startsWith('refused'))
  .flatMap((name) => {
    const { plan } = parse(readFileSync(join(FOLDER, name), 'utf8')) as PlanExample;
    return plan === undefined ? [] : [plan];
  });
/** What plans are made of, for putting one thing in the place of another. */
const words = [...new Set(plans.flatMap((plan) => plan.match(/[\w<>+!*#.-]+|[[\]{}:,"]/g) ?? []))].concat(
  [
    '',
    '__proto__',
    'constructor',
    'keyed',
    'dialled',
    'anonymous',
    '<name>',
    '99999999999999999999',
    '-1',
    '1e9',
    '\u0000',
    'ü',
  ],
  ['!!js/function', '&a', '*a', '? a', '|', '>', '---', '~', 'null', 'true', '0x1f', '.inf'],
);

type Change = readonly [kind: 'drop' | 'double' | 'swap' | 'word', place: number, other: number];

function changed(plan: string, [kind, place, other]: Change): string {
  const lines = plan.split('\n');
  const line = place % lines.length;
  if (kind === 'drop') return lines.toSpliced(line, 1).join('\n');
  if (kind === 'double') return lines.toSpliced(line, 0, lines[line]!).join('\n');
  if (kind === 'swap') return lines.with(line, lines[other % lines.length]!).join('\n');
  const parts = plan.split(/([\w<>+!*#.-]+|[[\]{}:,"])/);
  const odd = 1 + 2 * (place % Math.max(1, Math.floor(parts.length / 2)));
  return parts.with(Math.min(odd, parts.length - 1), words[other % words.length]!).join('');
}

const change = fc.tuple(
  fc.constantFrom('drop' as const, 'double' as const, 'swap' as const, 'word' as const, 'word' as const),
  fc.nat(10_000),
  fc.nat(10_000),
);

void t.test('a plan with slips in it compiles or is refused at a place in the file', async (t) => {
  let good = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...plans), fc.array(change, { minLength: 1, maxLength: 4 }), (plan, changes) => {
      const text = changes.reduce(changed, plan);
      const files: DocumentFile[] = [
        { kind: 'roster', path: 'roster.yaml', text: house('roster.yaml') },
        { kind: 'plan', path: 'house.yaml', text: house('plan.yaml') },
        { kind: 'plan', path: 'plan.yaml', text },
      ];
      const compiled = compileDocuments(files, { prompts: recordedPrompts, window });
      if (compiled.kind === 'ok') {
        good += 1;
        // What compiles can be asked about every number in it, and gives an answer.
        for (const { number } of compiled.plan.source.routes) {
          for (const from of ['inside', 'trunk'] as const) resolve(compiled.plan, { dialled: number, from, at });
        }
        return;
      }
      refused += 1;
      if (compiled.problems.length === 0) throw new Error('refused without a reason');
      for (const { file, line, column, reason, remedy } of compiled.problems) {
        const lines = files.find(({ path }) => path === file)?.text.split('\n');
        if (lines === undefined) throw new Error(`no file ${file}`);
        if (line < 1 || line > lines.length || column < 1) throw new Error(`${file}:${line}:${column} is no place`);
        if (reason === '' || remedy === '') throw new Error(`${file}:${line} says nothing`);
        if (/undefined|\[object|NaN|Infinity/.test(`${reason} ${remedy}`)) throw new Error(`${reason} (${remedy})`);
      }
    }),
    { numRuns: 600 },
  );
  // One in twenty or so survives; which ones changes with every example of the corpus.
  t.ok(good > 10 && refused > 100, `${good} good, ${refused} refused`);
});
