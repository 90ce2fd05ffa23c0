import type { Work } from '../steps/index.ts';
import type { MakeSet } from './make-set.ts';

/** One way of writing a number into another: what fits `pattern` loses `strip` characters and gets `add` in front. */
export interface Translation {
  readonly pattern: string;
  readonly strip: number;
  readonly add: string;
}

export type Translator = (number: string) => string;

/** Compiled translations: the narrowest that fits is applied, once; a number that none fits stays as it is. */
export function* translator(rules: readonly Translation[], makeSet: MakeSet): Work<Translator> {
  if (rules.length === 0) return (number) => number;
  const set = yield* makeSet(rules.map(({ pattern }) => pattern));
  return (number) => {
    const rule = rules[set.match(number) ?? -1];
    return rule === undefined ? number : rule.add + number.slice(rule.strip);
  };
}
