import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { diff } from 'node:util';
import type { Config } from '../config/index.ts';
import { instant } from '../core/time/index.ts';
import { type DocumentFile, readFolders, showProblem, versionOf } from '../documents/index.ts';
import type { PlanVersion } from '../engine/ports.ts';
import type { Store } from '../storage/index.ts';
import type { CommonOptions, Commands } from './command-line.ts';
import { type House, judgedPlan, type Lost, lostLines } from './judged-plan.ts';
import { dataFolders } from './folders.ts';
import { remembered } from './remembered.ts';
import { done, no, Refusal, type Report, table } from './report.ts';
import { siteClock } from './site-documents.ts';
import { siteConfig, siteStore } from './site.ts';
import { isAlive } from './supervise/processes.ts';
import { readJson } from './supervise/run-files.ts';
import { whoTypes } from './who-types.ts';

/** A house that is up looks for orders twice a second, and compiles what it finds. */
const IN_FORCE_WITHIN_MS = 10_000;

export function planVersionCommands(
  plan: (nameAndArgs: string) => ReturnType<Commands['command']>,
  answer: Commands['answer'],
): void {
  plan('versions')
    .description('every version of the plan that was ever in force or ordered, the newest first')
    .action(
      answer((options: CommonOptions) =>
        withStore(options, 'reader', async ({ config, store }) => {
          const inForce = store.documents.lastGood()?.plan;
          const clock = await siteClock(config, store);
          const versions = store.plans.list();
          const rows = versions.map(({ version, at, author, files }) => [
            short(version),
            version === inForce ? 'in force' : '',
            clock.show(at),
            author,
            files.map(({ path }) => basename(path)).join(', '),
          ]);
          const text = [...table(['VERSION', '', 'SINCE', 'BY', 'FILES'], rows), clock.note];
          return done(
            versions.length === 0 ? ['No version yet: start the house, or "wardline plan activate".'] : text,
            {
              versions: versions.map(({ version, at, author, files }) => ({
                version,
                isInForce: version === inForce,
                at: new Date(at).toISOString(),
                author,
                files: files.map(({ path }) => path),
              })),
            },
          );
        }),
      ),
    );

  plan('diff [from] [to]')
    .description('what differs between two versions (default: from the one in force to the files in dialplans/)')
    .action(
      answer((from: string | undefined, to: string | undefined, options: CommonOptions) =>
        withStore(options, 'reader', async ({ config, store }) => {
          const before = from === undefined ? inForce(store) : named(store, from).files;
          const after = to === undefined ? await draft(config) : named(store, to).files;
          const files = differences(before, after);
          const text = files.flatMap(({ file, lines }) => [`${file}:`, ...lines]);
          return done(text.length === 0 ? ['No difference.'] : text, { files });
        }),
      ),
    );

  plan('activate')
    .description('check the files in dialplans/ and put them in force as a version of their own')
    .option('--only <file...>', 'put only these files in force, with the others as they are in force now')
    .action(
      answer((options: CommonOptions & { readonly only?: readonly string[] }) =>
        withStore(options, 'guest', async (house) => {
          const { config, store } = house;
          const written = await draft(config);
          const files = options.only === undefined ? written : only(options.only, written, inForce(store));
          if (options.only !== undefined && config.plans.activation === 'automatic') {
            const says = 'this house puts every good file in force by itself and leaves broken ones out';
            throw new Refusal(`--only: ${says}; set plans.activation to manual to choose`);
          }
          const judged = await judgedPlan(house, files);
          if (judged.kind === 'refused') return refused(judged.problems);
          return order(house, { files, how: 'activate', insteadOf: null, lost: judged.lost });
        }),
      ),
    );

  plan('rollback [version]')
    .description('put an earlier version in force again (default: the one before); "plan versions" lists them')
    .action(
      answer((name: string | undefined, options: CommonOptions) =>
        withStore(options, 'guest', async (house) => {
          const { config, store } = house;
          const { files } = name === undefined ? beforeThis(store) : named(store, name);
          const judged = await judgedPlan(house, files);
          if (judged.kind === 'refused') return refused(judged.problems);
          const { files: folder } = await readFolders(config);
          return order(house, { files, how: 'rollback', insteadOf: versionOf('plan', folder), lost: judged.lost });
        }),
      ),
    );
}

async function withStore(
  options: CommonOptions,
  as: 'reader' | 'guest',
  work: (house: House) => Promise<Report>,
): Promise<Report> {
  const config = siteConfig(options);
  // How plans come into force is the house's to say, however this command is called.
  const own = remembered(config.data)?.config.plans ?? config.plans;
  const { store } = await siteStore(config, as);
  try {
    return await work({ config: { ...config, plans: own }, store });
  } finally {
    await store.close();
  }
}

interface Order {
  readonly files: readonly DocumentFile[];
  readonly how: 'activate' | 'rollback';
  readonly insteadOf: string | null;
  readonly lost: Lost;
}

