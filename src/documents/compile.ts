import type { z } from 'zod';
import { compilePlan, type CompiledPlan, type PatternTables, type PlanSource } from '../core/dialplan/index.ts';
import {
  checkRoster,
  type CompiledRoster,
  compileRoster,
  namesOfRoster,
  type Problem,
  type RosterSource,
} from '../core/oncall/index.ts';
import type { Span } from '../core/time/index.ts';
import { checkShape } from './check-shape.ts';
import { type DocumentFile, type DocumentKind, versionOf } from './document-file.ts';
import type { Written } from './merge.ts';
import { type ParsedFile, parseYaml, Trees } from './parse-yaml.ts';
import { planSource } from './plan-source.ts';
import { type DocumentProblem, problemAt } from './problem.ts';
import { rosterSource } from './roster-source.ts';
import { planFile, type PlanFile } from './schema/plan-file.ts';
import { type RosterFile, rosterFile } from './schema/roster-file.ts';
import { filesFromTemplates } from './templates.ts';

export type CompileResult =
  | {
      readonly kind: 'ok';
      readonly plan: CompiledPlan;
      readonly roster: CompiledRoster;
      readonly source: CheckedSource;
      /** Where in the files something stands that was found wrong later on. */
      readonly place: (problem: Problem) => DocumentProblem;
    }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };

/** All that documents say, checked: what plan and roster are compiled from wherever they are needed. */
export interface CheckedSource {
  readonly plan: PlanSource;
  readonly roster: RosterSource;
  /** Of the patterns in the plan, in the order in which `layingPlan` asks for them. */
  readonly tables: readonly PatternTables[];
}

/**
 * Documents to compiled plan and roster, in three passes that each need the one before: shape of every file, joining
 * of the files of a kind, agreement of all names. The first pass that finds problems reports all of its own.
 */
export function compileDocuments(
  files: readonly DocumentFile[],
  options: { readonly prompts: ReadonlySet<string>; readonly window: Span },
): CompileResult {
  const problems: DocumentProblem[] = [];
  const trees = new Trees();
  const rosters: Written<RosterFile>[] = readAll('roster', rosterFile, files, problems, trees);
  const plans: Written<PlanFile>[] = readAll('plan', planFile, files, problems, trees);
  plans.push(...filesFromTemplates(plans, problems));
  if (problems.length > 0) return refused(problems);

  const roster = rosterSource(versionOf('roster', files), rosters, problems);
  const plan = planSource(versionOf('plan', files), plans, roster, problems);
  if (problems.length > 0 || plan === null) return refused(problems);

  const faults = [...checkRoster(roster)];
  const tables: PatternTables[] = [];
  const compiled = compilePlan(plan, namesOfRoster(roster), options.prompts, (made) => tables.push(made));
  if (compiled.kind === 'refused') faults.push(...compiled.problems);
  if (faults.length > 0) return refused(faults.slice(0, MAX_PROBLEMS).map((fault) => placed(fault, rosters, plans)));
  if (compiled.kind === 'refused') return refused([]);
  const place = (problem: Problem) => placed(problem, rosters, plans);
  return {
    kind: 'ok',
    plan: compiled.plan,
    roster: compileRoster(roster, options.window),
    source: { plan, roster, tables },
    place,
  };
}

function readAll<T>(
  kind: DocumentKind,
  schema: z.ZodType<T>,
  files: readonly DocumentFile[],
  problems: DocumentProblem[],
  trees: Trees,
): Written<T>[] {
  const written: Written<T>[] = [];
  for (const file of files) {
    if (file.kind !== kind) continue;
    if (problems.length >= MAX_PROBLEMS) break;
    const parsed = parseYaml(file, trees);
    if (parsed.kind === 'refused') {
      problems.push(...parsed.problems);
      continue;
    }
    const shape = checkShape(schema, parsed.file);
    if (shape.kind === 'refused') problems.push(...shape.problems);
    else {
      trees.forget(file);
      written.push({ file: parsed.file, content: shape.written });
    }
  }
  return written;
}

/** A fault that the core found, at its place in the file that defines the thing. */
function placed(
  { document, path, on, reason, remedy, suggestion, also }: Problem,
  rosters: readonly Written<RosterFile>[],
  plans: readonly Written<PlanFile>[],
): DocumentProblem {
  const all: readonly Written<object>[] = document === 'roster' ? rosters : plans;
  const { file, at } = placeOf(path, all);
  if (also === undefined) return problemAt(file, at, on, { reason, remedy, suggestion });
  const other = placeOf(also, all);
  const { line, column } = other.file.place(other.at, 'key');
  const where = `${other.file.path}:${line}:${column}`;
  return problemAt(file, at, on, { reason: `${reason} (at ${where})`, remedy, suggestion });
}

function placeOf(dotted: string, all: readonly Written<object>[]) {
  // "routes.0@north": the route that only this site has.
  const [section = '', name = '', ...rest] = dotted.split('.');
  const [id = '', site] = section === 'routes' ? name.split('@') : [name];
  const path = [section, id, ...rest];
  const own = findOwner(all, path, site);
  // The route to an extension is not written out: the extension is.
  const extension = own === null && section === 'routes' ? findOwner(all, ['extensions', id]) : null;
  const file: ParsedFile = (own ?? extension ?? all[0]!).file;
  const at = extension ? ['extensions', id] : own && isInheritedZone(own, path) ? ['zone'] : path;
  return { file, at };
}

/** A service without its own zone has that of its file. */
function isInheritedZone({ content }: Written<object>, [section, id, key]: readonly string[]): boolean {
  if (section !== 'services' || key !== 'zone') return false;
  return (content as RosterFile).services?.[id ?? '']?.zone === undefined;
}

function findOwner(
  all: readonly Written<object>[],
  [section, id]: readonly string[],
  site?: string,
): Written<object> | null {
  const owns = ({ content }: Written<object>) => {
    const entries = (content as Record<string, unknown>)[section ?? ''];
    const isOfSite = section !== 'routes' || (content as PlanFile)['of-site'] === site;
    return isOfSite && typeof entries === 'object' && entries !== null && Object.hasOwn(entries, id ?? '');
  };
  const hasSection = ({ content }: Written<object>) => Object.hasOwn(content, section ?? '');
  return all.find(owns) ?? (section === 'site' ? all.find(hasSection) : undefined) ?? null;
}

const MAX_PROBLEMS = 100;

function refused(problems: readonly DocumentProblem[]): CompileResult {
  return { kind: 'refused', problems: problems.slice(0, MAX_PROBLEMS) };
}
