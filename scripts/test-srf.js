// `npm run test:srf`: the test suite of drachtio-srf, unchanged, with sipd in the place of its server.
//
//   SRF_SUITE=/path/to/a/copy/of/drachtio-srf npm run test:srf [-- names of files]
//
// The copy is the project's repository with `npm install` run in it; its client library is replaced by the one that
// Wardline uses, for the time of the run and without touching a file. With DRACHTIO_SERVER=/path/to/drachtio the same files
// run on drachtio-server too, for comparison. Needs Linux, SIPp, and root: each file has a network and processes of its own.
// The suite itself is no part of this repository. Without SRF_SUITE there is nothing to do, and that is no failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { continueOn, ensureInstalled, nodeToRunOn, root } from './install.js';

/** The longest file waits 32 s for an ACK several times over. */
const fileWithinMs = 240_000;

try {
  ensureInstalled('test');
  if (nodeToRunOn() === process.execPath) process.exitCode = main();
  else await continueOn('scripts/test-srf.js', process.argv.slice(2));
} catch (error) {
  console.error(`wardline: ${error instanceof Error ? error.message : String(error)}`);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}

function main() {
  const suite = process.env.SRF_SUITE;
  if (!suite) {
    console.log('left out: the test suite of drachtio-srf: set SRF_SUITE to a copy of its repository');
    console.log('0 passed, 0 failed');
    return 0;
  }
  check(suite);
  const reference = process.env.DRACHTIO_SERVER;
  const servers = reference ? ['sipd', reference] : ['sipd'];
  const words = process.argv.slice(2);
  const files = ['unit-tests', ...listed(suite)].filter((file) => words.length === 0 || words.includes(file));
  const logs = join(tmpdir(), 'wardline-srf');
  mkdirSync(logs, { recursive: true });
  let [passed, failed] = [0, 0];
  for (const file of files) {
    const results = servers.map((server) => run(suite, server, file, logs));
    console.log(
      `${file.padEnd(16)} ${results.map((ok, i) => `${i === 0 ? 'sipd' : 'drachtio-server'} ${ok ? 'pass' : 'FAIL'}`).join('   ')}`,
    );
    if (results[0]) passed++;
    else failed++;
  }
  console.log(`what was said: ${logs}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** Throws an Error that says what is absent and what to do. */
function check(suite) {
  if (!existsSync(join(suite, 'test', 'index.js')))
    throw new Error(`SRF_SUITE: there is no drachtio-srf in ${suite}: give the path of a copy of its repository`);
  if (!existsSync(join(suite, 'node_modules', 'tape')))
    throw new Error(`${suite} lacks its own libraries: run "npm install" there`);
  for (const program of ['sipp', 'unshare', 'ip', 'mount']) {
    if (spawnSync('which', [program]).status !== 0) throw new Error(`the suite needs ${program}: install it`);
  }
  if (process.getuid?.() !== 0)
    throw new Error('the suite needs networks of its own, which only root can make: run it as root');
}

/** The files that the suite's own index runs, without those that start and stop its containers. */
function listed(suite) {
  const index = readFileSync(join(suite, 'test', 'index.js'), 'utf8');
  const files = [...index.matchAll(/require\('\.\/(\w[\w-]*)'\)/g)].map((match) => match[1]);
  return files.filter((file) => !file.startsWith('docker'));
}

function run(suite, server, file, logs) {
  const inside = [
    join(root, 'scripts', 'srf-bed.js'),
    suite,
    server,
    file,
    join(logs, `${file}-${server === 'sipd' ? 'sipd' : 'reference'}`),
  ];
  const { status } = spawnSync(
    'unshare',
    ['--net', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child', process.execPath, ...inside],
    { stdio: ['ignore', 'inherit', 'inherit'], timeout: fileWithinMs, killSignal: 'SIGKILL' },
  );
  return status === 0;
}
