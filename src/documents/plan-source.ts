import {
  type CallerList,
  type Extension,
  type Facility,
  type Hook,
  type Mailbox,
  type OpeningHours,
  type PlanSource,
  type Prompt,
  type Queue,
  type RingGroup,
  type Route,
  type Site,
  type Translation,
  type TrunkNumbers,
  type Unit,
} from '../core/dialplan/index.ts';
import { holiday } from '../core/time/index.ts';
import { didYouMean, type RosterSource } from '../core/oncall/index.ts';
import { mailboxOf } from './mailbox-source.ts';
import { definedTwice, type Entry, MAX_PLACED, mergeSection, type Written } from './merge.ts';
import type { ParsedFile } from './parse-yaml.ts';
import { type DocumentProblem, problemAt } from './problem.ts';
import { minutesOf, weekdaysIn, weekdaysOf, type WrittenHours } from './schema/hours-words.ts';
import { listOf, type PlanFile, type WrittenRoute, type WrittenTranslations } from './schema/plan-file.ts';
import { durationMs } from './schema/words.ts';
import { inOrder, named, wordsFor } from './verb-source.ts';

type Sections = Required<Omit<PlanFile, 'site' | 'of-site' | 'templates' | 'uses'>>;
type Files = readonly Written<PlanFile>[];

/** Joins the files of `dialplans/` into one plan, in the words of the core; null when there is no `site`. */
export function planSource(
  version: string,
  files: Files,
  roster: RosterSource,
  problems: DocumentProblem[],
): PlanSource | null {
  const section = <K extends keyof Sections>(name: K, of: Files = files) =>
    mergeSection<Sections[K][string]>(
      name,
      of.map(({ file, content }) => ({ file, entries: content[name] as Record<string, never> | undefined })),
      problems,
    );
  const all = <K extends keyof Sections, T>(name: K, make: (entry: Entry<Sections[K][string]>) => T): T[] =>
    [...section(name).values()].map(make);
  const written = siteOf(files, problems);
  if (written === null) return null;
  const sites = section('sites');
  const owner = ownersOf(files, sites, problems);
  const words = wordsFor(roster, { trunksOf: (site) => sites.get(site ?? '')?.written.trunk ?? written.trunk });
  const extensions = section('extensions');
  const ringFor = durationMs(written['ring-for']);
  const routes = [...new Set(files.map(({ content }) => content['of-site']))].flatMap((site) =>
    routesOf(
      site,
      section(
        'routes',
        files.filter(({ content }) => content['of-site'] === site),
      ),
      extensions,
      problems,
    ),
  );
  return {
    version,
    site: written.name,
    zone: written.zone,
    country: written.country,
    operator: written.operator,
    ...inOrder(written.trunk),
    mainNumber: written['main-number'],
    dialling: translationsOf(written.dialling),
    sites: [...sites.values()].map(({ id, written: { 'main-number': mainNumber, dialling, trunk, ...site } }): Site => {
      return { ...site, ...inOrder(trunk), id, mainNumber, dialling: translationsOf(dialling) };
    }),
    trunks: all('trunks', ({ id, written: { incoming, outgoing } }): TrunkNumbers => {
      return { trunk: id, incoming: translationsOf(incoming), outgoing: translationsOf(outgoing) };
    }),
    facilities: all('facilities', ({ id, written }): Facility => ({ id, ...written })),
    units: all('units', ({ id, written }): Unit => ({ id, ...written })),
    callers: all('callers', ({ id, written: numbers }): CallerList => ({ id, numbers })),
    extensions: [...extensions.values()].map(
      ({ id, file, written: { name, kind, 'name-prompt': prompt = '', unit } }) => {
        const site = owner(file);
        const extension: Extension = { number: id, name, kind, nameId: prompt.replace(/^name-/, '') };
        return { ...extension, ...(unit === undefined ? {} : { unit }), ...(site === undefined ? {} : { site }) };
      },
    ),
    groups: all('groups', ({ id, written: { name, members, order, for: time } }): RingGroup => {
      return { id, name, members, order: order === 'round-robin' ? 'roundRobin' : order, forMs: durationMs(time) };
    }),
    queues: all('queues', ({ id, written }): Queue => queueOf(id, written, words.prompts(written.greeting))),
    hooks: all(
      'hooks',
      ({ id, written: { url, wait, send = [] } }): Hook => ({ id, url, waitMs: durationMs(wait), send }),
    ),
    mailboxes: all('mailboxes', ({ id, written }): Mailbox => mailboxOf(id, written)),
    routes: [
      ...[...extensions.keys()].map((number) => routeToExtension(number, ringFor)),
      ...routes.map(({ id, site, written: { from, ...verb } }): Route => {
        const to = words.verb(verb, `routes.${id}`, site);
        return site === undefined ? { number: id, from, to } : { number: id, from, site, to };
      }),
    ],
    flows: named(
      [...section('flows').values()].map(({ id, file, written: verb }) => [
        id,
        words.verb(verb, `flows.${id}`, owner(file)),
      ]),
    ),
    hours: all('hours', ({ id, file, written: hours }): OpeningHours => {
      const zone = hours.zone ?? sites.get(owner(file) ?? '')?.written.zone;
      return { id, weekly: weeklyOf(hours), except: exceptionsOf(hours), ...(zone === undefined ? {} : { zone }) };
    }),
  };
}

