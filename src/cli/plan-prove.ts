import { existsSync } from 'node:fs';
import type { Config } from '../config/index.ts';
import type { House, Proof } from '../core/prove/index.ts';
import { type Instant, instant, zone } from '../core/time/index.ts';
import { inOneGo } from '../core/steps/index.ts';
import { loadDocuments, problemOf, provingDocuments, rosterWindow, showProblem } from '../documents/index.ts';
import { dataFolders } from './folders.ts';
import { promptIds } from './prompt-ids.ts';
import { done, no, type Report, wrapped } from './report.ts';
import { feedsOf, overridesOf } from './site-documents.ts';
import { siteStore } from './site.ts';

/** `plan check --prove`: the documents in the folders, with every call that they allow for 90 days. */
export async function provedReport(config: Config): Promise<Report> {
  const now = instant(Date.now());
  const { dialplans, oncall } = config;
  const feeds = await feedsOf(config);
  const window = rosterWindow(now);
  const loaded = await loadDocuments({ dialplans, oncall, prompts: promptIds(), now, window, feeds });
  if (loaded.kind === 'refused') return refused(loaded.problems.map(showProblem));
  const house = await houseOf(config);
  const roster = loaded.roster.withOverrides(await overridesOf(config));
  const proof = inOneGo(provingDocuments({ ...loaded, roster }, now, house));
  const { entries, clinical, chains, instants } = proof.explored;
  const home = zone(loaded.plan.source.zone);
  const span = `from ${home.show(proof.span.from)} to ${home.show(proof.span.to)} (${home.name})`;
  const explored = `${entries} numbers, ${clinical} of them clinical, ${chains} chains, ${instants} instants at which something changes, ${span}`;
  const phones = house === null ? 'Whether phones exist was not looked at: this data folder has none.' : '';
  if (proof.faults.length === 0) {
    const good = 'Proved: every clinical call ends at a human who has confirmed, or at a staffed last resort in time.';
    const lines = [good, `Looked at ${explored}.`, ...(phones === '' ? [] : [phones])];
    return done(
      lines.flatMap((line) => wrapped(line, 0)),
      { isProved: true, ...about(proof, now), faults: [] },
    );
  }
  const faults = proof.faults.map((fault) => ({ fault, problem: problemOf(loaded, fault) }));
  const lines = faults.flatMap(({ problem: { example, ...problem } }) => [
    ...wrapped(showProblem(problem), 4),
    ...(example ? [...wrapped(`    for example ${example.says}`, 8), `    look: ${example.command}`] : []),
  ]);
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  return no([...lines, ...wrapped(`NOT PROVED, ${count}. Looked at ${explored}.`, 0)], {
    isProved: false,
    ...about(proof, now),
    faults: faults.map(
      ({ fault: { kind, reason, remedy, times, example }, problem: { file, line, column, example: told } }) => {
        return {
          kind,
          file,
          line,
          column,
          reason,
          remedy,
          times,
          example: { ...example, at: iso(example.at), ...told },
        };
      },
    ),
  });
}

function refused(problems: readonly string[]): Report {
  return no(
    problems.flatMap((line) => wrapped(line, 4)),
    { isProved: false, problems },
  );
}

function about({ span, explored }: Proof, now: Instant) {
  return { at: iso(now), from: iso(span.from), to: iso(span.to), explored };
}

function iso(at: Instant): string {
  return new Date(at).toISOString();
}

/** The phones of the house, once it has any. */
async function houseOf(config: Config): Promise<House | null> {
  if (!existsSync(dataFolders(config.data).store)) return null;
  const { store } = await siteStore(config, 'reader');
  try {
    const phones = await store.phones.list();
    return phones.length === 0 ? null : { phones: new Set(phones.map(({ extension }) => extension)) };
  } finally {
    await store.close();
  }
}
