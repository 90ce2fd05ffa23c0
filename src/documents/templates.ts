import { didYouMean } from '../core/oncall/index.ts';
import { checkShape } from './check-shape.ts';
import { type Entry, mergeSection, type Written } from './merge.ts';
import type { ParsedFile } from './parse-yaml.ts';
import { type DocumentProblem, problemAt } from './problem.ts';
import { planFile, type PlanFile } from './schema/plan-file.ts';

type Template = NonNullable<PlanFile['templates']>[string];
type Use = NonNullable<PlanFile['uses']>[string];

/** Of everything that templates make, in all files together. */
const MAX_NODES = 100_000;
const PLACEHOLDER = /<([a-z][a-z0-9-]{0,63})>/g;

/**
 * What the templates of a plan make, as further files: one for each use. A fault in one is told at its place in the
 * template, and names the use.
 */
export function filesFromTemplates(
  files: readonly Written<PlanFile>[],
  problems: DocumentProblem[],
): readonly Written<PlanFile>[] {
  const section = <T>(name: 'templates' | 'uses') =>
    mergeSection<T>(
      name,
      files.map(({ file, content }) => ({ file, entries: content[name] as Record<string, T> | undefined })),
      problems,
    );
  const templates = section<Template>('templates');
  const budget = { nodes: MAX_NODES };
  const made: Written<PlanFile>[] = [];
  for (const use of section<Use>('uses').values()) {
    const template = templates.get(use.written.template);
    if (template === undefined) {
      const name = use.written.template;
      const known = [...templates.keys()];
      const remedy = known.length > 0 ? `use one of: ${known.join(', ')}` : 'define it below templates: first';
      const fault = { reason: `unknown template "${name}"`, remedy, suggestion: didYouMean(name, known) };
      problems.push(problemAt(use.file, ['uses', use.id, 'template'], 'value', fault));
      continue;
    }
    const faults = valueFaults(use, template);
    const file = faults.length > 0 ? null : fill(template, use, budget, faults);
    problems.push(...faults);
    if (file === null) continue;
    const shape = checkShape(planFile, file);
    if (shape.kind === 'refused') problems.push(...shape.problems);
    else if (shape.written.templates ?? shape.written.uses) problems.push(problemAt(file, [], 'key', NOT_MADE));
    else made.push({ file, content: { ...shape.written, ...ofSite(files, use.file) } });
    if (problems.length > MAX_PROBLEMS) break;
  }
  return made;
}

const NOT_MADE = {
  reason: 'a template cannot make templates',
  remedy: 'write templates and uses at the top of a file',
  suggestion: null,
};
const MAX_PROBLEMS = 50;

/** What a use makes belongs to the site of the file it stands in. */
function ofSite(files: readonly Written<PlanFile>[], own: ParsedFile): Pick<PlanFile, 'of-site'> {
  const site = files.find(({ file }) => file === own)?.content['of-site'];
  return site === undefined ? {} : { 'of-site': site };
}

/** Whether a use gives exactly the values that the template needs. */
function valueFaults({ id, file, written }: Entry<Use>, template: Entry<Template>): DocumentProblem[] {
  const { needs } = template.written;
  const given = Object.keys(written.with);
  const at = ['uses', id, 'with'];
  const missing = needs.filter((name) => !given.includes(name));
  const extra = given.filter((name) => !needs.includes(name));
  return [
    ...missing.map((name) => {
      const reason = `"${name}" is missing, which the template ${template.id} needs`;
      return problemAt(file, at, 'key', { reason, remedy: `add ${name}: …`, suggestion: null });
    }),
    ...extra.map((name) => {
      const reason = `the template ${template.id} does not need "${name}"`;
      const remedy = `it needs: ${needs.join(', ')}`;
      return problemAt(file, [...at, name], 'key', { reason, remedy, suggestion: didYouMean(name, needs) });
    }),
  ];
}

/** The body of the template with the values of the use, as a file of its own; null when that cannot be. */
function fill(
  template: Entry<Template>,
  use: Entry<Use>,
  budget: { nodes: number },
  faults: DocumentProblem[],
): ParsedFile | null {
  const values = new Map(Object.entries(use.written.with));
  const keys = new Map<string, string>();
  const body = ['templates', template.id, 'makes'];
  const fault = (path: readonly string[], reason: string, remedy: string): void => {
    if (faults.length >= MAX_PROBLEMS) return;
    faults.push(problemAt(template.file, [...body, ...path], 'key', { reason, remedy, suggestion: null }));
  };
  const text = (written: string, path: readonly string[]): string =>
    written.replaceAll(PLACEHOLDER, (whole, name: string) => {
      const value = values.get(name);
      if (value === undefined) fault(path, `nothing is given for ${whole}`, `add ${name} to needs of ${template.id}`);
      return value ?? whole;
    });
  const filled = (value: unknown, path: readonly string[]): unknown => {
    if (--budget.nodes < 0) return null;
    if (typeof value === 'string') return text(value, path);
    if (Array.isArray(value)) return value.map((item, i) => filled(item, [...path, String(i)]));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
      const name = text(key, [...path, key]);
      keys.set(name, key);
      return [name, filled(item, [...path, key])];
    });
    const made = new Map<string, unknown>();
    for (const [name, item] of entries) {
      if (made.has(name)) fault(path, `the values of ${use.id} make "${name}" twice`, 'give them different values');
      made.set(name, item);
    }
    return Object.fromEntries(made);
  };
  const value = filled(template.written.makes, []);
  if (budget.nodes < 0) fault([], 'the templates make too much', `let them make at most ${MAX_NODES} values`);
  if (faults.length > 0) return null;
  return {
    ...template.file,
    value,
    madeFor: `${use.id}, made by the template ${template.id}`,
    place: (path, on) => template.file.place([...body, ...path.map((part) => keys.get(part) ?? part)], on),
  };
}
