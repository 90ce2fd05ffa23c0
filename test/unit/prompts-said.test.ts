import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readList } from '../../scripts/prompts/tools.ts';

const src = join(import.meta.dirname, '../../src');
const voices = ['en/wardline', 'en/asterisk-core-sounds'];
const playable = new Set(
  voices.flatMap((voice) => [...readList(join(src, 'mediad/prompts', voice, 'texts.yaml')).keys()]),
);
const folders = ['core/call', 'core/escalation', 'core/voicemail', 'core/dialplan'];

void t.test('every prompt that a decision says can be played', async (t) => {
  const said = new Set(folders.flatMap(idsIn));
  t.ok(said.size > 20, `${said.size} prompts are said`);
  for (const id of said) t.ok(playable.has(id), id);
});

/** Ids as they are written in the source: literals, and templates with the words of their unions. */
function idsIn(folder: string): readonly string[] {
  const files = readdirSync(join(src, folder), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
  return files.flatMap((file) => {
    const text = readFileSync(join(src, folder, file), 'utf8');
    const literals = [...text.matchAll(/'((?:[a-z0-9]+-)+[a-z0-9]+|goodbye|beep|trying|and)'/g)].map(
      (m) => m[1] as string,
    );
    const templates = [...text.matchAll(/id: `([a-z-]+)\$\{/g)].map((m) => m[1] as string);
    return [...literals.filter((id) => !id.endsWith('.ts')), ...templates.flatMap((stem) => filled(stem))];
  });
}

function filled(stem: string): readonly string[] {
  const words = { 'urgency-': ['stat', 'urgent', 'routine'], 'voicemail-greeting-': ['person', 'service', 'office'] }[
    stem
  ];
  if (words === undefined) throw new Error(`no words are known for the prompts ${stem}…`);
  return words.map((word) => stem + word);
}
