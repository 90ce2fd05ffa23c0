import fc from 'fast-check';

/**
 * The same examples in every run, so that what is red is red for everybody. `PROPERTY_SEED=random` looks for others, and
 * prints the seed of what it finds; `PROPERTY_SEED=307924667` runs those again. `PROPERTY_TIMES=24` runs so many times
 * as many examples where a test asks `runs` how many it needs.
 */
const named = process.env['PROPERTY_SEED'] ?? '20261122';
if (named !== 'random') fc.configureGlobal({ seed: Number(named) });

const times = Number(process.env['PROPERTY_TIMES'] ?? '1');

export function runs(usual: number): number {
  return usual * times;
}

export { fc };
