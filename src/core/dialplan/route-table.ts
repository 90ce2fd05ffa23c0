import type { Problems } from '../oncall/index.ts';
import { eachOf, inOneGo, type Work } from '../steps/index.ts';
import type { MakeSet } from './make-set.ts';
import type { Route } from './model.ts';
import { addPatternFaults } from './pattern-problems.ts';
import { parsePattern, patternFaults, type PatternSet } from './patterns/index.ts';
import { placeOfRoute } from './place-of-route.ts';

/** Routes by what is dialled, for phones of each site and for calls from outside. */
export interface RouteTable {
  /** By "trunk", "inside" for what all phones dial, and "inside north" for those of one site. */
  readonly sides: ReadonlyMap<string, Side>;
  route(dialled: string, from: 'inside' | 'trunk', site?: string): Route | undefined;
}

/** `set` finds the number of a route in `own`. */
export interface Side {
  readonly own: readonly Route[];
  readonly set: PatternSet;
}

const MAX_PATTERNS = 5_000;

/** Routes that may not be told apart, at their places. */
export function checkRouteNumbers(routes: readonly Route[], problems: Problems): void {
  const told = new Set<string>();
  let patterns = 0;
  for (const route of routes) {
    const pattern = parsePattern(route.number);
    const isOne = 'wrong' in pattern ? null : pattern.isExact;
    if (isOne === false && ++patterns > MAX_PATTERNS) {
      problems.add(placeOfRoute(route), `more than ${MAX_PATTERNS} patterns`, 'use wider ones', { on: 'key' });
      return;
    }
    if (isOne !== null && (isOne ? /^(\+[1-9][0-9]{6,14}|[0-9*#]{1,15})$/.test(route.number) : true)) continue;
    const remedy = 'use a service number ("7011"), E.164 ("+12025550100") or a pattern ("2xxx")';
    const why = 'wrong' in pattern ? `: it ${pattern.wrong}` : '';
    problems.add(placeOfRoute(route), `"${route.number}" cannot be dialled${why}`, remedy, { on: 'key' });
    told.add(route.number);
  }
  if (told.size > 0) return;
  for (const [side, own] of inOneGo(layingTables(routes))) checkTable(side, own, told, problems);
}

function checkTable(side: string, routes: readonly Route[], told: Set<string>, problems: Problems): void {
  const byNumber = new Map<string, Route>();
  for (const route of routes) {
    if (byNumber.has(route.number)) {
      const from = side.startsWith('inside') ? 'inside' : side;
      const reason = `${route.number} has two routes from ${from}`;
      problems.add(placeOfRoute(route), reason, 'remove one of them', { on: 'key' });
    }
    byNumber.set(route.number, route);
  }
  const distinct = [...byNumber.values()];
  const placeAt = (i: number): string => placeOfRoute(distinct[i]!);
  // A route from anywhere stands in two tables; its fault is told once.
  const faults = patternFaults(distinct.map(({ number }) => number)).filter((fault) => {
    const key = `${placeAt(fault.pattern)} ${'other' in fault ? placeAt(fault.other) : ''}`;
    return !told.has(key) && told.add(key);
  });
  addPatternFaults(faults, placeAt, (i) => distinct[i]!.number, problems);
}

/** Of routes without a fault. */
export function* layingRoutes(routes: readonly Route[], makeSet: MakeSet): Work<RouteTable> {
  const sides = new Map<string, Side>();
  for (const [side, own] of yield* layingTables(routes)) {
    const numbers: string[] = [];
    yield* eachOf(own, ({ number }) => void numbers.push(number));
    sides.set(side, { own, set: yield* makeSet(numbers) });
  }
  const find = (side: string, dialled: string): Route | undefined => {
    const table = sides.get(side);
    return table?.own[table.set.match(dialled) ?? -1];
  };
  return {
    sides,
    route: (dialled, from, site) =>
      from === 'trunk'
        ? find('trunk', dialled)
        : ((site === undefined ? undefined : find(`inside ${site}`, dialled)) ?? find('inside', dialled)),
  };
}

/** By "trunk", "inside" for what all phones dial, and "inside north" for those of one site. */
function* layingTables(routes: readonly Route[]): Work<ReadonlyMap<string, readonly Route[]>> {
  const found = new Map<string, Route[]>();
  const put = (side: string, route: Route): void => {
    const own = found.get(side);
    if (own) own.push(route);
    else found.set(side, [route]);
  };
  yield* eachOf(routes, (route) => {
    if (route.from !== 'inside') put('trunk', route);
    if (route.from !== 'trunk') put(route.site === undefined ? 'inside' : `inside ${route.site}`, route);
  });
  return found;
}
