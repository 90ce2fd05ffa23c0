import type { Extension, Mailbox, OpeningHours, PlanSource, Prompt, Route, Verb } from '../core/dialplan/index.ts';
import { never } from '../core/never.ts';
import type { RosterSource, ServiceId } from '../core/oncall/index.ts';
import { definedTwice, mergeSection, type Written } from './merge.ts';
import type { DocumentProblem } from './problem.ts';
import {
  listOf,
  minutesOf,
  type PlanFile,
  verbWords,
  weekdaysOf,
  type WrittenPrompt,
  type WrittenPrompts,
  type WrittenVerb,
} from './schema/plan-file.ts';
import { durationMs } from './schema/words.ts';

type Sections = Required<Omit<PlanFile, 'site'>>;

/** Joins the files of `dialplans/` into one plan, in the words of the core; null when there is no `site`. */
export function planSource(
  version: string,
  files: readonly Written<PlanFile>[],
  roster: RosterSource,
  problems: DocumentProblem[],
): PlanSource | null {
  const section = <K extends keyof Sections>(name: K) =>
    mergeSection<Sections[K][string]>(
      name,
      files.map(({ file, content }) => ({ file, entries: content[name] as Record<string, never> | undefined })),
      problems,
    );
  const written = siteOf(files, problems);
  if (written === null) return null;
  const words = wordsFor(roster);
  const extensions = section('extensions');
  const routes = section('routes');
  for (const { id, file } of routes.values()) {
    const own = extensions.get(id);
    if (own) problems.push(definedTwice(file, own.file, ['routes', id], `extension ${id}`, ['extensions', id]));
  }
  const ringFor = durationMs(written['ring-for']);
  return {
    version,
    site: written.name,
    zone: written.zone,
    country: written.country,
    operator: written.operator,
    trunk: written.trunk,
    mainNumber: written['main-number'],
    extensions: [...extensions.values()].map(
      ({ id, written: { name, kind, 'name-prompt': prompt = '' } }): Extension => {
        return { number: id, name, kind, nameId: prompt.replace(/^name-/, '') };
      },
    ),
    mailboxes: [...section('mailboxes').values()].map(({ id, written }): Mailbox => {
      const { name, 'claimed-by': claimedBy } = written;
      return { id, name, ...(claimedBy === undefined ? {} : { claimedBy }) };
    }),
    routes: [
      ...[...extensions.keys()].map((number) => routeToExtension(number, ringFor)),
      ...[...routes.values()].map(({ id, written: { from, ...verb } }): Route => {
        return { number: id, from, to: words.verb(verb, `routes.${id}`) };
      }),
    ],
    flows: named([...section('flows').values()].map(({ id, written: verb }) => [id, words.verb(verb, `flows.${id}`)])),
    hours: [...section('hours').values()].map(
      ({ id, written: days }): OpeningHours => ({ id, weekly: weeklyOf(days) }),
    ),
  };
}

function siteOf(
  files: readonly Written<PlanFile>[],
  problems: DocumentProblem[],
): NonNullable<PlanFile['site']> | null {
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

function weeklyOf(days: Sections['hours'][string]): OpeningHours['weekly'] {
  return Object.entries(days).flatMap(([names, spans]) =>
    (weekdaysOf(names) ?? []).flatMap((weekday) =>
      listOf(spans).flatMap((span) => {
        const minutes = minutesOf(span);
        return minutes ? [{ weekday, ...minutes }] : [];
      }),
    ),
  );
}

function wordsFor(roster: RosterSource) {
  const names = new Map<string, string>(roster.services.map(({ id, name }) => [id, name]));

  function prompt(written: WrittenPrompt): Prompt {
    if (typeof written === 'string') return { say: 'id', id: written };
    if ('digits' in written) return { say: 'digits', digits: written.digits };
    const { service } = written;
    return { say: 'name', of: 'service', id: service, text: names.get(service) ?? service };
  }

  const prompts = (written: WrittenPrompts | undefined): Prompt[] =>
    written === undefined ? [] : listOf(written).map(prompt);

  /** The schema has seen to it that there is exactly one word. `at` names a menu by its place. */
  function verb(written: WrittenVerb, at: string): Verb {
    const word = verbWords.find((one) => written[one] !== undefined)!;
    const otherwise = (next: WrittenVerb | undefined) => (next ? verb(next, `${at}.otherwise`) : null);
    switch (word) {
      case 'ring': {
        const { extension, for: time, otherwise: next } = written.ring!;
        return { verb: 'ring', extension, forMs: durationMs(time), otherwise: otherwise(next) };
      }
      case 'operator': {
        const { for: time, otherwise: next } = written.operator!;
        return { verb: 'operator', forMs: durationMs(time), otherwise: otherwise(next) };
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
      case 'menu': {
        const menu = written.menu!;
        const keys = Object.entries(menu.keys).map(([key, next]) => [key, verb(next, `${at}.keys.${key}`)]);
        return {
          verb: 'menu',
          id: at.replace(/^(flows|routes)\./, ''),
          greeting: prompts(menu.greeting),
          prompts: prompts(menu.say),
          keys: Object.fromEntries(keys) as Record<string, Verb>,
          noKeyMs: durationMs(menu.wait),
          tries: Number(menu.tries),
          wrongKey: prompts(menu['wrong-key']),
          noKey: prompts(menu['no-key']),
          otherwise: verb(menu.otherwise, `${at}.otherwise`),
        };
      }
      case 'hours': {
        const { during, open, closed } = written.hours!;
        return { verb: 'hours', hours: during, open: verb(open, `${at}.open`), closed: verb(closed, `${at}.closed`) };
      }
      case 'voicemail': {
        const { mailbox, urgent = false, greeting } = written.voicemail!;
        return { verb: 'voicemail', mailbox, urgent, greeting: prompts(greeting) };
      }
      case 'run':
        return { verb: 'run', flow: written.run! };
      case 'refuse': {
        const { cause, say } = written.refuse!;
        return { verb: 'refuse', cause: refusals[cause], prompts: prompts(say) };
      }
      default:
        return never(word);
    }
  }

  return { verb };
}

const refusals = { 'number-not-in-service': 'numberNotInService', 'not-allowed': 'notAllowed' } as const;
