/** Keys in the body of an INFO: "Signal=5" (application/dtmf-relay) or "5" (application/dtmf). null: not about keys. */
export function dtmfKeys(contentType: string, body: string): string | null {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/dtmf-relay' && type !== 'application/dtmf') return null;
  const signal =
    type === 'application/dtmf' ? body.trim() : /^\s*signal\s*=\s*(\S{1,2})/im.exec(body.slice(0, 200))?.[1];
  const key = named[signal ?? ''] ?? signal ?? '';
  return /^[0-9A-D*#]$/i.test(key) ? key.toUpperCase() : '';
}

/** Some phones send the event number of RFC 4733. */
const named: Readonly<Record<string, string>> = { 10: '*', 11: '#', 12: 'A', 13: 'B', 14: 'C', 15: 'D' };
