import type { Commands } from './command-line.ts';
import { overrideCommands } from './oncall/override.ts';
import { showCommand } from './oncall/show.ts';

export function oncallCommands({ group, answer }: Commands): void {
  const oncall = group('oncall', 'who is on call');
  showCommand(oncall, answer);
  overrideCommands(oncall, answer);
}
