// Runs the test suite of a client library, file by file, each in a network of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { continueOn, ensureInstalled, nodeToRunOn, root } from './install.js';

/**
 * Runs it on the Node that Wardline runs on, prints "N passed, M failed" last, and sets the exit code.
 *
 * library    its name
 * script     the file that was started
 * variable   of the environment: where the copy of its repository is
 * needs      packages that must be in the copy (in which folder of it), and what to do when one is not
 * programs   that must be installed
 * files      (suite) => the names of its test files
 * servers    what each file runs on: { name, ours, words } where words are for the bed; the first is ours and counts
 * bed        script that runs one: bed.js SUITE …words FILE LOGS
 * fileWithinMs  the longest that a file may take; left out for four minutes
 * judge      (file, log, status) => undefined if it passed, or why not
 */
export async function runClientSuite(suite) {
  try {
    ensureInstalled('test');
    if (nodeToRunOn() === process.execPath) process.exitCode = run(suite);
    else await continueOn(suite.script, process.argv.slice(2));
  } catch (error) {
    console.error(`wardline: ${error instanceof Error ? error.message : String(error)}`);
    console.log('0 passed, 1 failed');
    process.exitCode = 1;
  }
}

/** The files that the suite's own index runs, without those that start and stop its containers. */
export function listedFiles(suite) {
  const index = readFileSync(join(suite, 'test', 'index.js'), 'utf8');
  const files = [...index.matchAll(/require\('\.\/(\w[\w-]*)'\)/g)].map((match) => match[1]);
  return files.filter((file) => !file.startsWith('docker'));
}

function run({ library, variable, needs, programs, files, servers, bed, fileWithinMs = 240_000, judge }) {
  const copy = process.env[variable];
  if (!copy) {
    console.log(`left out: the test suite of ${library}: set ${variable} to a copy of its repository`);
    console.log('0 passed, 0 failed');
    return 0;
  }
  check(copy, { library, variable, needs, programs });
  const words = process.argv.slice(2);
  const chosen = files(copy).filter((file) => words.length === 0 || words.includes(file));
  const logs = join(tmpdir(), `wardline-${library.replace('drachtio-', '')}`);
  mkdirSync(logs, { recursive: true });
  let [passed, failed] = [0, 0];
  for (const file of chosen) {
    const results = servers().map((server) => {
      const log = join(logs, `${file}-${server.log}`);
      const status = runOne(copy, { bed, words: server.words, file, log, fileWithinMs });
      return { name: server.name, trouble: judge(file, join(log, 'test.log'), status) };
    });
    console.log(
      `${file.padEnd(16)} ${results.map(({ name, trouble }) => `${name} ${trouble === undefined ? 'pass' : `FAIL (${trouble})`}`).join('   ')}`,
    );
    if (results[0].trouble === undefined) passed++;
    else failed++;
  }
  console.log(`what was said: ${logs}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** Throws an Error that says what is absent and what to do. */
function check(copy, { library, variable, needs, programs }) {
  if (!existsSync(join(copy, 'test', 'index.js')))
    throw new Error(`${variable}: there is no ${library} in ${copy}: give the path of a copy of its repository`);
  for (const name of needs.packages) {
    if (!existsSync(join(copy, needs.folder ?? 'node_modules', name)))
      throw new Error(`${copy} lacks ${name}: ${needs.remedy}`);
  }
  for (const program of ['unshare', 'ip', 'mount', ...programs]) {
    if (spawnSync('which', [program]).status !== 0) throw new Error(`the suite needs ${program}: install it`);
  }
  if (process.getuid?.() !== 0)
    throw new Error('the suite needs networks of its own, which only root can make: run it as root');
}

function runOne(copy, { bed, words, file, log, fileWithinMs }) {
  const inside = [join(root, 'scripts', bed), copy, ...words, file, log];
  const { status } = spawnSync(
    'unshare',
    ['--net', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child', process.execPath, ...inside],
    { stdio: ['ignore', 'inherit', 'inherit'], timeout: fileWithinMs, killSignal: 'SIGKILL' },
  );
  return status;
}