/** The site that a file is about; a name that no site bears is told at its place. */
function ownersOf(
  files: Files,
  sites: ReadonlyMap<string, unknown>,
  problems: DocumentProblem[],
): (file: ParsedFile) => string | undefined {
  const owners = new Map<ParsedFile, string>();
  for (const { file, content } of files) {
    const site = content['of-site'];
    if (site === undefined) continue;
    owners.set(file, site);
    if (sites.has(site)) continue;
    const remedy = sites.size === 0 ? 'define it below sites: first' : `use one of: ${[...sites.keys()].join(', ')}`;
    const fault = { reason: `unknown site "${site}"`, remedy, suggestion: didYouMean(site, sites.keys()) };
    problems.push(problemAt(file, ['of-site'], 'value', fault));
  }
  return (file) => owners.get(file);
}

/** Numbers of one site, or of all. An extension is dialled everywhere, so no other route may have its number. */
function routesOf(
  site: string | undefined,
  routes: ReadonlyMap<string, Entry<WrittenRoute>>,
  extensions: ReadonlyMap<string, Entry<unknown>>,
  problems: DocumentProblem[],
): readonly (Entry<WrittenRoute> & { readonly site: string | undefined })[] {
  for (const { id, file } of routes.values()) {
    const own = problems.length < MAX_PLACED ? extensions.get(id) : undefined;
    if (own) problems.push(definedTwice(file, own.file, ['routes', id], `extension ${id}`, ['extensions', id]));
  }
  return [...routes.values()].map((route) => ({ ...route, site }));
}

function queueOf(id: string, written: Sections['queues'][string], greeting: readonly Prompt[]): Queue {
  const { name, members, strategy } = written;
  return {
    id,
    name,
    members,
    strategy: ({ all: 'all', 'longest-idle': 'longestIdle', 'round-robin': 'roundRobin' } as const)[strategy],
    ringMs: durationMs(written['ring-for']),
    maxWaitMs: durationMs(written['most-wait']),
    maxCallers: Number(written['most-callers']),
    greeting,
  };
}

function translationsOf(written: WrittenTranslations = {}): Translation[] {
  return Object.entries(written).map(([pattern, { strip = '0', add = '' }]) => ({
    pattern,
    strip: Number(strip),
    add,
  }));
}

function siteOf(files: Files, problems: DocumentProblem[]): NonNullable<PlanFile['site']> | null {
  const [first, ...others] = files.filter(({ content }) => content.site !== undefined);
  for (const { file } of others) problems.push(definedTwice(file, first!.file, ['site'], 'the site'));
  if (first?.content.site) return first.content.site;
  const remedy = 'add site: with name, zone, country, operator, trunk, main-number and ring-for';
  problems.push({
    file: files[0]!.file.path,
    line: 1,
    column: 1,
    reason: 'no file has a site',
    remedy,
    suggestion: null,
  });
  return null;
}

/** Whoever dials an extension rings it; busy and no answer are told by plain SIP endings. */
function routeToExtension(extension: string, forMs: number): Route {
  return { number: extension, from: 'inside', to: { verb: 'ring', extension, forMs, otherwise: null } };
}

function weeklyOf(hours: WrittenHours): OpeningHours['weekly'] {
  return Object.entries(weekdaysIn(hours)).flatMap(([names, spans]) =>
    (weekdaysOf(names) ?? []).flatMap((weekday) => spansOf(spans).map((span) => ({ weekday, ...span }))),
  );
}

function exceptionsOf({ except = {} }: WrittenHours): NonNullable<OpeningHours['except']> {
  return Object.entries(except).flatMap(([day, { name, open }]) => {
    const on = holiday(day);
    return on === null ? [] : [{ on, name, spans: spansOf(open ?? []) }];
  });
}

function spansOf(written: string | string[]) {
  return listOf(written).flatMap((span) => minutesOf(span) ?? []);
}
