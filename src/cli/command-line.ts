import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Report } from './report.ts';

/** Options that every command takes. */
export interface CommonOptions {
  readonly data?: string;
  readonly config?: string;
  readonly set: readonly string[];
  readonly json?: boolean;
}

/** How a file of commands adds its own to the program. */
export interface Commands {
  /** A command that takes no options yet. */
  readonly plain: (name: string) => Command;
  readonly command: (nameAndArgs: string) => Command;
  readonly group: (name: string, description: string) => Group;
  /** The action of a command: `work` gets what commander gives (arguments, then options) and reports. */
  readonly answer: <A extends readonly unknown[]>(
    work: (...given: A) => Promise<Report>,
  ) => (...given: unknown[]) => Promise<void>;
}

/** Adds a command to a group, or a group within it. */
export interface Group {
  (nameAndArgs: string): Command;
  readonly group: (name: string, description: string) => Group;
}

export function commonOptions(command: Command): Command {
  return command
    .option('--data <folder>', 'data folder (default: ./data)')
    .option('--config <file>', 'configuration file (YAML)')
    .addOption(
      new Option('--set <path=value>', 'one configuration value; may be given several times')
        .argParser((value: string, before: readonly string[]) => [...before, setting(value)])
        .default([], 'none'),
    );
}

/** What cannot even be read is a slip of the pen (exit code 2), other than a value that the configuration refuses. */
function setting(text: string): string {
  if (/^[^=.]+(\.[^=.]+)*=/.test(text)) return text;
  throw new InvalidArgumentError('It must read path=value, for example --set sip.realm=lakeside.');
}
