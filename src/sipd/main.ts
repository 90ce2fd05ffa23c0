import { readFileSync, statSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { z } from 'zod';
import { keepMemoryOffDisks } from '../processes/index.ts';
import { jsonLogger } from './json-logger.ts';
import { type SipdOptions, sipdOptionsSchema } from './options.ts';
import { SipdServer } from './sipd-server.ts';

// The signalling daemon as a process:  node src/sipd/main.ts OPTIONS.json
// One JSON line on stdout when it listens, log lines on stderr. SIGTERM ends it in good order, and
// every call with it; SIGUSR2 ends it alone.

keepMemoryOffDisks();

const metricsEveryMs = 60_000;
const logger = jsonLogger(
  (line) => void process.stderr.write(line),
  () => Date.now(),
);

try {
  const server = await SipdServer.open(readOptions(process.argv[2]), logger);
  // Garbage is collected when the heap has grown by two fifths, not when it has doubled: after a storm of calls less stays
  // behind. Only now, because V8 takes code from the compile cache only under the flags it was put there with.
  setFlagsFromString('--heap-growing-percent=40');
  process.stdout.write(`${JSON.stringify({ ready: true, ...server.addresses })}\n`);
  const ticker = setInterval(
    () => logger.info({ ...server.metrics, rssBytes: process.memoryUsage.rss() }, 'metrics'),
    metricsEveryMs,
  );
  ticker.unref();
  const stop = (signal: string) => {
    logger.info({ signal }, 'stopping');
    server.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  // Somebody wants to put another one in our place: calls go on, and it finds them in the state file.
  process.once('SIGUSR2', () => {
    logger.info({ signal: 'SIGUSR2' }, 'leaving');
    server.leave();
    process.exit(0);
  });
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  fail(error);
}

/** Throws an Error whose message says which file, which field, and what to do. */
function readOptions(path: string | undefined): SipdOptions {
  if (path === undefined) throw new Error('usage: sipd OPTIONS.json, a file that only its owner can read');
  const { mode } = statSync(path);
  if ((mode & 0o077) !== 0) {
    throw new Error(`${path} holds a secret and others can read it: run chmod 600 on it`);
  }
  const parsed = sipdOptionsSchema.safeParse(readJson(path));
  if (!parsed.success) throw new Error(`${path} cannot be used:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function fail(error: unknown): never {
  process.stderr.write(`sipd: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
