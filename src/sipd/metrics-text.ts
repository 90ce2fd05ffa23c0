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
  'newCallsStale',
  'scannersIgnored',
  'shedForLoad',
  'refusedHalfOpen',
  'refusedDialogs',
  'throttled',
  'ignored',
  'bans',
  'kernelDrops',
]);

/** What had to be given up while it was read, and is counted as what it came to: answered, or not. */
const parseErrors = { refused: 'answered', dropped: 'unanswered', framingErrors: 'framing' } as const;

export interface Counted {
  readonly numbers: Readonly<Record<string, number>>;
  readonly traffic: { readonly received: Tally; readonly sent: Tally };
  /** By `client invite calling`. */
  readonly transactions: ReadonlyMap<string, number>;
}

/** What Prometheus reads: `sipd_bans_total 3`, `sipd_messages_received_total{what="180",method="INVITE"} 17`. */
export function metricsText({ numbers, traffic, transactions }: Counted): string {
  const lines: string[] = [];
  for (const [key, value] of Object.entries(numbers)) {
    const isTotal = totals.has(key);
    const name = `sipd_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}${isTotal ? '_total' : ''}`;
    lines.push(
      `# TYPE ${name} ${isTotal ? 'counter' : 'gauge'}`,
      `${name} ${value === Number.POSITIVE_INFINITY ? '+Inf' : value}`,
    );
  }
  for (const direction of ['received', 'sent'] as const) {
    const name = `sipd_messages_${direction}_total`;
    lines.push(`# TYPE ${name} counter`);
    for (const [key, count] of Object.entries(traffic[direction])) {
      const [what, method = what] = key.split(' ');
      lines.push(`${name}{what="${what}",method="${method}"} ${count}`);
    }
  }
  lines.push('# TYPE sipd_parse_errors_total counter');
  for (const [key, what] of Object.entries(parseErrors)) {
    lines.push(`sipd_parse_errors_total{what="${what}"} ${numbers[key] ?? 0}`);
  }
  lines.push('# TYPE sipd_transactions gauge');
  for (const [key, count] of transactions) {
    const [side, kind, state] = key.split(' ');
    lines.push(`sipd_transactions{side="${side}",kind="${kind}",state="${state}"} ${count}`);
  }
  return `${lines.join('\n')}\n`;
}
