import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dutyTiers, type ServiceId } from '../../src/core/oncall/index.ts';
import { wall, zone } from '../../src/core/time/index.ts';
import { compileDocuments, type DocumentFile, showProblem } from '../../src/documents/index.ts';
import { warmCli } from '../support/warm-cli.ts';

const page = readFileSync('docs/oncall.md', 'utf8');
const home = zone('America/Chicago');
const at = (text: string) => home.toInstant(wall(text)!);

const PLAN = `site:
  { name: Lakeside, zone: America/Chicago, country: US, operator: 1000, trunk: carrier, main-number: "+12025550100", ring-for: 20s }
extensions:
  1000: { name: Operator, kind: post }
  2101: { name: Cath lab, kind: unit }
  2102: { name: Lab, kind: unit }
  3101: { name: Dr Ames, kind: person }
  3102: { name: Dr Bell, kind: person }
  3103: { name: Dr Moss, kind: person }
mailboxes:
  cardiology: { name: Cardiology }
routes:
  7011: { from: inside, escalate: { service: cardiology, urgency: stat } }
`;

interface Example {
  readonly title: string;
  readonly yaml: string;
  readonly answers: readonly string[];
}

const sections = page.split(/^## /m).slice(1);
const block = (section: string, kind: string) =>
  new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``).exec(section)?.[1] ?? '';
const examples = sections
  .map((section): Example => {
    const answers = block(section, 'text').split('\n');
    return {
      title: section.split('\n')[0]!,
      yaml: block(section, 'yaml'),
      answers: answers.filter((line) => line !== ''),
    };
  })
  .filter(({ yaml }) => yaml !== '');

function compiled(files: readonly string[]) {
  const documents: DocumentFile[] = [
    { kind: 'plan', path: 'plan.yaml', text: PLAN },
    ...files.map((text, i): DocumentFile => ({ kind: 'roster', path: `${i}.yaml`, text })),
  ];
  const window = { from: at('2026-10-01'), to: at('2027-03-01') };
  const result = compileDocuments(documents, { prompts: new Set(['number-not-in-service']), window });
  if (result.kind === 'refused') throw new Error(result.problems.map(showProblem).join('\n'));
  return result.roster;
}

void t.test('every example of docs/oncall.md is a good roster and answers what the page says', async (t) => {
  t.ok(examples.length >= 6, `${examples.length} examples`);
  const [first] = examples;
  for (const { title, yaml, answers } of examples) {
    const roster = compiled(yaml === first?.yaml ? [yaml] : [first!.yaml, yaml]);
    t.ok(answers.length > 0, title);
    for (const line of answers) {
      const [, when, service, tier, expected] = /^(\S+ \S+) +(\S+) (\S+) +(.*)$/.exec(line) ?? [];
      const found = dutyTiers.find((one) => one === tier);
      if (when === undefined || found === undefined) throw new Error(`what is this? ${line}`);
      const result = roster.whoIsOnCall(service as ServiceId, found, at(when));
      const said =
        result.kind === 'onCall'
          ? `${result.answer.person.name}: ${result.answer.because}`
          : `nobody: ${result.kind === 'nobodyOnCall' ? result.because : 'outside'}`;
      t.equal(said, expected, `${title}: ${line}`);
    }
  }
});

void t.test('all examples together are one roster', async (t) => {
  const roster = compiled(examples.map(({ yaml }) => yaml));
  t.equal(roster.services().length, 7);
  t.equal(roster.unitByPhone('2101')?.name, 'Cath lab');
});

void t.test('every command of docs/oncall.md runs', async (t) => {
  const data = join(t.testdir({}), 'data');
  const commands = sections.flatMap((section) => block(section, 'sh').split('\n')).filter((line) => line !== '');
  t.ok(commands.length >= 6);
  for (const command of commands) {
    const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
    const { code, out, err } = await warmCli([...words.slice(1), '--data', data]);
    const isRefused = command.startsWith('wardline oncall override remove');
    t.equal(code, isRefused ? 2 : 0, `${command}: ${out}${err}`);
  }
});
