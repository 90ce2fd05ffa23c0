import { ladder } from '../core/audit/index.ts';
import { simulate, tellSimulation, tellStory } from '../core/simulate/index.ts';
import { instant, zone } from '../core/time/index.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { namesIn } from './names.ts';
import { done, Refusal, type Report, wrapped } from './report.ts';
import { siteDocuments } from './site-documents.ts';
import { instantFrom, siteConfig } from './site.ts';
import { suppose, type SupposeOptions, supposeOptions } from './suppose.ts';
import { tellRung } from './tell-rung.ts';

interface SimulateOptions extends CommonOptions, SupposeOptions {
  readonly to: string;
  readonly from?: string;
  readonly at?: string;
}

export function simulateCommand(plan: ReturnType<Commands['group']>, answer: Commands['answer']): void {
  const simulation = plan('simulate')
    .description('what would happen to a call; nobody is called')
    .requiredOption('--to <number>', 'number that is dialled')
    .option('--from <extension>', 'extension that calls (default: a call from outside)')
    .option('--at <time>', 'when: 2026-11-23T08:00 at the site, or with an offset (default: now)');
  for (const option of supposeOptions) simulation.addOption(option);
  simulation.action(answer(simulated));
}

async function simulated(options: SimulateOptions): Promise<Report> {
  const config = siteConfig(options);
  const now = await siteDocuments(config, instant(Date.now()));
  const at = instantFrom(options.at, now.plan.source.zone);
  const { plan, roster } = options.at === undefined ? now : await siteDocuments(config, at);
  const from = options.from ?? null;
  if (from !== null && plan.extension(from) === undefined) {
    throw new Refusal(`--from ${from}: the plan has no such extension; leave it out for a call from outside`, 2);
  }
  const { presses, isStory, ...phones } = suppose(options, plan, roster);
  const supposed = { from, to: options.to, at, ...phones };
  const who = from === null ? 'A caller from outside' : `${plan.extension(from)?.name} (${from})`;
  const when = `${zone(plan.source.zone).show(at)} (${plan.source.zone})`;
  const head = `${who} dials ${options.to} at ${when}.`;
  const about = { from, to: options.to, at: new Date(at).toISOString() };
  if (!isStory) {
    const everything = simulate(plan, roster, supposed);
    const lines = tellSimulation(everything, plan).flatMap(fitted);
    return done([head, 'Nobody answers; times count from the dialling.', ...lines], { ...about, ...everything });
  }
  const { facts, end } = tellStory(plan, roster, supposed, presses);
  const rungs = ladder(facts, namesIn(plan, roster));
  const entries = facts.map(({ at, fact }, i) => {
    return { at: new Date(at).toISOString(), afterMs: rungs[i]?.afterMs, says: rungs[i]?.says, fact };
  });
  return done([head, ...rungs.flatMap((rung) => tellRung(rung, false))], { ...about, entries, end });
}

/** Below the time and the indentation of its own line. */
function fitted(line: string): readonly string[] {
  const margin = /^ *(\+[\d.]+ s)? */.exec(line)?.[0].length ?? 0;
  return wrapped(line, margin + 2);
}
