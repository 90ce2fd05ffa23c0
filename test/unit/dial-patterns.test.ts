import { fc } from '../support/fast-check.ts';
import t from 'tap';
import {
  exampleOf,
  NumberTable,
  sizeOf,
  parsePattern,
  type PatternFault,
  patternFaults,
  patternSet,
} from '../../src/core/dialplan/patterns/index.ts';

const match = (patterns: readonly string[], number: string) => patterns[patternSet(patterns).match(number) ?? -1];

void t.test('which numbers fit a pattern', async (t) => {
  const cases: readonly [pattern: string, fits: readonly string[], not: readonly string[]][] = [
    ['2101', ['2101'], ['210', '21011', '2100']],
    ['2xxx', ['2000', '2999'], ['1000', '200', '20000', '2*00']],
    ['zx', ['10', '99'], ['00', '09']],
    ['nxx', ['200', '999'], ['199', '099']],
    ['2[0-3]xx', ['2000', '2399'], ['2400']],
    ['[135]0', ['10', '30', '50'], ['20', '40']],
    ['[1-37]0', ['10', '20', '30', '70'], ['40']],
    ['2150-2349', ['2150', '2199', '2200', '2300', '2349'], ['2149', '2350', '2050', '215', '21500']],
    ['0-9', ['0', '9'], ['10', '*']],
    ['7-7', ['7'], ['6', '8']],
    ['098-103', ['098', '099', '100', '103'], ['097', '104']],
    ['9!', ['91', '9011441234567', '9*', '9#'], ['9', '8', '']],
    ['+1202xxxxxxx', ['+12025550100'], ['12025550100', '+12035550100']],
    ['+44!', ['+441'], ['+44', '+431']],
    ['*8xx', ['*812'], ['812', '#812']],
  ];
  for (const [pattern, fits, not] of cases) {
    for (const number of fits) t.equal(match([pattern], number), pattern, `${number} fits ${pattern}`);
    for (const number of not) t.equal(match([pattern], number), undefined, `${number} does not fit ${pattern}`);
    t.equal(match([pattern], exampleOf(pattern)), pattern, `${exampleOf(pattern)} is an example of ${pattern}`);
  }
});

void t.test('what is no pattern', async (t) => {
  for (const text of [
    '',
    '!',
    '2y',
    '2[',
    '2[]',
    '2[3-1]',
    '2100-21',
    '2199-2100',
    '2+',
    '21 01',
    'x'.repeat(25),
    '-',
  ]) {
    const pattern = parsePattern(text);
    // "!" alone fits everything, which is a pattern.
    t.equal('wrong' in pattern, text !== '!', `${text}: ${'wrong' in pattern ? pattern.wrong : 'a pattern'}`);
  }
});

void t.test('an exact number goes before a pattern, a narrower pattern before a wider one', async (t) => {
  const patterns = ['x!', '2xxx', '21xx', '2101', '2150-2159'];
  t.equal(match(patterns, '2101'), '2101');
  t.equal(match(patterns, '2155'), '2150-2159');
  t.equal(match(patterns, '2199'), '21xx');
  t.equal(match(patterns, '2999'), '2xxx');
  t.equal(match(patterns, '31'), 'x!');
  t.equal(match(patterns, '3'), undefined);
});

const told = (patterns: readonly string[]): string[] =>
  patternFaults(patterns).map((fault: PatternFault) => {
    const own = patterns[fault.pattern]!;
    if (fault.kind === 'wrong') return `${own} ${fault.why}`;
    if (fault.kind === 'tangled') return 'tangled';
    const other = patterns[fault.other]!;
    return fault.kind === 'conflict' ? `${own} ${other} ${fault.example}` : `${own} ${fault.kind} ${other}`;
  });

void t.test('conflicts, twins and shadows are found and both are named', async (t) => {
  t.same(told(['2xxx', '21xx', '9!']), []);
  t.same(told(['2x0x', '20xx']), ['20xx 2x0x 2000'], 'neither is narrower');
  t.same(told(['2xxx', '2[0-9]xx']), ['2[0-9]xx same 2xxx']);
  t.same(told(['2000-2999', '2xxx']), ['2xxx same 2000-2999']);
  t.same(told(['21xx', '210x', '211x', '21[2-9]x']), ['21xx shadowed 21[2-9]x']);
  t.same(told(['210x', ...Array.from('0123456789', (d) => `210${d}`)]), ['210x shadowed 2100']);
  t.same(told(['2101', '2101']), ['2101 same 2101']);
  t.same(told(['2101', '2101-2101']), ['2101-2101 same 2101']);
  t.same(told(['2y', '2xxx']), ['2y has "y" in it']);
});

