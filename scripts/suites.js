// What `npm test` and `npm run test:real` have in common: the programs that play the phones, and running test files.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './install.js';

/** Programs that play the phones, and Debian's packages that hold them. */
const phones = [
  { program: 'sipp', debian: 'sip-tester' },
  { program: 'baresip', debian: 'baresip' },
  { program: 'linphonec', debian: 'linphone-cli' },
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

/**
 * Runs tap over test files, prints a line per file and what failed or was skipped, and returns tap's own totals and the
 * names of what was skipped.
 * @param {readonly string[]} files
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} more options of tap
 */
export async function runTests(files, env = process.env, more = []) {
  if (files.length === 0) return { pass: 0, fail: 1, skip: 0, leftOut: [] };
  const child = spawn(
    join(root, 'node_modules', '.bin', 'tap'),
    ['run', '--no-color', '--reporter=tap', '--timeout=600', ...more, ...files],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: root,
      env,
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
  const leftOut = [];
  for await (const line of createInterface({ input: child.stdout })) {
    totals = totalsIn(line) ?? totals;
    const skipped = /^ +ok \d+ - (.*) # SKIP ?(.*)$/.exec(line);
    if (skipped !== null) {
      console.log(`left out: ${skipped[1]}${skipped[2] === '' ? '' : ` (${skipped[2]})`}`);
      leftOut.push(skipped[1]);
    }
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
  if (totals === null) return { pass: 0, fail: 1, skip: 0, leftOut };
  return { ...totals, leftOut, fail: code !== 0 && totals.fail === 0 ? 1 : totals.fail };
}

/** tap ends with "# { total: 4, pass: 3, skip: 1 }"; kinds without a count are left out. */
function totalsIn(text) {
  const line = /^# \{ total: \d+(.*)\}\s*$/.exec(text);
  if (line === null) return null;
  const count = (kind) => Number(new RegExp(`\\b${kind}: (\\d+)`).exec(line[1])?.[1] ?? 0);
  return { pass: count('pass'), fail: count('fail'), skip: count('skip') + count('todo') };
}
