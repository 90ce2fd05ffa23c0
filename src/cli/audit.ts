import { auditReader } from './audit-reader.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { done, no } from './report.ts';
import { siteConfig, siteStore } from './site.ts';

export { auditReader };

export function auditCommands({ group, answer }: Commands): void {
  const audit = group('audit', 'the record of every call');
  audit('verify')
    .description('read every entry and say whether one was edited, removed, added or moved')
    .action(
      answer(async (options: CommonOptions) => {
        const config = siteConfig(options);
        const { store, secrets } = await siteStore(config, 'reader');
        try {
          const verdict = await auditReader(config, store, secrets).verify();
          const json = {
            isIntact: verdict.kind === 'intact',
            entries: verdict.entries,
            uncertified: verdict.kind === 'intact' ? verdict.uncertified : null,
            problems: verdict.kind === 'intact' ? [] : verdict.problems,
          };
          if (verdict.kind === 'intact') {
            const young =
              verdict.uncertified === 0 ? '' : `; the last ${verdict.uncertified} are too young to be certified`;
            return done(
              [`The audit is intact: ${verdict.entries} entries, each follows from the one before${young}.`],
              json,
            );
          }
          return no(
            [
              `THE AUDIT IS NOT INTACT (${verdict.entries} entries):`,
              ...verdict.problems.map(({ says, callId }) => `  ${says}${callId === null ? '' : ` (call ${callId})`}`),
              'Keep a copy of the data folder as it is, and tell whoever answers for the records.',
            ],
            verdict,
          );
        } finally {
          await store.close();
        }
      }),
    );
}