void t.test('many patterns in little time; too many for one number are refused', async (t) => {
  const areas = Array.from({ length: 5_000 }, (_, i) => `+1${String(2_000_000 + i * 7)}!`);
  t.same(told(areas), []);
  const set = patternSet(areas);
  t.equal(areas[set.match('+1200000755')!], '+12000007!');
  const nested = Array.from({ length: 24 }, (_, i) => `${'1'.repeat(i + 1)}!`);
  t.same(told(nested), [], '24 nested ones can be told apart');
  const tangled = Array.from({ length: 40 }, (_, i) => `${'x'.repeat(i % 20)}${i % 10}${'x'.repeat(19 - (i % 20))}!`);
  t.same(told(tangled), ['tangled']);
});

void t.test('a table of numbers finds what a map of strings finds, and nothing else', async (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789*#+a ¹'), maxLength: 20 });
  const number = fc.string({ unit: fc.constantFrom(...'0123456789*#+'), minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(fc.array(number, { maxLength: 60 }), fc.array(text), (numbers, others) => {
      const [table, map] = [new NumberTable(roomFor(numbers)), new Map<string, number>()];
      for (const [i, one] of numbers.entries()) {
        table.set(one, i);
        map.set(one, i);
      }
      const near = numbers.flatMap((one) => [one.slice(1), one.slice(0, -1), `0${one}`, `${one}0`, `${one}¹`]);
      return [...numbers, ...near, ...others].every((one) => table.get(one) === map.get(one));
    }),
  );
  const many = Array.from({ length: 5_000 }, (_, i) => `+1202${i}`);
  const table = new NumberTable(roomFor(many));
  for (const [i, one] of many.entries()) table.set(one, i);
  t.ok(
    many.every((one, i) => table.get(one) === i),
    'all that there is room for',
  );
  for (const one of ['1', '+12025550100']) t.throws(() => table.set(one, 1), RangeError, 'and no more');
});

function roomFor(numbers: readonly string[]): { short: number; long: number } {
  const room = { short: 0, long: 0 };
  for (const number of numbers) room[sizeOf(number)] += 1;
  return room;
}

/** Every number of so many digits, of those that the pieces tell apart. */
function upTo(length: number): readonly string[] {
  const shorter = length === 0 ? [''] : upTo(length - 1);
  return length === 0
    ? shorter
    : [...new Set([...shorter, ...shorter.flatMap((one) => ['0', '1', '2', '9', '*'].map((d) => one + d))])];
}

const piece = fc.constantFrom('0', '1', '2', 'x', 'z', 'n', '[0-1]', '[12]');
const pattern = fc
  .tuple(fc.array(piece, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([row, isOpen]) => row.join('') + (isOpen ? '!' : ''));
const sets: Record<string, string> = { x: '0123456789', z: '123456789', n: '23456789', '[0-1]': '01', '[12]': '12' };

/** The same question asked of each pattern by itself, character by character. */
function fits(text: string, number: string): boolean {
  const parts = text.match(/\[[^\]]*\]|./g)!;
  const isOpen = parts.at(-1) === '!';
  const row = isOpen ? parts.slice(0, -1) : parts;
  if (isOpen ? number.length <= row.length : number.length !== row.length) return false;
  return row.every((part, i) => (sets[part] ?? part).includes(number[i]!));
}

void t.test('the automaton says what a look at each pattern says, and the narrowest wins', async () => {
  const numbers = upTo(4).slice(1);
  fc.assert(
    fc.property(fc.uniqueArray(pattern, { minLength: 1, maxLength: 6 }), (patterns) => {
      const isGood = patternFaults(patterns).length === 0;
      if (!isGood) return;
      const set = patternSet(patterns);
      const own = patterns.map((text) => numbers.filter((number) => fits(text, number)));
      const isNarrower = own.map((mine) => patterns.map((other) => mine.every((number) => fits(other, number))));
      for (const number of numbers) {
        const all = patterns.flatMap((text, i) => (fits(text, number) ? [i] : []));
        const found = set.match(number);
        if ((found === undefined) !== (all.length === 0)) throw new Error(`${number}: ${found} of ${all.join(' ')}`);
        // Whatever else fits it is wider: it fits every other number that the winner fits.
        const isBest = found === undefined || all.every((other) => isNarrower[found]![other]);
        if (!isBest) throw new Error(`${number}: ${patterns[found]} of ${all.map((i) => patterns[i]).join(' ')}`);
      }
    }),
    { numRuns: 150 },
  );
});

void t.test('a set with a fault is one in which two patterns really are at odds', async () => {
  fc.assert(
    fc.property(fc.tuple(pattern, pattern), ([a, b]) => {
      const faults = patternFaults([a, b]);
      const numbers = upTo(4);
      const both = numbers.filter((number) => fits(a, number) && fits(b, number));
      const onlyA = numbers.some((number) => fits(a, number) && !fits(b, number));
      const onlyB = numbers.some((number) => !fits(a, number) && fits(b, number));
      const isConflict = both.length > 0 && onlyA === onlyB;
      const kinds = faults.map(({ kind }) => kind);
      if (isConflict !== (kinds.includes('conflict') || kinds.includes('same'))) {
        throw new Error(`${a} ${b}: ${kinds.join()} but both ${both[0]}, ${onlyA}, ${onlyB}`);
      }
    }),
    { numRuns: 100 },
  );
});
