import type { Command } from 'commander';
import { instant, type Instant } from '../../core/time/index.ts';
import { Refusal } from '../report.ts';
import { instantFrom, note } from '../site-time.ts';
import type { SiteAudit } from './site-audit.ts';

/** As given on the command line. */
export interface Period {
  readonly from?: string;
  readonly to?: string;
}

export function withPeriod(command: Command): Command {
  return command
    .option('--from <time>', 'the first instant that counts, 2026-11-01 or 2026-11-01T08:00 (default: the beginning)')
    .option('--to <time>', 'the first instant that does not count any more (default: now)');
}

/** `says`: for the record, ISO 8601. */
export async function period(
  { zone }: SiteAudit,
  given: Period,
): Promise<{
  readonly from: Instant;
  readonly to: Instant;
  readonly says: { readonly from: string; readonly to: string };
}> {
  const from = given.from === undefined ? instant(0) : instantFrom(given.from, zone, note, '--from');
  const to = instantFrom(given.to, zone, note, '--to');
  if (from >= to) throw new Refusal(`--from ${given.from ?? ''}: must be before --to`, 2);
  return { from, to, says: { from: new Date(from).toISOString(), to: new Date(to).toISOString() } };
}
