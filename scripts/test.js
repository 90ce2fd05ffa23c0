// `npm test`: installs what is missing, then every check beside every suite. The last line is "N passed, N failed".
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { continueOn, ensureInstalled, nodeToRunOn, root } from './install.js';
import { ensurePhones, runBeside, runTests, testFiles } from './suites.js';

// Those that need phones start whole houses, and wait for them to ring; the others only compute.
const suites = [
  { folder: 'chaos', needsPhones: true },
  { folder: 'e2e', needsPhones: true },
  { folder: 'conformance', needsPhones: true },
  { folder: 'property', needsPhones: false },
  { folder: 'unit', needsPhones: false },
];
/** One more than the cores this is meant for. With four houses at once a restart takes longer than callers wait. */
const JOBS = 3;
const isCi = ['true', '1'].includes(process.env.CI ?? '');

try {
  ensureInstalled('test');
  if (nodeToRunOn() === process.execPath) process.exitCode = await main();
  else await continueOn('scripts/test.js', process.argv.slice(2));
} catch (error) {
  console.error(`wardline: ${error instanceof Error ? error.message : String(error)}`);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}

async function main() {
  const bin = join(root, 'node_modules', '.bin');
  process.env.PATH = `${bin}${delimiter}${process.env.PATH ?? ''}`;
  process.chdir(root);

  const absent = ensurePhones();
  const failures = [];
  const present = suites.filter((suite) => testFiles(`test/${suite.folder}`).length > 0);
  // A suite that has lost its tests has passed none of them.
  const empty = suites.filter((suite) => !present.includes(suite));
  for (const suite of empty) failures.push(`test/${suite.folder} is empty`);
  const leftOut = absent.length === 0 ? [] : present.filter((suite) => suite.needsPhones);
  const run = present.filter((suite) => !leftOut.includes(suite));
  const filesOf = (needsPhones) =>
    run.filter((suite) => suite.needsPhones === needsPhones).flatMap((suite) => testFiles(`test/${suite.folder}`));
  const [checksFailed, totals] = await Promise.all([
    runChecks(bin),
    runTests(filesOf(true), { jobs: JOBS, beside: filesOf(false) }),
  ]);
  failures.push(...checksFailed);
  if (totals.fail > 0) failures.push('suites');
  for (const suite of leftOut) {
    console.log(`left out: test/${suite.folder}, it needs ${absent.join(' and ')}`);
    if (isCi) failures.push(`test/${suite.folder} was left out`);
  }
  if (totals.skip > 0) {
    console.log(`skipped: ${totals.skip} tests`);
    if (isCi) failures.push('tests were skipped');
  }
  if (failures.length > 0) console.log(`not good: ${failures.join(', ')}`);
  console.log(`${totals.pass} passed, ${totals.fail + checksFailed.length + empty.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

/** One after the other, beside the suites. Returns the names of those that failed. */
async function runChecks(bin) {
  const failed = [];
  for (const [name, file, args] of [
    ['types', process.execPath, ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.json']],
    ['lint', join(bin, 'oxlint'), ['--type-aware', 'src', 'test', 'scripts']],
    ['format', join(bin, 'biome'), ['format', '.']],
    ['dead code', join(bin, 'knip'), []],
  ]) {
    if (!(await passes(name, file, args))) failed.push(name);
  }
  return failed;
}

async function passes(name, file, args) {
  const started = Date.now();
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: root });
  runBeside(child);
  const said = [];
  child.stdout.on('data', (chunk) => said.push(chunk));
  child.stderr.on('data', (chunk) => said.push(chunk));
  const code = await new Promise((resolve) => {
    child.on('error', () => resolve(127));
    child.on('close', resolve);
  });
  console.log(`${code === 0 ? 'ok    ' : 'NOT OK'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (code !== 0) console.log(Buffer.concat(said).toString().trimEnd());
  return code === 0;
}
