import type { Prompt, Site, Verb } from '../core/dialplan/index.ts';
import { never } from '../core/never.ts';
import type { RosterSource, ServiceId } from '../core/oncall/index.ts';
import { listOf } from './schema/plan-file.ts';
import { endings, verbWords, type WrittenPrompt, type WrittenPrompts, type WrittenVerb } from './schema/verb-words.ts';
import { durationMs } from './schema/words.ts';

/** Trunks in the order in which they are tried. */
export function inOrder(written: string | string[]): Pick<Site, 'trunk' | 'failover'> {
  const [trunk = '', ...failover] = listOf(written);
  return { trunk, ...(failover.length === 0 ? {} : { failover }) };
}

/** Prompts and verbs as they are written, in the words of the core. */
export function wordsFor(roster: RosterSource, house: { trunksOf(site: string | undefined): string | string[] }) {
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

/** Looked up by names that authors choose: without this "constructor" would be found in every plan. */
export function named<T>(entries: readonly (readonly [string, T])[]): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, Object.fromEntries(entries));
}
