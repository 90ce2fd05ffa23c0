/** Older ones have holes that are known, or lack what the app needs (docs/engines.md). */
const OLDEST = { FreeSWITCH: [1, 10, 12], 'drachtio-server': [0, 9, 0] } as const;

/** The first "1.10.12" in a text against the oldest that will do: what is wrong; null: nothing, or it names none. */
export function versionFault(what: keyof typeof OLDEST, text: string): string | null {
  const [, ...found] = /(?:^|[^\d.])v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(text) ?? [];
  if (found.length === 0) return null;
  const oldest = OLDEST[what];
  const differs = found.map(Number).map((part, i) => part - (oldest[i] ?? 0));
  const isOlder = (differs.find((difference) => difference !== 0) ?? 0) < 0;
  return isOlder ? `is version ${found.join('.')}, older than ${oldest.join('.')}` : null;
}
