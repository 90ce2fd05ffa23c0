import type { Command } from 'commander';
import { commonOptions, type Commands } from './command-line.ts';
import { Refusal } from './report.ts';

/** Only for `wardline --help`: main.ts starts `up`, and supervise/prepare.ts reads its options. */
export function upCommand({ plain, answer }: Commands): void {
  upOptions(plain('up')).action(
    answer(async () => {
      throw new Refusal('up must be the first word: wardline up --data DIR …', 2);
    }),
  );
}

export function upOptions(command: Command): Command {
  return commonOptions(command)
    .description('start sipd, mediad and the app; Ctrl-C stops them')
    .option('--drain <seconds>', 'how long running calls may go on after Ctrl-C', '30')
    .option('--no-passwords', 'the banner goes to a log: leave the passwords of the example phones out')
    .option('--json', 'when it is up: addresses, phones and numbers as one line of JSON; everything else to stderr');
}
