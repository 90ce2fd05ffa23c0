import { type CompiledPlan, examplesKeyed } from '../dialplan/index.ts';
import type { CompiledRoster } from '../oncall/index.ts';
import { happeningsOf } from './happenings.ts';
import type { SimulatedNext, Simulation, Supposed } from './model.ts';
import { firstScene, press, type Scene, type Setting } from './supposed-world.ts';

/**
 * What would happen to a supposed call if nobody took it, told to its end with every key the caller could press.
 * The call machine itself decides; nobody is called.
 */
export function simulate(plan: CompiledPlan, roster: CompiledRoster, supposed: Supposed): Simulation {
  const setting = { plan, roster, supposed };
  return from(setting, firstScene(setting), 0, new Set());
}

/** `told`: facts of the scene that were told before. `menus`: places of the menus that were. */
function from(setting: Setting, at: Scene, told: number, menus: Set<string>): Simulation {
  let scene = at;
  // Without a PIN nobody gets any further than the questions for it.
  while (scene.call.name === 'live' && scene.call.doing.name === 'retrieving') scene = press(setting, scene, '');
  const happens = happeningsOf(setting, scene.facts.slice(told));
  return { happens, next: next(setting, scene, menus) };
}

function next(setting: Setting, scene: Scene, menus: Set<string>): SimulatedNext {
  const { still } = scene;
  const afterMs = scene.at - setting.supposed.at;
  const menu = menuOf(setting, scene);
  if (menu !== null) {
    const { name, place, keys, noKeyMs } = menu;
    if (menus.has(place)) return { kind: 'toldAbove', menu: name };
    menus.add(place);
    const told = scene.facts.length;
    const choices = keys.map((key) => ({ key, leadsTo: from(setting, press(setting, scene, key), told, menus) }));
    return { kind: 'asks', menu: name, noKeyMs, choices, noKey: from(setting, silence(setting, scene), told, menus) };
  }
  if (still?.kind === 'records') {
    return { kind: 'takesMessage', afterMs, mailbox: still.mailbox, urgent: still.urgent };
  }
  if (still?.kind === 'over') {
    const isAnswered = scene.facts.some(({ fact }) => fact.fact === 'callerAnswered');
    return { kind: 'ends', afterMs, cause: still.cause, isAnswered };
  }
  throw new RangeError('the call is neither asked nor recorded nor over');
}

/** The caller presses nothing until the menu gives up. */
function silence(setting: Setting, scene: Scene): Scene {
  const place = menuOf(setting, scene)?.place;
  let after = press(setting, scene, '');
  for (;;) {
    const again = menuOf(setting, after);
    if (again === null || again.place !== place || again.attempt === 1) return after;
    after = press(setting, after, '');
  }
}

interface MenuHere {
  readonly name: string;
  readonly place: string;
  readonly attempt: number;
  readonly keys: readonly string[];
  readonly noKeyMs: number;
}

function menuOf({ plan }: Setting, { call, still }: Scene): MenuHere | null {
  if (still?.kind !== 'asked' || call.name !== 'live') return null;
  const { doing, line } = call;
  if (doing.name === 'gathering') {
    const { verb, path, attempt } = doing;
    const keys = examplesKeyed(plan, verb, line.site).map(({ digits }) => digits);
    return { name: verb.id, place: path, attempt, keys, noKeyMs: verb.noKeyMs };
  }
  if (doing.name !== 'menu' && doing.name !== 'askingUrgency') return null;
  const { verb, path, attempt } = doing;
  const name = verb.verb === 'menu' ? verb.id : 'urgency';
  return { name, place: path, attempt, keys: Object.keys(verb.keys), noKeyMs: verb.noKeyMs };
}
