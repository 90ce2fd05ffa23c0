import { instant } from '../core/time/index.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { explainCommand } from './plan-explain.ts';
import { provedReport } from './plan-prove.ts';
import { replayCommand } from './plan-replay.ts';
import { simulateCommand } from './plan-simulate.ts';
import { planVersionCommands } from './plan-versions.ts';
import { done, no, wrapped } from './report.ts';
import { checkDocuments } from './site-documents.ts';
import { siteConfig } from './site.ts';

export function planCommands({ group, answer }: Commands): void {
  const plan = group('plan', 'what each number does');
  plan('check')
    .description('check the files in dialplans/ and oncall/ without activating them')
    .option('--prove', 'also explore every call that they allow in the next 90 days')
    .action(
      answer(async (options: CommonOptions & { readonly prove?: boolean }) => {
        if (options.prove === true) return provedReport(siteConfig(options));
        const documents = await checkDocuments(siteConfig(options), instant(Date.now()));
        if (documents.kind === 'bad') {
          const { problems } = documents;
          const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
          const verdict = `${count}: these files will not be used; a house that is up goes on with the last good version.`;
          return no([...problems.flatMap((line) => wrapped(line, 4)), ...wrapped(verdict, 0)], {
            isGood: false,
            problems,
          });
        }
        const { plan, roster } = documents;
        const files = documents.files.map(({ path }) => path);
        return done(
          [
            `Good: ${plan.source.routes.length} numbers, ${roster.services().length} services, ${roster.people().length} people.`,
            ...files.map((file) => `  ${file}`),
          ],
          { isGood: true, files, plan: plan.version, roster: roster.version },
        );
      }),
    );

  planVersionCommands(plan, answer);
  simulateCommand(plan, answer);
  explainCommand(plan, answer);
  replayCommand(plan, answer);
}
