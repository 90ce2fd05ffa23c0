import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Where the stories leave the records of their calls, for `npm run test:real` to compare; undefined: nowhere. */
const folder = process.env['STORIES_RECORDS'];
const houses = new Map<string, number>();

/** One call as the audit tells it. */
export interface CallRecord {
  readonly from: string;
  readonly dialled: string;
  readonly facts: readonly ({ readonly fact: string } & Readonly<Record<string, unknown>>)[];
}

interface Asked {
  json<T>(...args: string[]): Promise<T>;
}

/** Keeps the records of a house's calls, in the order in which the calls came; without those that `isCompared` says. */
export async function keepRecords(
  story: string,
  house: Asked,
  isCompared: (callId: string) => boolean = () => true,
): Promise<void> {
  if (folder === undefined) return;
  const { calls } = await house.json<{ calls: { callId: string; from: string; dialled: string }[] }>(
    ...['call', 'list', '--limit', '1000'],
  );
  const records: CallRecord[] = [];
  for (const { callId, from, dialled } of calls.reverse()) {
    if (!isCompared(callId)) continue;
    const { entries } = await house.json<{ entries: { fact: CallRecord['facts'][number] }[] }>('call', 'show', callId);
    records.push({ from, dialled, facts: entries.map(({ fact }) => fact) });
  }
  if (records.length === 0 && calls.length > 0) return;
  const name = `${basename(process.argv[1] ?? '', '.test.ts')}, ${story}`;
  const count = (houses.get(name) ?? 0) + 1;
  houses.set(name, count);
  const file = fileWords(`${name}${count === 1 ? '' : ` (${count})`}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${file}.json`), JSON.stringify(records, null, 1));
}

/** How the name of a story stands in the name of its file. */
export function fileWords(story: string): string {
  return story.replaceAll(/[^A-Za-z0-9 ,.()-]/g, '_');
}