async function order({ config, store }: House, { files, how, insteadOf, lost }: Order): Promise<Report> {
  const version = versionOf('plan', files);
  const [at, author] = [instant(Date.now()), whoTypes()];
  await store.plans.keep({ version, at, author, files });
  store.plans.order({ version, at, author, how, insteadOf });
  const json = { version, author, how, lost: { numbers: lost.numbers, services: lost.services } };
  const warning = lostLines(lost);
  if (!isUp(config)) {
    return done([`Plan ${short(version)} will be in force when the house starts.`, ...warning], {
      ...json,
      isInForce: false,
    });
  }
  const until = performance.now() + IN_FORCE_WITHIN_MS;
  while (store.documents.lastGood()?.plan !== version) {
    if (performance.now() > until) {
      const says =
        'the house has not put it in force: "wardline doctor" and its log say why; what was in force stays so';
      return no([`Plan ${short(version)} is ordered, but ${says}.`], { ...json, isInForce: false });
    }
    await sleep(100);
  }
  return done([`Plan ${short(version)} is in force for new calls.`, ...warning], { ...json, isInForce: true });
}

function refused(problems: readonly string[]): Report {
  return no([...problems, 'Nothing was changed: the plan that is in force stays so.'], { isGood: false, problems });
}

async function draft(config: Config): Promise<readonly DocumentFile[]> {
  const { files, problems } = await readFolders(config);
  const own = problems.filter(({ file }) => file.startsWith(config.dialplans));
  if (own.length > 0) throw new Refusal(own.map(showProblem).join('\n'));
  return files.filter(({ kind }) => kind === 'plan');
}

/** The named files of the folder; every other file as it is in force. */
function only(
  names: readonly string[],
  written: readonly DocumentFile[],
  current: readonly DocumentFile[],
): readonly DocumentFile[] {
  const is = (name: string) => (file: DocumentFile) => basename(file.path) === basename(name);
  for (const name of names) {
    if (written.some(is(name)) || current.some(is(name))) continue;
    throw new Refusal(`--only ${name}: there are ${written.map(({ path }) => basename(path)).join(', ')}`, 2);
  }
  const chosen = (file: DocumentFile) => names.some((name) => is(name)(file));
  return [...current.filter((file) => !chosen(file)), ...written.filter(chosen)];
}

function inForce(store: Store): readonly DocumentFile[] {
  const files = store.documents.lastGood()?.files.filter(({ kind }) => kind === 'plan');
  if (files === undefined) throw new Refusal('no plan was ever in force here: start the house first');
  return files;
}

function beforeThis(store: Store): PlanVersion {
  const current = store.documents.lastGood()?.plan;
  const before = store.documents.plansBefore(current ?? '');
  const version = before === null ? null : store.plans.find(before);
  if (version === null) throw new Refusal('there is no plan before the one that is in force');
  return version;
}

function named(store: Store, name: string): PlanVersion {
  const found = store.plans
    .list()
    .filter(({ version }) => version.replace('sha256:', '').startsWith(name.replace('sha256:', '')));
  if (found.length === 1 && name.replace('sha256:', '').length >= 4) return found[0]!;
  const why = found.length > 1 ? 'several versions begin so' : 'there is no such version';
  throw new Refusal(`${name}: ${why}; "wardline plan versions" lists them`, 2);
}

function differences(before: readonly DocumentFile[], after: readonly DocumentFile[]) {
  const names = [...new Set([...before, ...after].map(({ path }) => basename(path)))].sort();
  const textIn = (files: readonly DocumentFile[], name: string) =>
    files.find(({ path }) => basename(path) === name)?.text.split('\n') ?? [];
  return names.flatMap((file) => {
    const [old, now] = apart(textIn(before, file), textIn(after, file));
    if (old.length + now.length === 0) return [];
    // Comparing takes a time and a memory that grow with the square of what differs.
    if (old.length + now.length > 4_000) return [{ file, lines: [`- ${old.length} lines`, `+ ${now.length} lines`] }];
    const lines = diff(old, now).flatMap(([operation, line]) =>
      operation === 0 ? [] : [`${SIGNS[operation]} ${line}`],
    );
    return [{ file, lines }];
  });
}

/** Without the lines that both begin and end with. */
function apart(before: readonly string[], after: readonly string[]): [string[], string[]] {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before.at(-1 - end) === after.at(-1 - end)) end++;
  return [before.slice(start, before.length - end), after.slice(start, after.length - end)];
}

/** As node:util counts: what only the first has is 1. */
const SIGNS: Readonly<Record<string, string>> = { '1': '-', '-1': '+' };

/** "7f3a2b91c0de" */
function short(version: string): string {
  return version.slice('sha256:'.length, 'sha256:'.length + 12);
}

function isUp(config: Config): boolean {
  const folders = dataFolders(config.data);
  const supervisor = readJson(join(folders.run, 'supervisor.json')) as { pid: number; startedTicks: string } | null;
  return supervisor !== null && isAlive(supervisor.pid, supervisor.startedTicks);
}
