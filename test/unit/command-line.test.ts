import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import t from 'tap';
import type { Test } from 'tap';
import { asWritten } from '../../src/cli/call-id.ts';
import { programWith } from '../../src/cli/program.ts';
import { table, wrapped } from '../../src/cli/report.ts';

const page = readFileSync('docs/reference/command-line.md', 'utf8');
const common = section('What all commands have in common');

function section(title: string): string {
  const start = page.indexOf(`\n## ${title}\n`);
  if (start < 0) return '';
  const end = page.indexOf('\n## ', start + 1);
  return page.slice(start, end < 0 ? undefined : end);
}

function leaves(command: Command, words: string): { words: string; command: Command }[] {
  const args = command.registeredArguments.map((argument) => ` <${argument.name()}>`).join('');
  if (command.commands.length === 0) return [{ words: `${words}${args}`, command }];
  return command.commands.flatMap((inner) => leaves(inner, `${words} ${inner.name()}`));
}

void t.test('every command and every option stands in the reference, and nothing else does', async (t) => {
  const commands = leaves(await programWith(undefined, () => {}), 'wardline');
  t.ok(commands.length >= 12, `${commands.length} commands`);
  const titles = [...page.matchAll(/^## `(wardline .*)`$/gm)].map(([, title]) => title);
  t.same(titles.toSorted(), commands.map(({ words }) => words).toSorted());
  for (const { words, command } of commands) {
    const told = section(`\`${words}\``);
    for (const { long, flags } of command.options) {
      t.ok(told.includes(`\`${flags}\``) || common.includes(`\`${flags}\``), `${words} ${long}`);
    }
    const known = new Set(command.options.map(({ long }) => long));
    for (const [, flag] of told.matchAll(/^- `(--[a-z-]+)/gm)) t.ok(known.has(flag), `${words} has ${flag}`);
  }
});

void t.test('the JSON of every command that needs no running house has the keys of the reference', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'wardline-command-line-'));
  t.teardown(() => rmSync(data, { recursive: true, force: true }));
  const wardline = (...args: string[]): Record<string, unknown> => {
    const all = ['src/main.ts', ...args, '--json', '--data', join(data, 'data')];
    try {
      return JSON.parse(execFileSync(process.execPath, all, { encoding: 'utf8' })) as Record<string, unknown>;
    } catch (error) {
      // Exit code 1 answers no, and answers all the same.
      return JSON.parse((error as { stdout: string }).stdout) as Record<string, unknown>;
    }
  };
  const answers: readonly [string, Record<string, unknown>][] = [
    ['phone add <extension>', wardline('phone', 'add', '2101')],
    ['phone list', wardline('phone', 'list')],
    ['oncall show <service>', wardline('oncall', 'show', 'neurology')],
    ['oncall who', wardline('oncall', 'who')],
    ['oncall coverage', wardline('oncall', 'coverage')],
    [
      'oncall override add <service> <tier> <person>',
      wardline('oncall', 'override', 'add', 'cardiology', 'primary', 'dr-chen', '--reason', 'ill'),
    ],
    ['oncall calendar add', wardline('oncall', 'calendar', 'add', '--person', 'dr-ames')],
    ['oncall calendar list', wardline('oncall', 'calendar', 'list')],
    ['oncall calendar remove <number>', wardline('oncall', 'calendar', 'remove', '1')],
    ['plan check', wardline('plan', 'check')],
    ['plan simulate', wardline('plan', 'simulate', '--to', '7011')],
    ['call list', wardline('call', 'list')],
    ['voicemail list', wardline('voicemail', 'list')],
    ['audit verify', wardline('audit', 'verify')],
    ['audit key', wardline('audit', 'key')],
    ['audit prune', wardline('audit', 'prune')],
    ['audit export', wardline('audit', 'export', '--out', join(data, 'audit.jsonl'))],
    ['audit report <report>', wardline('audit', 'report', 'calls', '--out', join(data, 'calls.html'))],
    ['doctor', wardline('doctor')],
    ['phone remove <extension>', wardline('phone', 'remove', '2101')],
  ];
  for (const [words, answer] of answers) {
    const sample = /```json\n([\s\S]*?)```/.exec(section(`\`wardline ${words}\``))?.[1] ?? '';
    sameKeys(t, JSON.parse(sample), answer, words);
  }
  t.match(wardline('call', 'show', 'NO-SUCH'), { error: /the audit knows no call NO-SUCH/ });
});

/** Of lists the first item is compared, where both have one. */
function sameKeys(t: Pick<Test, 'same'>, sample: unknown, answer: unknown, place: string): void {
  if (Array.isArray(sample) && Array.isArray(answer)) {
    if (sample.length > 0 && answer.length > 0) sameKeys(t, sample[0], answer[0], `${place}[0]`);
    return;
  }
  if (!isRecord(sample) || !isRecord(answer)) return;
  // A sample that shows {} leaves the inside to the words below it.
  if (Object.keys(sample).length === 0) return;
  t.same(Object.keys(answer), Object.keys(sample), place);
  for (const key of Object.keys(sample)) sameKeys(t, sample[key], answer[key], `${place}.${key}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

void t.test('lines that are longer than the screen', async (t) => {
  t.same(wrapped('one two three four', 2, 9), ['one two', '  three', '  four']);
  t.same(wrapped('for up to 15 s', 0, 12), ['for up to', '15 s'], 'a number keeps its unit');
  t.same(wrapped('  averyverylongword', 4, 9), ['  averyverylongword'], 'a word is never broken');
  t.same(wrapped('short', 2, 9), ['short']);

  const rows = [
    ['a', 'one two three'],
    ['bb', ''],
  ];
  t.same(table(['X', 'WHY'], rows, 80), ['X   WHY', 'a   one two three', 'bb']);
  t.same(table(['X', 'WHY'], rows, 12), ['X   WHY', 'a   one two', '    three', 'bb']);
  const tower = [['a'.repeat(20), 'one two three four five six seven']];
  t.same(table(['X', 'WHY'], tower, 30), [
    'X',
    '    WHY',
    'a'.repeat(20),
    '    one two three four five',
    '    six seven',
  ]);
});

void t.test('a call id may be typed as it was heard', (t) => {
  for (const heard of ['3GA4-ABB6-K2MN', '3ga4abb6k2mn', '3ga4 abb6 k2mn', '3GA4-ABB6K2MN']) {
    t.equal(asWritten(heard), '3GA4-ABB6-K2MN');
  }
  t.equal(asWritten('3ga4abb6'), '3GA4-ABB6', 'of an earlier release');
  t.equal(asWritten('3ga4abb6k'), '3ga4abb6k', 'the refusal shows what was typed');
  t.end();
});
