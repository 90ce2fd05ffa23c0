import type { Commands } from './program.ts';
import { Refusal } from './report.ts';

/** Only for `wardline --help`: `up` itself is started by main.ts and reads its options in supervise/prepare.ts. */
export function upCommand({ command, answer }: Commands): void {
  command('up')
    .description('start sipd, mediad and the app; Ctrl-C stops them')
    .option('--drain <seconds>', 'how long running calls may go on after Ctrl-C', '30')
    .action(
      answer(async () => {
        throw new Refusal('up must be the first word: wardline up --data DIR …', 2);
      }),
    );
}
