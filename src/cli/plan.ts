import { Option } from 'commander';
import { simulate, tellSimulation } from '../core/simulate/index.ts';
import { instant, zone } from '../core/time/index.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { done, no, Refusal, wrapped } from './report.ts';
import { checkDocuments, siteDocuments } from './site-documents.ts';
import { instantFrom, siteConfig } from './site.ts';

interface SimulateOptions extends CommonOptions {
  readonly to: string;
  readonly from?: string;
  readonly at?: string;
  readonly unregistered: readonly string[];
}

export function planCommands({ group, answer }: Commands): void {
  const plan = group('plan', 'what each number does');
  plan('check')
    .description('check the files in dialplans/ and oncall/ without activating them')
    .action(
      answer(async (options: CommonOptions) => {
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

  plan('simulate')
    .description('what would happen to a call; nobody is called')
    .requiredOption('--to <number>', 'number that is dialled')
    .option('--from <extension>', 'extension that calls (default: a call from outside)')
    .option('--at <time>', 'when: 2026-11-23T08:00 at the site, or with an offset (default: now)')
    .addOption(
      new Option(
        '--unregistered <extension>',
        'suppose that no phone of this extension is registered; may be given several times',
      )
        .argParser((extension: string, before: readonly string[]) => [...before, extension])
        .default([], 'none'),
    )
    .action(
      answer(async (options: SimulateOptions) => {
        const config = siteConfig(options);
        const now = await siteDocuments(config, instant(Date.now()));
        const at = instantFrom(options.at, now.plan.source.zone);
        const { plan, roster } = options.at === undefined ? now : await siteDocuments(config, at);
        const from = options.from ?? null;
        if (from !== null && plan.extension(from) === undefined) {
          throw new Refusal(`--from ${from}: the plan has no such extension; leave it out for a call from outside`, 2);
        }
        const { unregistered } = options;
        for (const extension of unregistered) {
          if (plan.extension(extension) === undefined) {
            throw new Refusal(`--unregistered ${extension}: the plan has no such extension`, 2);
          }
        }
        const isRegistered = (extension: string) => !unregistered.includes(extension);
        const simulation = simulate(plan, roster, { from, to: options.to, at, isRegistered });
        const who = from === null ? 'A caller from outside' : `${plan.extension(from)?.name} (${from})`;
        const when = `${zone(plan.source.zone).show(at)} (${plan.source.zone})`;
        return done(
          [
            `${who} dials ${options.to} at ${when}.`,
            'Nobody answers; times count from the dialling.',
            ...tellSimulation(simulation, plan).flatMap(fitted),
          ],
          {
            from,
            to: options.to,
            at: new Date(at).toISOString(),
            ...simulation,
          },
        );
      }),
    );
}

/** Below the time and the indentation of its own line. */
function fitted(line: string): readonly string[] {
  const margin = /^ *(\+[\d.]+ s)? */.exec(line)?.[0].length ?? 0;
  return wrapped(line, margin + 2);
}
