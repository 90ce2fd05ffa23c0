import { exportCommand } from './audit/export.ts';
import { keyCommand } from './audit/key.ts';
import { pruneCommand } from './audit/prune.ts';
import { reportCommand } from './audit/report.ts';
import { searchCommand } from './audit/search.ts';
import { verifyCommand } from './audit/verify.ts';
import type { Commands } from './command-line.ts';

export function auditCommands({ group, answer }: Commands): void {
  const audit = group('audit', 'the record of every call');
  verifyCommand(audit, answer);
  searchCommand(audit, answer);
  exportCommand(audit, answer);
  reportCommand(audit, answer);
  pruneCommand(audit, answer);
  keyCommand(audit, answer);
}
