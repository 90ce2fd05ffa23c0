// `npm run test:real`: the same stories on drachtio-server and FreeSWITCH, and whether the records of the calls tell the
// same as on sipd and mediad.
//
//   DRACHTIO_SERVER=/usr/local/bin/drachtio FREESWITCH=/usr/bin/freeswitch npm run test:real [-- options]
//
//   --file chain             only files with this word in their name; may be given several times
//   --pair sipd,freeswitch   only this pair, and sipd,mediad before it, to compare with; may be given several times
//   --records FOLDER         keeps the records there. With --pair, those of a pair that is not named are taken from an
//                            earlier run, so that a pair can be run again by itself
//
// A path: each story starts the program on loopback with the configuration of freeswitch-conf/, on free ports, with a secret
// made for the run. An address (127.0.0.1:9022, with DRACHTIO_SERVER_SECRET; 127.0.0.1:8021, with FREESWITCH_SECRET): the
// stories run on that server of this machine, which must serve nobody else, and those that would end it are left out.
// A server that is not named is left out, and so is what needs it; that is no failure. The last line is "N passed, N failed".
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { continueOn, ensureInstalled, nodeToRunOn, root } from './install.js';
import { ensurePhones, runTests, testFiles } from './suites.js';

const stories = () => [
  ...testFiles('test/e2e'),
  ...testFiles('test/chaos'),
  ...testFiles('test/conformance').filter((file) =>
    /\/(telephony(-failures)?|esl-(table|events))\.test\.ts$/.test(file),
  ),
];

/** What is in the environment, and what the stories are told. */
const servers = [
  { name: 'drachtio-server', ours: 'sipd', variable: 'DRACHTIO_SERVER', told: 'STORIES_ON_DRACHTIO_SERVER' },
  { name: 'FreeSWITCH', ours: 'mediad', variable: 'FREESWITCH', told: 'STORIES_ON_FREESWITCH' },
];
const pairs = [[], [servers[0]], [servers[1]], servers];

/** As `--pair` names it: "drachtio-server,mediad". */
const wordsOf = (pair) => titleOf(pair).toLowerCase().replace(' × ', ',');

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
  const { files, named, records: kept } = asked(process.argv.slice(2));
  for (const server of servers) await check(server);
  const absent = servers.filter(({ variable }) => !process.env[variable]);
  for (const { name, variable } of absent) {
    const stories = files.map((file) => basename(file, '.test.ts')).join(', ');
    console.log(`left out: on ${name}: ${stories}: set ${variable} to its path, or to its address`);
  }
  const can = pairs.filter((pair) => pair.every((server) => !absent.includes(server)));
  const wanted = named.length === 0 ? can : can.filter((pair) => named.includes(pair));
  const hasPair = named.includes(pairs[0]) || wanted.some((pair) => pair !== pairs[0]);
  if (!hasPair) {
    console.log('0 passed, 0 failed');
    return 0;
  }
  if (kept === undefined && !wanted.includes(pairs[0])) wanted.unshift(pairs[0]);
  const missing = ensurePhones();
  if (missing.length > 0) throw new Error(`the stories need ${missing.join(' and ')}`);

  const folder = kept ?? mkdtempSync(join(tmpdir(), 'wardline-records-'));
  const sum = { pass: 0, fail: 0 };
  try {
    for (const pair of wanted) {
      const { pass, fail } = await tell(pair, files, folder);
      sum.pass += pass;
      sum.fail += fail;
    }
  } finally {
    if (kept === undefined) rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${sum.pass} passed, ${sum.fail} failed`);
  return sum.fail === 0 ? 0 : 1;
}

/** What the command line asks for. Throws with what can be asked. */
function asked(args) {
  const { values } = parseArgs({
    args,
    options: {
      file: { type: 'string', multiple: true, default: [] },
      pair: { type: 'string', multiple: true, default: [] },
      records: { type: 'string' },
    },
  });
  const files = stories().filter(
    (file) => values.file.length === 0 || values.file.some((word) => basename(file).includes(word)),
  );
  if (files.length === 0) throw new Error(`no story has ${values.file.join(' or ')} in the name of its file`);
  const named = values.pair.map((words) => {
    const pair = pairs.find((one) => wordsOf(one) === words);
    if (pair === undefined) throw new Error(`there is no pair ${words}, but ${pairs.map(wordsOf).join('; ')}`);
    return pair;
  });
  return { files, named, records: values.records === undefined ? undefined : resolve(values.records) };
}

/** Runs the stories on a pair, and compares their records with those of sipd × mediad. */
async function tell(pair, files, folder) {
  const title = titleOf(pair);
  console.log(`\n${title}`);
  const [ours, theirs] = [[], pair].map((one) => join(folder, wordsOf(one).replace(',', '-')));
  // What an earlier run has left there is not what happened now.
  for (const name of recordsOf(files, theirs)) rmSync(join(theirs, name));
  // One file at a time: the order of what happens is compared, and a machine that is late would change it.
  const { pass, fail, skip, leftOut } = await runTests(files, { jobs: 1, env: environmentFor(pair, theirs) });
  const unlike = pair.length === 0 ? [] : await differences(files, ours, theirs, leftOut);
  for (const difference of unlike) console.log(`DIFFERS ${difference}`);
  const compared = pair.length === 0 ? '' : `, ${recordsOf(files, theirs).length} houses' records compared`;
  console.log(
    `${title}: ${pass} passed, ${fail} failed, ${skip} left out, ${unlike.length} differences in records${compared}`,
  );
  return { pass, fail: fail + unlike.length };
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

async function differences(files, ours, theirs, leftOut) {
  const { differences: between } = await import('../test/real/compare-records.ts');
  const { fileWords } = await import('../test/support/records.ts');
  const isLeftOut = (name) => leftOut.some((story) => name.includes(fileWords(story)));
  const [here, there] = [ours, theirs].map((records) => recordsOf(files, records));
  const read = (records, name) => JSON.parse(readFileSync(join(records, name), 'utf8'));
  const both = [...new Set([...here, ...there])].sort((a, b) => a.localeCompare(b));
  return both.flatMap((name) => {
    if (!here.includes(name)) return [`${name}: no record on sipd × mediad`];
    if (!there.includes(name)) return isLeftOut(name) ? [] : [`${name}: no record`];
    return between(read(ours, name), read(theirs, name)).map((difference) => `${name}: ${difference}`);
  });
}

/** Names of the records that these files of stories have left in a folder. */
function recordsOf(files, folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => files.some((file) => name.startsWith(`${basename(file, '.test.ts')}, `)));
}
