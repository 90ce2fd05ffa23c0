import type { Tally } from '../sip/index.ts';

/** Numbers that only grow; all others go up and down. */
const totals: ReadonlySet<string> = new Set([
  'received',
  'refused',
  'dropped',
  'strayResponses',
  'datagrams',
  'stunRequests',
  'tcpMessages',
  'tcpRefused',
  'framingErrors',
  'scannersIgnored',
  'shedForLoad',
  'refusedHalfOpen',
  'refusedDialogs',
  'throttled',
  'ignored',
  'bans',
  'kernelDrops',
]);

/** What Prometheus reads: `sipd_bans_total 3`, `sipd_messages_received_total{what="INVITE"} 17`. */
export function metricsText(
  numbers: Readonly<Record<string, number>>,
  traffic: { readonly received: Tally; readonly sent: Tally },
): string {
  const lines: string[] = [];
  for (const [key, value] of Object.entries(numbers)) {
    const isTotal = totals.has(key);
    const name = `sipd_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}${isTotal ? '_total' : ''}`;
    lines.push(`# TYPE ${name} ${isTotal ? 'counter' : 'gauge'}`, `${name} ${value}`);
  }
  for (const direction of ['received', 'sent'] as const) {
    const name = `sipd_messages_${direction}_total`;
    lines.push(`# TYPE ${name} counter`);
    for (const [what, count] of Object.entries(traffic[direction])) lines.push(`${name}{what="${what}"} ${count}`);
  }
  return `${lines.join('\n')}\n`;
}
