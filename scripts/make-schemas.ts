import { writeFileSync } from 'node:fs';
import { documentSchemas } from '../src/documents/index.ts';

// Writes the JSON schemas that the first line of each document names. Run it when a document schema has changed.
const { plan, roster } = documentSchemas();
for (const [folder, schema] of [
  ['dialplans', plan],
  ['oncall', roster],
] as const) {
  const file = new URL(`../${folder}/schema.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
  process.stdout.write(`${folder}/schema.json\n`);
}
