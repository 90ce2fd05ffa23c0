import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedIn } from '../../config/index.ts';
import { startNode } from '../../processes/index.ts';

const CACHE = join(installedIn, 'node_modules/.cache/wardline');

const MAINS = ['sipd/main.ts', 'mediad/main.ts', 'cli/app.ts', 'main.ts'];
const THREADS = ['mediad/media/worker.ts', 'storage/writer-worker.ts', 'cli/up.ts'];

/**
 * Loads the code of every process once, in this short-lived one, so that the compiled form lies in the cache
 * (scripts/compile-cache.js) before the long-lived ones start. Does nothing when no file has changed since the last time.
 */
export async function warmCode(): Promise<void> {
  const stamp = join(CACHE, `warm-${digestOfSources()}`);
  if (existsSync(stamp)) return;
  await Promise.all(MAINS.map((main) => runToItsEnd(join(installedIn, 'src', main))));
  // Threads come with their processes; here they are only read, and miss what a thread is given.
  for (const thread of THREADS) await import(join(installedIn, 'src', thread)).catch(() => {});
  try {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(stamp, '');
  } catch {
    // An installation that cannot be written to works without.
  }
}

/** Called without what it needs, it says so and ends; by then everything is compiled. */
function runToItsEnd(script: string): Promise<void> {
  const child = startNode(script, [], ['ignore', 'ignore', 'ignore']);
  return new Promise((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}

function digestOfSources(): string {
  const sources = join(installedIn, 'src');
  const hash = createHash('sha256').update(process.version);
  for (const name of readdirSync(sources, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.ts')) continue;
    const { mtimeMs, size } = statSync(join(sources, name));
    hash.update(`${name} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
