import { existsSync } from 'node:fs';
import { Option } from 'commander';
import type { CommonOptions, Commands, Group } from '../command-line.ts';
import type { Verdict } from '../../audit-log/index.ts';
import { done, no, Refusal, type Report } from '../report.ts';
import { withAudit } from './site-audit.ts';

export function verifyCommand(audit: Group, answer: Commands['answer']): void {
  audit('verify')
    .description('read every entry and say whether one was edited, removed, added or moved')
    .addOption(
      new Option('--anchor <file>', 'signed heads that were kept elsewhere; may be given several times')
        .argParser((file: string, before: readonly string[]) => [...before, file])
        .default([], 'none'),
    )
    .action(
      answer((options: CommonOptions & { readonly anchor: readonly string[] }) => {
        for (const file of options.anchor) {
          if (!existsSync(file)) throw new Refusal(`--anchor ${file}: there is no such file`, 2);
        }
        return withAudit(options, 'reader', async ({ reader }) => report(await reader.verify()), options.anchor);
      }),
    );
}

function report(verdict: Verdict): Report {
  if (verdict.kind === 'broken') {
    return no(
      [
        `THE AUDIT IS NOT INTACT (${verdict.entries} entries):`,
        ...verdict.problems.map(({ says, callId }) => `  ${says}${callId === null ? '' : ` (call ${callId})`}`),
        'Keep a copy of the data folder as it is, and tell whoever answers for the records.',
      ],
      {
        isIntact: false,
        entries: verdict.entries,
        uncertified: null,
        signedUpTo: null,
        problems: verdict.problems,
      },
    );
  }
  const { entries, uncertified, signedUpTo } = verdict;
  const young = uncertified === 0 ? '' : `; the last ${uncertified} are too young to be certified`;
  return done(
    [
      `The audit is intact: ${entries} entries, each follows from the one before${young}.`,
      signedUpTo === 0 ? 'None of them is signed yet.' : `Signed up to entry ${signedUpTo}.`,
    ],
    { isIntact: true, entries, uncertified, signedUpTo, problems: [] },
  );
}
