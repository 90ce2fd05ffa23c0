/** Stands in for the thread that reads documents: the second check finds a roster of 10⁶ people. */
import { parentPort } from 'node:worker_threads';
import { checkRoster, namesOfRoster } from '../../src/core/oncall/index.ts';
import { compilePlan, type PatternTables } from '../../src/core/dialplan/index.ts';
import { ReadJobs, sourceParts } from '../../src/documents/read-jobs.ts';
import type { FromThread, ReadJob } from '../../src/documents/read-protocol.ts';
import { serveJobs } from '../../src/documents/serve-jobs.ts';
import { sourcesOf } from './activation-house.ts';

const PROMPTS = new Set(['number-not-in-service']);
const jobs = new ReadJobs(PROMPTS);
const large = sourcesOf({ people: 1_000_000, services: 10_000 });
let checks = 0;

serveJobs(parentPort!, {
  put: (slot, file) => jobs.put(slot, file),
  do(job) {
    if (job.kind === 'prove') return proved();
    return job.kind === 'check' && ++checks > 1 ? checked(job) : jobs.do(job);
  },
});

async function* proved(): AsyncGenerator<FromThread, void> {
  yield { kind: 'proved', isLast: true, faults: [], lost: null };
}

async function* checked({ slots }: Extract<ReadJob, { kind: 'check' }>): AsyncGenerator<FromThread, void> {
  const { roster, plan } = large;
  const tables: PatternTables[] = [];
  const faults = [...checkRoster(roster)];
  const compiled = compilePlan(plan, namesOfRoster(roster), PROMPTS, (made) => tables.push(made));
  if (compiled.kind === 'refused' || faults.length > 0) throw new Error('the large house is at fault');
  const last = { kind: 'good', isLast: true, slots, plan: plan.version, roster: roster.version } as const;
  yield* sourceParts({ roster, plan, tables }, last);
}
