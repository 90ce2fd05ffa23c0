// `npm run test:real`: the same stories on drachtio-server and FreeSWITCH, and whether the records of the calls tell the
// same as on sipd and mediad.
//
//   DRACHTIO_SERVER=/usr/local/bin/drachtio FREESWITCH=/usr/bin/freeswitch npm run test:real [-- words of file names]
//
// A path: each story starts the program on loopback with the configuration of freeswitch-conf/, on free ports, with a secret
// made for the run. An address (127.0.0.1:9022, with DRACHTIO_SERVER_SECRET; 127.0.0.1:8021, with FREESWITCH_SECRET): the
// stories run on that server of this machine, which must serve nobody else, and those that would end it are left out.
// A server that is not named is left out, and so is what needs it; that is no failure. The last line is "N passed, N failed".
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { continueOn, ensureInstalled, nodeToRunOn, root } from './install.js';
import { ensurePhones, runTests, testFiles } from './suites.js';

const stories = () => [
  ...testFiles('test/e2e'),
  ...testFiles('test/chaos'),
  ...testFiles('test/conformance').filter((file) => /\/telephony(-failures)?\.test\.ts$/.test(file)),
];

/** What is in the environment, and what the stories are told. */
const servers = [
  { name: 'drachtio-server', ours: 'sipd', variable: 'DRACHTIO_SERVER', told: 'STORIES_ON_DRACHTIO_SERVER' },
  { name: 'FreeSWITCH', ours: 'mediad', variable: 'FREESWITCH', told: 'STORIES_ON_FREESWITCH' },
];
const pairs = [[], [servers[0]], [servers[1]], servers];

try {
  ensureInstalled('test');
  if (nodeToRunOn() === process.execPath) process.exitCode = await main();
  else await continueOn('scripts/test-real.js', process.argv.slice(2));
} catch (error) {
  console.error(`wardline: ${error instanceof Error ? error.message : String(error)}`);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}

async function main() {
  process.env.PATH = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`;
  process.chdir(root);
  for (const server of servers) await check(server);
  const absent = servers.filter(({ variable }) => !process.env[variable]);
  const words = process.argv.slice(2);
  const files = stories().filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  if (files.length === 0) throw new Error(`no story has ${words.join(' or ')} in the name of its file`);
  for (const { name, variable } of absent) {
    const named = files.map((file) => basename(file, '.test.ts')).join(', ');
    console.log(`left out: on ${name}: ${named}: set ${variable} to its path, or to its address`);
  }
  const wanted = pairs.filter((pair) => pair.every((server) => !absent.includes(server)));
  if (wanted.length === 1) {
    console.log('0 passed, 0 failed');
    return 0;
  }
  const missing = ensurePhones();
  if (missing.length > 0) throw new Error(`the stories need ${missing.join(' and ')}`);

  const folder = mkdtempSync(join(tmpdir(), 'wardline-records-'));
  const sum = { pass: 0, fail: 0 };
  try {
    for (const pair of wanted) {
      const title = titleOf(pair);
      console.log(`\n${title}`);
      // One file at a time: the order of what happens is compared, and a machine that is late would change it.
      const records = join(folder, title);
      const { pass, fail, skip, leftOut } = await runTests(files, {
        jobs: 1,
        env: environmentFor(pair, records),
      });
      const unlike = pair.length === 0 ? [] : await differences(join(folder, titleOf([])), records, leftOut);
      for (const difference of unlike) console.log(`DIFFERS ${difference}`);
      console.log(
        `${title}: ${pass} passed, ${fail} failed, ${skip} left out, ${unlike.length} differences in records`,
      );
      sum.pass += pass;
      sum.fail += fail + unlike.length;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${sum.pass} passed, ${sum.fail} failed`);
  return sum.fail === 0 ? 0 : 1;
}

/** A path must be there, an address must answer and come with a secret. */
async function check({ name, variable }) {
  const told = process.env[variable];
  if (!told) return;
  const [, host, port] = /^([^/:]+):(\d{1,5})$/.exec(told) ?? [];
  if (host === undefined) {
    if (!existsSync(told)) throw new Error(`${variable}: there is no program ${told}: give the path of ${name}`);
    return;
  }
  if (!process.env[`${variable}_SECRET`])
    throw new Error(`${variable} is an address: give the secret of ${name} in ${variable}_SECRET`);
  const socket = connect({ host, port: Number(port), timeout: 5000 });
  try {
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('timeout', () => reject(new Error('no answer within 5 s')));
      socket.once('error', reject);
    });
  } catch (error) {
    const says = `${variable}: nobody is at ${told} (${error.message}): start ${name} there, or give its path`;
    throw new Error(says, { cause: error });
  } finally {
    socket.destroy();
  }
  console.log(`${name} runs at ${told}: what would end or stop it is left out`);
}

function titleOf(pair) {
  return servers.map((server) => (pair.includes(server) ? server.name : server.ours)).join(' × ');
}

function environmentFor(pair, records) {
  const env = { ...process.env, STORIES_RECORDS: records };
  for (const server of servers) {
    for (const suffix of ['', '_SECRET']) {
      const told = process.env[server.variable + suffix];
      if (pair.includes(server) && told) env[server.told + suffix] = told;
      else delete env[server.told + suffix];
      // The house itself has no use for it.
      delete env[server.variable + suffix];
    }
  }
  return env;
}

async function differences(ours, theirs, leftOut) {
  const { differences: between } = await import('../test/real/compare-records.ts');
  const { fileWords } = await import('../test/support/records.ts');
  const isLeftOut = (name) => leftOut.some((story) => name.includes(fileWords(story)));
  const list = (folder) => (existsSync(folder) ? readdirSync(folder) : []);
  const read = (folder, name) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const both = [...new Set([...list(ours), ...list(theirs)])].sort((a, b) => a.localeCompare(b));
  return both.flatMap((name) => {
    if (!list(ours).includes(name)) return [`${name}: no record on sipd × mediad`];
    if (!list(theirs).includes(name)) return isLeftOut(name) ? [] : [`${name}: no record`];
    return between(read(ours, name), read(theirs, name)).map((difference) => `${name}: ${difference}`);
  });
}
