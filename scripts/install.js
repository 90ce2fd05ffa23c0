// Runs on Node 20 with nothing installed: only node:* here. Brings the libraries and the Node that Wardline runs on.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, statfsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const broughtNode = join(modules, '.bin', 'node');

/** First Node of its line that runs TypeScript files without a flag; better-sqlite3 13 crashes Node 20. */
const OLDEST_NODE = [22, 18];
const NEEDED_BYTES = 600 * 1024 * 1024;

/**
 * Installs what is missing. `run`: what Wardline needs to run; `test`: also the tools of `npm test`.
 * Prints one line when there is something to do, none otherwise. Throws an Error whose message is for a person.
 * @param {'run' | 'test'} kind
 */
export function ensureInstalled(kind) {
  if (missingPackages(kind).length === 0) return;
  if (isLink(modules)) {
    const missing = missingPackages(kind).slice(0, 3).join(', ');
    throw new Error(`node_modules is a link and lacks ${missing}: run "npm ci" in the folder it points to`);
  }
  const free = statfsSync(root);
  if (free.bavail * free.bsize < NEEDED_BYTES) {
    throw new Error(`the disk of ${root} has less than 600 MB free, too little to install into: make room, try again`);
  }
  console.log(
    kind === 'run'
      ? 'Installing what Wardline needs (once, about 20 seconds on a fast line) …'
      : 'Installing what the tests need (once, about a minute) …',
  );
  const npm = npmCommand();
  const args = ['ci', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  const done = spawnSync(npm.file, [...npm.args, ...args, ...(kind === 'run' ? ['--omit=dev'] : ['--include=dev'])], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, NODE_ENV: '', npm_config_omit: '', npm_config_include: '' },
  });
  if (done.error) throw new Error(`npm could not be started (${done.error.message}): install npm 10 or newer`);
  if (done.status !== 0) {
    throw new Error(
      'npm ci failed (its reason stands above): check the network or proxy, then run the same command again',
    );
  }
  const missing = missingPackages(kind);
  if (missing.length > 0)
    throw new Error(`npm ci left out ${missing.slice(0, 3).join(', ')}: delete node_modules, try again`);
}

/** The Node to run on: this one when it is new enough, else the one that npm brought. Throws with what to do. */
export function nodeToRunOn() {
  // `npm run` puts node_modules/.bin first, but somebody may have called this file with another Node.
  if (existsSync(broughtNode)) {
    const probe = spawnSync(broughtNode, ['--version'], { encoding: 'utf8' });
    if (probe.status === 0) return isThisOne(probe.stdout.trim()) ? process.execPath : broughtNode;
  }
  if (isNewEnough(process.versions.node)) return process.execPath;
  throw new Error(
    `Wardline needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}, and npm has no ready Node for ` +
      `${process.platform} ${process.arch}: install Node 24 from https://nodejs.org and try again`,
  );
}

/**
 * Goes on in `file` on the right Node: in this process when it is that Node already, else in one child that gets the
 * terminal and every signal and whose exit code becomes ours.
 * @param {string} file relative to the root
 * @param {readonly string[]} args
 */
export async function continueOn(file, args) {
  const node = nodeToRunOn();
  const path = join(root, file);
  if (node === process.execPath) {
    process.argv = [process.argv[0], path, ...args];
    await import(path);
    return;
  }
  const cache = new URL('./compile-cache.js', import.meta.url).href;
  const child = spawn(node, ['--import', cache, path, ...args], { stdio: 'inherit', cwd: process.cwd() });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => refuse(new Error(`${node} could not be started: ${error.message}`)));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128 + (signalNumbers[signal] ?? 0))));
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 };

/** @param {unknown} error */
export function refuse(error) {
  console.error(`wardline: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

/**
 * Compares npm's own record of what lies in node_modules with the lock file; npm writes that record last, so an
 * interrupted install has none. Packages for other platforms are optional and may be absent.
 */
function missingPackages(kind) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  if (wanted === null) throw new Error(`${join(root, 'package-lock.json')} cannot be read: clone the repository again`);
  const present = readPackages(join(modules, '.package-lock.json')) ?? {};
  const missing = [];
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.optional || entry.devOptional) continue;
    if (kind === 'run' && entry.dev) continue;
    if (present[path]?.version !== entry.version) missing.push(basename(path));
  }
  const brought = `node_modules/node-${process.platform}-${process.arch}`;
  if (wanted[brought] && present[brought]?.version !== wanted[brought].version) missing.push(basename(brought));
  return missing;
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    return null;
  }
}

function npmCommand() {
  // The npm that runs this script, so that npm 10 and 11 each install with themselves.
  const running = process.env.npm_execpath;
  if (running?.endsWith('npm-cli.js'))
    return { file: process.env.npm_node_execpath ?? process.execPath, args: [running] };
  return { file: 'npm', args: [] };
}

function isLink(path) {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

function isThisOne(version) {
  return version === process.version;
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
}
