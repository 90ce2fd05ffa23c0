import { DocumentReader, LiveDocuments, showProblem } from '../../documents/index.ts';
import { systemClock } from '../../engine/index.ts';
import { FOLDER } from '../../engine/ports.ts';
import { lostLines } from '../judged-plan.ts';
import { promptIds } from '../prompt-ids.ts';
import { Refusal } from '../report.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';

/** The documents in force, kept in step with their folders; what happens to them is recorded, logged and shown. */
export async function openDocuments(foundation: Foundation, closing: Closing): Promise<LiveDocuments> {
  const { config, log, health, metrics, store, record, terminal } = foundation;
  const activations = metrics.counter('wardline_document_activations_total', 'Times that documents came into force.');
  let recorded: Promise<unknown> = Promise.resolve();
  const reader = new DocumentReader({ prompts: promptIds(), clock: systemClock });
  const documents = new LiveDocuments({
    options: {
      dialplans: config.dialplans,
      oncall: config.oncall,
      activation: config.plans.activation,
      pollMs: 500,
    },
    reader,
    versions: store.documents,
    overrides: store.overrides,
    orders: store.plans,
    feeds: store.feeds,
    clock: systemClock,
    onActivated: (version, changed) => {
      activations.inc();
      health.ok('documents');
      if (changed.length === 0) terminal('documents are good again: what was in force stays so');
      for (const kind of changed) {
        const files = version.files.filter((document) => document.kind === kind).map(({ path }) => path);
        const order = kind === 'plan' ? store.plans.newest() : null;
        const by = order?.version === version[kind] ? `${order.author}, ${order.how}` : FOLDER;
        recorded = record({ fact: 'documentActivated', kind, version: version[kind], files, by });
        log.info({ kind, version: version[kind] }, 'document activated');
        terminal(`${kind} in force: ${files.join(', ')}`);
      }
    },
    onRefused: (problems) => {
      const lines = problems.map(showProblem);
      health.failing('documents', `the files cannot be used; the last good version is in force: ${lines[0] ?? ''}`);
      recorded = record({ fact: 'documentRefused', problems: lines });
      log.info({ problems: lines }, 'document refused');
      for (const line of ['documents refused, the last good version stays in force:', ...lines]) terminal(line);
    },
    onProved: (faults) => {
      const lines = faults.map(showProblem);
      if (lines.length === 0) health.ok('proof');
      else health.failing('proof', `some calls would reach nobody: ${lines[0] ?? ''}`);
      log.info({ faults: lines }, 'documents proved');
      for (const line of lines) terminal(`not proved: ${line}`);
    },
    onWaysLost: (lost) => {
      const { roster } = documents.current();
      const names = lost.services.map((id) => roster.service(id)?.name ?? id);
      log.info({ ...lost }, 'numbers lead to nobody on call any more');
      for (const line of lostLines({ ...lost, names })) terminal(line);
    },
    onUnsaved: (error) => {
      const why = error instanceof Error ? error.message : String(error);
      health.failing('documents', `the changed files are good but could not be kept: ${why}`);
      log.error({ err: error }, 'documents not in force: their version could not be kept, tried again');
    },
    onOverridesUnread: (error) => {
      log.error({ err: error }, 'overrides of who is on call cannot be read: those known before stay in force');
    },
    onClockImplausible: (now) => {
      log.error({ now: new Date(now).toISOString() }, 'clock is wrong: nobody is rung by schedule until it is set');
    },
  });
  const started = await documents.start();
  if (started.kind === 'refused') {
    await reader.close();
    throw new Refusal(['the documents cannot be used:', ...started.problems.map(showProblem)].join('\n'));
  }
  closing.add('documents', async () => {
    await documents.close();
    await reader.close();
  });
  // What comes next keeps this thread busy for a moment, and an answer it cannot read in time counts as late.
  await recorded;
  return documents;
}
