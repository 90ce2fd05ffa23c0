// `npm test`: installs what is missing, then every check and every suite. The last line is "N passed, N failed".
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { continueOn, ensureInstalled, nodeToRunOn, root } from './install.js';

/** Programs that play the phones, and Debian's packages that hold them. */
const phones = [
  { program: 'sipp', debian: 'sip-tester' },
  { program: 'baresip', debian: 'baresip' },
  { program: 'linphonec', debian: 'linphone-cli' },
];
const suites = [
  { folder: 'unit', needsPhones: false },
  { folder: 'property', needsPhones: false },
  { folder: 'conformance', needsPhones: true },
  { folder: 'e2e', needsPhones: true },
  { folder: 'chaos', needsPhones: true },
];
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
  for (const check of [
    // Writes the types of `t`, so it comes before the check of types.
    ['test runner', join(bin, 'tap'), ['build']],
    ['types', process.execPath, ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.json']],
    ['lint', join(bin, 'oxlint'), ['--type-aware', 'src', 'test', 'scripts']],
    ['format', join(bin, 'biome'), ['format', '.']],
    ['dead code', join(bin, 'knip'), []],
  ]) {
    if (!(await passes(...check))) failures.push(check[0]);
  }

  const checksFailed = failures.length;
  const present = suites.filter((suite) => testFiles(`test/${suite.folder}`).length > 0);
  // A suite that has lost its tests has passed none of them.
  const empty = suites.filter((suite) => !present.includes(suite));
  for (const suite of empty) failures.push(`test/${suite.folder} is empty`);
  const leftOut = absent.length === 0 ? [] : present.filter((suite) => suite.needsPhones);
  const run = present.filter((suite) => !leftOut.includes(suite));
  const totals = await runSuites(run.map((suite) => `test/${suite.folder}`));

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
  console.log(`${totals.pass} passed, ${totals.fail + checksFailed + empty.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

/** Installs the phones where that is possible; returns the programs that are still missing. */
function ensurePhones() {
  const missing = () => phones.filter((phone) => !isInPath(phone.program));
  if (missing().length === 0) return [];
  const packages = missing().map((phone) => phone.debian);
  const canInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version') && isInPath('apt-get');
  if (!canInstall) {
    console.log(
      `To run every suite install ${packages.join(' and ')}: apt-get install ${packages.join(' ')} (as root).`,
    );
    return missing().map((phone) => phone.program);
  }
  console.log(`Installing ${packages.join(' and ')} from Debian (once) …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
    const done = spawnSync('apt-get', ['-q', ...args], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    if (done.status !== 0) {
      console.error(done.stderr.trim().split('\n').slice(-5).join('\n'));
      throw new Error(
        `apt-get ${args[0]} failed (its reason stands above): check the network, or install ${packages.join(' ')} yourself`,
      );
    }
  }
  return missing().map((phone) => phone.program);
}

function testFiles(folder) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .sort();
}

function isInPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

async function passes(name, file, args) {
  const started = Date.now();
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: root });
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

/** Runs tap over folders, prints a line per file and what failed, and returns tap's own totals. */
async function runSuites(folders) {
  if (folders.length === 0) return { pass: 0, fail: 1, skip: 0 };
  const files = folders.flatMap(testFiles);
  const child = spawn(
    join(root, 'node_modules', '.bin', 'tap'),
    ['run', '--no-color', '--reporter=tap', '--timeout=300', ...files],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: root,
    },
  );
  const ended = new Promise((resolve) => {
    child.on('exit', resolve);
    child.on('error', (error) => {
      console.log(`the test runner could not be started: ${error.message}`);
      resolve(127);
    });
  });
  let block = [];
  let totals = null;
  for await (const line of createInterface({ input: child.stdout })) {
    totals = totalsIn(line) ?? totals;
    const file = /^(ok|not ok) \d+ - (\S+)(.*)$/.exec(line);
    if (file === null) {
      block.push(line);
      continue;
    }
    const time = /# time=([\d.]+m?s)/.exec(file[3])?.[1] ?? '';
    console.log(`${file[1] === 'ok' ? 'ok    ' : 'NOT OK'} ${file[2]} ${time}`.trimEnd());
    if (file[1] !== 'ok') console.log(block.filter((l) => !/^\s*(ok \d|$)/.test(l)).join('\n'));
    block = [];
  }
  const code = await ended;
  // A runner that ended badly without a failed assertion (a file that never ended, a crash) is a failure too.
  if (totals === null) return { pass: 0, fail: 1, skip: 0 };
  return code !== 0 && totals.fail === 0 ? { ...totals, fail: 1 } : totals;
}

/** tap ends with "# { total: 4, pass: 3, skip: 1 }"; kinds without a count are left out. */
function totalsIn(text) {
  const line = /^# \{ total: \d+(.*)\}\s*$/.exec(text);
  if (line === null) return null;
  const count = (kind) => Number(new RegExp(`\\b${kind}: (\\d+)`).exec(line[1])?.[1] ?? 0);
  return { pass: count('pass'), fail: count('fail'), skip: count('skip') + count('todo') };
}
