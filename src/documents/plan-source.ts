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
  type Verb,
} from '../core/dialplan/index.ts';
import { holiday } from '../core/time/index.ts';
import { never } from '../core/never.ts';
import { didYouMean, type RosterSource, type ServiceId } from '../core/oncall/index.ts';
import { mailboxOf } from './mailbox-source.ts';
import { definedTwice, type Entry, MAX_PLACED, mergeSection, type Written } from './merge.ts';
import type { ParsedFile } from './parse-yaml.ts';
import { type DocumentProblem, problemAt } from './problem.ts';
import { minutesOf, weekdaysIn, weekdaysOf, type WrittenHours } from './schema/hours-words.ts';
import {
  endings,
  listOf,
  type PlanFile,
  verbWords,
  type WrittenPrompt,
  type WrittenPrompts,
  type WrittenRoute,
  type WrittenTranslations,
  type WrittenVerb,
} from './schema/plan-file.ts';
import { durationMs } from './schema/words.ts';

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

/** Looked up by names that authors choose: without this "constructor" would be found in every plan. */
function named<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, Object.fromEntries(entries));
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

/** Trunks in the order in which they are tried. */
function inOrder(written: string | string[]): Pick<Site, 'trunk' | 'failover'> {
  const [trunk = '', ...failover] = listOf(written);
  return { trunk, ...(failover.length === 0 ? {} : { failover }) };
}

function wordsFor(roster: RosterSource, house: { trunksOf(site: string | undefined): string | string[] }) {
  const names = new Map<string, string>(roster.services.map(({ id, name }) => [id, name]));

  function prompt(written: WrittenPrompt): Prompt {
    if (typeof written === 'string') return { say: 'id', id: written };
    if ('digits' in written) return { say: 'digits', digits: written.digits };
    if ('spell' in written) return { say: 'letters', letters: written.spell };
    const { service } = written;
    return { say: 'name', of: 'service', id: service, text: names.get(service) ?? service };
  }

  const prompts = (written: WrittenPrompts | undefined): Prompt[] =>
    written === undefined ? [] : listOf(written).map(prompt);

  /** The schema has seen to it that there is exactly one word. `at` names a menu by its place; `site`: of the file. */
  function verb(written: WrittenVerb, at: string, site: string | undefined): Verb {
    const word = verbWords.find((one) => written[one] !== undefined)!;
    const way = (next: WrittenVerb, name: string) => verb(next, `${at}.${name}`, site);
    const otherwise = (next: WrittenVerb | undefined) => (next ? way(next, 'otherwise') : null);
    const cases = (all: Record<string, WrittenVerb>, section: string) =>
      named(Object.entries(all).map(([name, next]) => [name, way(next, `${section}.${name}`)]));
    const place = at.replace(/^(flows|routes)\./, '');
    switch (word) {
      case 'ring': {
        const { extension, for: time, otherwise: next } = written.ring!;
        return { verb: 'ring', extension, forMs: durationMs(time), otherwise: otherwise(next) };
      }
      case 'ring-group': {
        const { group, otherwise: next } = written['ring-group']!;
        return { verb: 'ringGroup', group, otherwise: otherwise(next) };
      }
      case 'operator': {
        const { site: own = site, for: time, otherwise: next } = written.operator!;
        const operator = { verb: 'operator', forMs: durationMs(time), otherwise: otherwise(next) } as const;
        return own === undefined ? operator : { ...operator, site: own };
      }
      case 'forward': {
        const { to, by = house.trunksOf(site), for: time, otherwise: next } = written.forward!;
        return { verb: 'forward', to, ...inOrder(by), forMs: durationMs(time), otherwise: otherwise(next) };
      }
      case 'transfer':
        return { verb: 'transfer', number: written.transfer! };
      case 'queue': {
        const { queue, otherwise: next } = written.queue!;
        return { verb: 'queue', queue, otherwise: way(next, 'otherwise') };
      }
      case 'escalate': {
        const { service, urgency } = written.escalate!;
        return { verb: 'escalate', service: service as ServiceId, urgency };
      }
      case 'ask-urgency': {
        const { service, say, keys, wait, 'no-key': noKey } = written['ask-urgency']!;
        const id = service as ServiceId;
        return { verb: 'askUrgency', service: id, prompts: prompts(say), keys, noKeyMs: durationMs(wait), noKey };
      }
      case 'set-urgency': {
        const { to, then } = written['set-urgency']!;
        return { verb: 'setUrgency', urgency: to, then: way(then, 'then') };
      }
      case 'menu': {
        const menu = written.menu!;
        return {
          verb: 'menu',
          id: place,
          greeting: prompts(menu.greeting),
          prompts: prompts(menu.say),
          keys: cases(menu.keys, 'keys'),
          noKeyMs: durationMs(menu.wait),
          tries: Number(menu.tries),
          wrongKey: prompts(menu['wrong-key']),
          noKey: prompts(menu['no-key']),
          otherwise: way(menu.otherwise, 'otherwise'),
        };
      }
      case 'gather': {
        const { say, most, wait, tries, wrong, digits, otherwise: next } = written.gather!;
        return {
          verb: 'gather',
          id: place,
          prompts: prompts(say),
          maxDigits: Number(most),
          noKeyMs: durationMs(wait),
          tries: Number(tries),
          wrong: prompts(wrong),
          digits: cases(digits, 'digits'),
          otherwise: way(next, 'otherwise'),
        };
      }
      case 'play': {
        const { prompt: played, times = '1', then } = written.play!;
        return { verb: 'play', prompts: prompts(played), times: Number(times), then: way(then, 'then') };
      }
      case 'say': {
        const { what, then } = written.say!;
        return { verb: 'say', prompts: prompts(what), then: way(then, 'then') };
      }
      case 'hours': {
        const { during, open, closed } = written.hours!;
        return { verb: 'hours', hours: during, open: way(open, 'open'), closed: way(closed, 'closed') };
      }
      case 'choose': {
        const { by, cases: all, otherwise: next } = written.choose!;
        return { verb: 'choose', by, cases: cases(all, 'cases'), otherwise: way(next, 'otherwise') };
      }
      case 'lookup': {
        const { hook, answers, otherwise: next } = written.lookup!;
        return { verb: 'lookup', hook, answers: cases(answers, 'answers'), otherwise: way(next, 'otherwise') };
      }
      case 'voicemail': {
        const { mailbox, urgent = false, greeting } = written.voicemail!;
        return { verb: 'voicemail', mailbox, urgent, greeting: prompts(greeting) };
      }
      case 'mailbox':
        return { verb: 'mailbox', whose: written.mailbox! };
      case 'run':
        return { verb: 'run', flow: written.run! };
      case 'hang-up': {
        const { cause, say } = written['hang-up']!;
        return { verb: 'hangUp', cause: endings[cause], prompts: prompts(say) };
      }
      case 'refuse': {
        const { cause, say } = written.refuse!;
        return { verb: 'refuse', cause: refusals[cause], prompts: prompts(say) };
      }
      default:
        return never(word);
    }
  }

  return { verb, prompts };
}

const refusals = { 'number-not-in-service': 'numberNotInService', 'not-allowed': 'notAllowed' } as const;
