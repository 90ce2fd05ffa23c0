import type { Commands } from './command-line.ts';
import { calendarCommands } from './oncall/calendar.ts';
import { coverageCommand } from './oncall/coverage.ts';
import { exportCommand } from './oncall/export.ts';
import { importCommand } from './oncall/import.ts';
import { overrideCommands } from './oncall/override.ts';
import { showCommand } from './oncall/show.ts';
import { whoCommand } from './oncall/who.ts';

export function oncallCommands({ group, answer }: Commands): void {
  const oncall = group('oncall', 'who is on call');
  showCommand(oncall, answer);
  whoCommand(oncall, answer);
  coverageCommand(oncall, answer);
  importCommand(oncall, answer);
  exportCommand(oncall, answer);
  calendarCommands(oncall, answer);
  overrideCommands(oncall, answer);
}
