// What `npm test` and `npm run test:real` have in common: the programs that play the phones, and running test files.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { delimiter, join } from 'node:path';
import { root } from './install.js';

/** Where every process of a run keeps the compiled form of the code, as an installation does (compile-cache.js). */
const compileCache = join(root, 'node_modules/.cache/wardline');

/** Programs that play the phones, and Debian's packages that hold them. */
const phones = [
  { program: 'sipp', debian: 'sip-tester' },
  { program: 'baresip', debian: 'baresip' },
  { program: 'linphonec', debian: 'linphone-cli' },
  { program: 'chromium-headless-shell', debian: 'chromium-headless-shell' },
];

/** Installs the phones where that is possible; returns the programs that are still missing. */
export function ensurePhones() {
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

/** @param {string} folder relative to the root */
export function testFiles(folder) {
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

/** For work beside stories: they wait for phones and leave the cores idle now and then, but when they work they go first. */
const BESIDE = 5;

/** Gives a process we have started the time that others leave over. */
export function runBeside(child) {
  try {
    if (child.pid !== undefined) setPriority(child.pid, BESIDE);
  } catch {
    // It has ended already.
  }
}

/**
 * Runs test files, several beside each other in the order given; prints a line per file and what failed or was skipped.
 * Returns the totals and the names of what was skipped. Each file is a program of its own that prints TAP, run by plain
 * Node: the test runner of tap would load its hooks into every process that a story starts, which doubles their CPU time.
 * `beside`: further files, one at a time with what those leave of the cores; when they are done, several too.
 * @param {readonly string[]} files
 * @param {{ jobs: number, beside?: readonly string[], env?: NodeJS.ProcessEnv }} options
 */
export async function runTests(files, { jobs, beside = [], env = process.env }) {
  const totals = { pass: 0, fail: files.length + beside.length === 0 ? 1 : 0, skip: 0, leftOut: [] };
  const [first, second] = [[...files], [...beside]];
  const worker = async (_, i) => {
    const isBeside = i === jobs;
    const next = () => (isBeside ? undefined : first.shift()) ?? second.shift();
    for (let file = next(); file !== undefined; file = next()) {
      const { pass, fail, skip, leftOut } = await runTest(file, env, isBeside);
      totals.pass += pass;
      totals.fail += fail;
      totals.skip += skip;
      totals.leftOut.push(...leftOut);
    }
  };
  await Promise.all(Array.from({ length: beside.length > 0 ? jobs + 1 : jobs }, worker));
  return totals;
}

/** A file that says nothing for so long is ended by tap itself; the rest is for one that cannot even do that. */
const TIMEOUT_SECONDS = 600;
const GRACE_SECONDS = 30;

async function runTest(file, env, isBeside) {
  const started = performance.now();
  const child = spawn(process.execPath, [file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: root,
    env: { ...env, NODE_COMPILE_CACHE: compileCache, TAP_TIMEOUT: String(TIMEOUT_SECONDS) },
  });
  if (isBeside) runBeside(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  // A process that was left behind may hold the pipe open.
  const timer = setTimeout(
    () => child.stdout.destroy() && child.kill('SIGKILL'),
    (TIMEOUT_SECONDS + GRACE_SECONDS) * 1000,
  );
  const end = await new Promise((resolve) => {
    child.on('close', (code, signal) => resolve(signal ?? code));
    child.on('error', (error) => resolve(error.message));
  });
  clearTimeout(timer);
  const lines = said.split('\n');
  const totals = lines.map(totalsIn).findLast((found) => found !== null) ?? null;
  const leftOut = lines.flatMap((line) => {
    const [, name, why] = /^ *ok \d+ - (.*) # SKIP ?(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, why }];
  });
  for (const { name, why } of leftOut) console.log(`left out: ${name}${why === '' ? '' : ` (${why})`}`);
  const { pass, fail, skip } = totals ?? { pass: 0, fail: 0, skip: 0 };
  const isGood = totals !== null && end === 0 && fail === 0;
  console.log(`${isGood ? 'ok    ' : 'NOT OK'} ${file} ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (!isGood) console.log([...lines.filter((l) => !/^\s*(ok \d|$)/.test(l)), `ended with ${end}`].join('\n'));
  // A file that ended badly without a failed assertion (it never ended, it crashed, it is empty) is a failure too.
  return { pass, skip, leftOut: leftOut.map(({ name }) => name), fail: isGood ? 0 : Math.max(1, fail) };
}

/** tap ends with "# { total: 4, pass: 3, skip: 1 }"; kinds without a count are left out. */
function totalsIn(text) {
  const line = /^# \{ total: \d+(.*)\}\s*$/.exec(text);
  if (line === null) return null;
  const count = (kind) => Number(new RegExp(`\\b${kind}: (\\d+)`).exec(line[1])?.[1] ?? 0);
  return { pass: count('pass'), fail: count('fail'), skip: count('skip') + count('todo') };
}
