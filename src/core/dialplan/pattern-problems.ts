import type { Problems } from '../oncall/index.ts';
import type { PatternFault } from './patterns/index.ts';

/** Tells faults of patterns at their places in the document, with the place of the other pattern where two are at odds. */
export function addPatternFaults(
  faults: readonly PatternFault[],
  placeOf: (index: number) => string,
  textOf: (index: number) => string,
  problems: Problems,
): void {
  for (const fault of faults) {
    const text = textOf(fault.pattern);
    const at = placeOf(fault.pattern);
    if (fault.kind === 'wrong') {
      problems.add(at, `"${text}" ${fault.why}`, PATTERN_FORM, { on: 'key' });
    } else if (fault.kind === 'tangled') {
      problems.add(at, 'too many patterns fit the same numbers', 'use fewer wildcards', { on: 'key' });
    } else {
      const other = textOf(fault.other);
      const more = { on: 'key', also: placeOf(fault.other) } as const;
      if (fault.kind === 'same') {
        problems.add(at, `${text} fits the same numbers as ${other}`, 'remove one of them', more);
      } else if (fault.kind === 'shadowed') {
        const remedy = `remove it, or make it wider than ${other}`;
        problems.add(
          at,
          `${text} is never used: all its numbers are taken by narrower ones such as ${other}`,
          remedy,
          more,
        );
      } else {
        const reason = `${fault.example} fits both ${text} and ${other}, and neither is the narrower one`;
        problems.add(at, reason, `say what ${fault.example} does, or narrow one of the patterns`, more);
      }
    }
  }
}

const PATTERN_FORM = 'write a number, or a pattern such as 2xxx, 21[0-4]x, 2100-2199 or 9!';
