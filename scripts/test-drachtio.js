// `npm run test:drachtio`: drachtio-server's own test suite, its SIPp scenarios and scripts unchanged, with sipd in its place.
//
//   DRACHTIO_SUITE=/path/to/a/copy/of/drachtio-server npm run test:drachtio [-- names of files]
//
// The copy is the project's repository with `npm install --ignore-scripts` run in its folder test; the client library is
// replaced by the one that Wardline uses, for the time of the run and without touching a file. With
// DRACHTIO_SERVER=/path/to/drachtio the same files run on drachtio-server too, for comparison. Needs Linux, SIPp, lsof, and
// root: each file has a network and processes of its own. Without DRACHTIO_SUITE there is nothing to do, and that is no failure.
import { readFileSync } from 'node:fs';
import { runClientSuite } from './client-suite.js';

/**
 * What its own `npm test` runs (`index`, the list of fixtures), and two older files. Of the others `uac` and `uas` ask its client library for
 * what that does not do any more, `reinvite-tests` reads the log of the server, and `connection_tests` needs its router by HTTP.
 */
const files = ['index', 'b2b', 'proxy'];

/** What is otherwise in sipd, and why. A test that is named here and passes is a failure too: the list is to be true. */
const wanted = {
  'connection tests: send 603 spammer detected': 'a known scanner is not told that somebody is there',
  'connection tests: 200 OK automatically generated for OPTIONS': 'without an app no calls are taken, and 503 says so',
};

await runClientSuite({
  library: 'drachtio-server',
  script: 'scripts/test-drachtio.js',
  variable: 'DRACHTIO_SUITE',
  needs: {
    packages: ['tape', 'blue-tape', 'express', 'drachtio-srf'],
    folder: 'test/node_modules',
    remedy: 'run "npm install --ignore-scripts" in its folder test',
  },
  programs: ['sipp', 'lsof'],
  files: () => files,
  servers: () => {
    const reference = process.env.DRACHTIO_SERVER;
    const ours = { name: 'sipd', log: 'sipd', words: ['sipd'] };
    return reference ? [ours, { name: 'drachtio-server', log: 'reference', words: [reference] }] : [ours];
  },
  bed: 'drachtio-bed.js',
  fileWithinMs: 600_000,
  judge: (_file, log) => {
    const { names, failed, isComplete } = told(readFileSync(log, 'utf8'));
    if (!isComplete) return 'it did not come to its end';
    const isOurs = log.includes('-sipd/');
    const expected = isOurs ? names.filter((name) => name in wanted) : [];
    for (const name of expected) console.log(`differs, and is to: "${name}": ${wanted[name]}`);
    const unexpected = failed.filter((name) => !expected.includes(name));
    const better = expected
      .filter((name) => !failed.includes(name))
      .map((name) => `"${name}" passes, take it off the list`);
    console.log(`${names.length - failed.length} of ${names.length} tests`);
    const trouble = [...unexpected, ...better];
    return trouble.length === 0 ? undefined : trouble.join('; ');
  },
});

/** The tests of a run, and those with a failed assertion; TAP stands between lines of a log there. */
function told(said) {
  const names = [];
  const failed = new Set();
  let isComplete = false;
  for (const line of said.split('\n')) {
    const name = /^# (.*)$/.exec(line)?.[1];
    if (/^1\.\.\d+$|completed test suite/.test(line)) isComplete = true;
    else if (name !== undefined && !isComplete) names.push(name);
    else if (/^not ok \d+ /.test(line)) failed.add(names.at(-1));
  }
  return { names, failed: [...failed], isComplete };
}
