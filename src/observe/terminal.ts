const OWN = new Set(['level', 'time', 'name', 'pid', 'msg']);

/** `06:05:39.123 warn  wardline: tier timed out call=K7QX-2M4D tier=2` from pino's JSON line. */
export function oneLine(json: string): string {
  const line = JSON.parse(json) as Record<string, unknown>;
  const time = String(line['time']).slice(11, 23);
  const fields = Object.entries(line).filter(([key]) => !OWN.has(key));
  const words = fields.map(([key, value]) => `${key}=${shown(value)}`);
  return `${[time, String(line['level']).padEnd(5), `${String(line['name'])}:`, printable(String(line['msg'])), ...words].join(' ')}\n`;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return /^[\w.:@/+[\]-]+$/.test(value) ? value : JSON.stringify(printable(value));
  if (isError(value)) return JSON.stringify(printable(value.message));
  return printable(JSON.stringify(value));
}

/** What a far end sent must not move the cursor or start a line of its own. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '·');
}

function isError(value: unknown): value is { message: string; stack: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'stack' in value &&
    'message' in value &&
    typeof value.message === 'string'
  );
}
