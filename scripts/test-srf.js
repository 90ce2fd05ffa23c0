// `npm run test:srf`: the test suite of drachtio-srf, unchanged, with sipd in the place of its server.
//
//   SRF_SUITE=/path/to/a/copy/of/drachtio-srf npm run test:srf [-- names of files]
//
// The copy is the project's repository with `npm install` run in it; its client library is replaced by the one that
// Wardline uses, for the time of the run and without touching a file. With DRACHTIO_SERVER=/path/to/drachtio the same files
// run on drachtio-server too, for comparison. Needs Linux, SIPp, and root: each file has a network and processes of its own.
// The suite itself is no part of this repository. Without SRF_SUITE there is nothing to do, and that is no failure.
import { listedFiles, runClientSuite } from './client-suite.js';

await runClientSuite({
  library: 'drachtio-srf',
  script: 'scripts/test-srf.js',
  variable: 'SRF_SUITE',
  needs: { packages: ['tape'], remedy: 'run "npm install" there' },
  programs: ['sipp'],
  files: (suite) => ['unit-tests', ...listedFiles(suite)],
  servers: () => {
    const reference = process.env.DRACHTIO_SERVER;
    const ours = { name: 'sipd', log: 'sipd', words: ['sipd'] };
    return reference ? [ours, { name: 'drachtio-server', log: 'reference', words: [reference] }] : [ours];
  },
  bed: 'srf-bed.js',
  judge: (_file, _log, status) => (status === 0 ? undefined : 'see what was said'),
});
