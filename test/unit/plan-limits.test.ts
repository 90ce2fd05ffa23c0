import { readFileSync } from 'node:fs';
import t from 'tap';
import { instant } from '../../src/core/time/index.ts';
import { compileDocuments, type DocumentFile, showProblem } from '../../src/documents/index.ts';
import { recordedPrompts } from '../support/plan-example.ts';

// Documents that would eat time or memory are refused for what they are; the bound is on the work, not on the clock.

const house = (name: string) => readFileSync(`test/conformance/plans/house/${name}`, 'utf8');
const window = { from: instant(Date.UTC(2026, 10, 1)), to: instant(Date.UTC(2026, 11, 1)) };

function refusal(text: string): string {
  const files: DocumentFile[] = [
    { kind: 'roster', path: 'roster.yaml', text: house('roster.yaml') },
    { kind: 'plan', path: 'house.yaml', text: house('plan.yaml') },
    { kind: 'plan', path: 'plan.yaml', text },
  ];
  const compiled = compileDocuments(files, { prompts: recordedPrompts, window });
  return compiled.kind === 'ok' ? 'good' : showProblem(compiled.problems[0]!);
}

const inLine = (count: number, item: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => item(i)).join(', ');
const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
const busy = '{ from: trunk, hang-up: { cause: busy } }';

void t.test('patterns that could blow up', async (t) => {
  t.match(
    refusal(
      `routes:\n${lines(700, (i) => `  "${i.toString(2).padStart(10, '0').replaceAll('0', 'x')}xxxxx${i % 10}!": ${busy}`)}`,
    ),
    /plan\.yaml:\d+:3: "x.*" is defined twice|too many patterns|neither is the narrower/,
  );
  t.match(
    refusal(`routes:\n${lines(60, (i) => `  "${'x'.repeat(i % 20)}${i % 7}${'x'.repeat(19 - (i % 20))}!": ${busy}`)}`),
    /plan\.yaml:\d+:3: too many patterns fit the same numbers \(use fewer wildcards\)/,
  );
  t.match(refusal(`routes:\n${lines(5_001, (i) => `  ${100_000 + i}!: ${busy}`)}`), /more than 5000 patterns/);
  t.match(refusal(`routes:\n  "${'x'.repeat(1_000)}": ${busy}`), /cannot be dialled: it is too long/);
});

void t.test('ways through a plan that nobody could follow', async (t) => {
  const end = '  end: { hang-up: { cause: busy } }';
  const chain = lines(5_000, (i) => `  f${i}: { run: ${i === 4_999 ? 'end' : `f${i + 1}`} }`);
  t.match(refusal(`flows:\n${chain}\n${end}`), /plan\.yaml:\d+:3: a call would run through more than 200 flows/);
  const circle = lines(5_000, (i) => `  f${i}: { run: f${(i + 1) % 5_000} }`);
  t.match(refusal(`flows:\n${circle}`), /a call would run through more than 200 flows/);
  t.match(refusal(`flows:\n${lines(20_000, () => '  a: { run: a }')}`), /plan\.yaml:3:3: "a" is defined twice/);
});

void t.test('templates that could blow up', async (t) => {
  const template = `templates:\n  t:\n    needs: [a]\n    makes:\n      routes:\n${lines(400, (i) => `        <a>${i}: ${busy}`)}`;
  const uses = lines(200, (i) => `  u${i}: { template: t, with: { a: ${i}00 } }`);
  t.match(
    refusal(`${template}\nuses:\n${uses}`),
    /the templates make too much \(let them make at most 100000 values\)/,
  );
  t.match(
    refusal(
      'templates:\n  t: { needs: [a], makes: { templates: { u: { needs: [], makes: {} } } } }\nuses:\n  u: { template: t, with: { a: b } }',
    ),
    /plan\.yaml:2:\d+: a template cannot make templates \(in u, made by the template t\)/,
  );
});

void t.test('dates of other centuries, and more of everything than there is', async (t) => {
  const day = (date: string) => refusal(`hours:\n  o: { mon: 08:00-09:00, except: { ${date}: { name: N } } }`);
  t.match(day('1970-01-01'), /plan\.yaml:2:48: "1970-01-01" is no day \(write a date of this century/);
  t.match(day('2100-01-01'), /"2100-01-01" is no day/);
  t.equal(day('2099-12-31'), 'good');
  t.match(refusal(`callers:\n${lines(65, (i) => `  c${i}: ["+1${i}!"]`)}`), /65 lists of callers \(use at most 64\)/);
  t.match(
    refusal(
      `extensions:\n${lines(51, (i) => `  ${6000 + i}: { name: N, kind: unit }`)}\ngroups:\n  g: { name: G, order: all, for: 5s, members: [${inLine(51, (i) => `${6000 + i}`)}] }`,
    ),
    /51 members \(use at most 50\)/,
  );
  t.match(
    refusal(`trunks:\n  carrier: { incoming: { ${inLine(201, (i) => `${1000 + i}: { strip: 1 }`)} } }`),
    /201 translations/,
  );
  t.match(
    refusal('trunks:\n  carrier: { incoming: { 1x: { strip: 99 } } }'),
    /99 digits to be left out \(use 0 to 15\)/,
  );
  t.match(refusal('trunks:\n  carrier: { outgoing: { 1x: { add: "sip:" } } }'), /cannot be put before a number/);
});
