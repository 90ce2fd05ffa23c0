// `npm run test:fsmrf`: the test suite of drachtio-fsmrf, unchanged, with sipd and mediad in the places of its servers.
//
//   FSMRF_SUITE=/path/to/a/copy/of/drachtio-fsmrf npm run test:fsmrf [-- names of files]
//
// The copy is the project's repository with its test tools (tape, config, clear-module) in node_modules; its library is
// replaced by the one that Wardline uses, for the time of the run and without touching a file. Needs Linux and root: each
// file has a network and processes of its own. The suite itself is no part of this repository. Without FSMRF_SUITE there is
// nothing to do, and that is no failure.
import { readFileSync } from 'node:fs';
import { listedFiles, runClientSuite } from './client-suite.js';

/** What FreeSWITCH reads ahead of what it plays: the length it has read, not the length that was heard. */
const readAhead = 'playbackMilliseconds is correct';

await runClientSuite({
  library: 'drachtio-fsmrf',
  script: 'scripts/test-fsmrf.js',
  variable: 'FSMRF_SUITE',
  needs: {
    packages: ['tape', 'config', 'clear-module'],
    remedy:
      'run "npm install tape@5 config@4 clear-module@4" in an empty folder and move its node_modules there (its own "npm install" asks for a drachtio-modesl that was never published)',
  },
  programs: [],
  files: listedFiles,
  servers: () => [{ name: 'sipd × mediad', log: 'mediad', words: [] }],
  bed: 'fsmrf-bed.js',
  judge: (_file, log) => {
    const said = readFileSync(log, 'utf8');
    const failed = [...said.matchAll(/^not ok \d+ (.*)$/gm)].map(([, name]) => name);
    const others = failed.filter((name) => name !== readAhead);
    if (!/^# (?:ok|fail)/m.test(said)) return 'it did not come to its end';
    if (failed.length > others.length) console.log(`left out: "${readAhead}": FreeSWITCH tells what it has read ahead`);
    return others.length === 0 ? undefined : others.join('; ');
  },
});
