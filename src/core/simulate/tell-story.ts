import type { CompiledPlan } from '../dialplan/index.ts';
import { never } from '../never.ts';
import type { CompiledRoster, Urgency } from '../oncall/index.ts';
import type { Story, StoryEnd, Supposed } from './model.ts';
import { firstScene, press, type Scene, type Setting } from './supposed-world.ts';

/** '' for nothing; a key after so long that its time is up counts in the last moment. */
export interface KeyPress {
  readonly key: string;
  readonly afterMs: number;
}

/** What the caller does when asked: the keys in their order, then silence. `urgency` is the answer to that question. */
export interface CallerPresses {
  readonly keys: readonly KeyPress[];
  readonly urgency: Urgency | null;
}

/**
 * One supposed call as the audit would tell it, to where it comes to rest: somebody talks, a message is recorded, or it
 * is over. The call machine itself decides; nobody is called.
 */
export function tellStory(
  plan: CompiledPlan,
  roster: CompiledRoster,
  supposed: Supposed,
  { keys, urgency }: CallerPresses,
): Story {
  const setting: Setting = { plan, roster, supposed };
  const waiting = [...keys];
  let scene = firstScene(setting);
  // Ends: a menu counts its tries, and a call its verbs.
  while (scene.still?.kind === 'asked') {
    const { key, afterMs } = keyFor(scene, urgency) ?? waiting.shift() ?? silence;
    scene = press(setting, scene, key, afterMs);
  }
  return { facts: scene.facts, end: endOf(scene, setting) };
}

const silence: KeyPress = { key: '', afterMs: 0 };

function keyFor({ call }: Scene, urgency: Urgency | null): KeyPress | null {
  if (urgency === null || call.name !== 'live' || call.doing.name !== 'askingUrgency') return null;
  const found = Object.entries(call.doing.verb.keys).find(([, meaning]) => meaning === urgency);
  // A question that does not offer it: no key is an answer too.
  return found ? { key: found[0], afterMs: 0 } : silence;
}

function endOf({ still, at, facts }: Scene, { supposed }: Setting): StoryEnd {
  const afterMs = at - supposed.at;
  switch (still?.kind) {
    case 'talks': {
      const rung = facts.map(({ fact }) => fact).find((fact) => fact.fact === 'legRung' && fact.leg === still.leg);
      if (rung?.fact !== 'legRung') throw new RangeError('a leg talks that was never rung');
      const { person, target } = rung;
      return { kind: 'human', afterMs, person, phone: phoneOf(target) };
    }
    case 'records':
      return { kind: 'message', afterMs, mailbox: still.mailbox, urgent: still.urgent };
    case 'over':
      return { kind: 'over', afterMs, cause: still.cause };
    case 'asked':
    case undefined:
      throw new RangeError('the call is neither talking nor recorded nor over');
    default:
      return never(still);
  }
}

function phoneOf(target: Extract<Story['facts'][number]['fact'], { fact: 'legRung' }>['target']): string {
  if (target.kind === 'extension') return target.extension;
  // It may be a patient's, and a story is printed.
  return target.kind === 'number' ? target.e164 : 'the number dialled';
}
