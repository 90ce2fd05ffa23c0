/** `node src/mediad/main.ts <options.json>`: runs until SIGTERM or SIGINT. One JSON line on stdout says that it is ready, and where. */
import { readFileSync, statSync } from 'node:fs';
import { keepMemoryOffDisks } from '../processes/index.ts';
import { logTo } from './log.ts';
import { MediaServer } from './media-server.ts';
import { checkOptions, type MediadOptions } from './options.ts';

keepMemoryOffDisks();

const log = logTo((line) => process.stderr.write(line));

function fail(reason: string): never {
  log.error({ reason }, 'mediad cannot start');
  process.exit(1);
}

function readOptions(path: string | undefined): MediadOptions {
  if (path === undefined) fail('usage: node src/mediad/main.ts <path of JSON options file>');
  let input: unknown;
  try {
    if ((statSync(path).mode & 0o077) !== 0) fail(`${path} holds a secret and others can read it: run chmod 600 on it`);
    input = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    fail(`${path} cannot be read: ${(error as Error).message}`);
  }
  const result = checkOptions(input);
  if (result.kind === 'refused') fail(`${path}: ${result.problems.join('; ')}`);
  return result.options;
}

const options = readOptions(process.argv[2]);
let server: MediaServer;
try {
  server = await MediaServer.open(options, log);
} catch (error) {
  fail((error as Error).message);
}

let isStopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (isStopping) return;
    isStopping = true;
    server.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

const { eventSocket, sip, rtp, metrics } = options;
const ready = {
  ready: true,
  eventSocket: { host: eventSocket.host, port: server.eventSocketPort },
  sip: `udp/${sip.host}:${server.sipPort}`,
  ...(metrics !== undefined && { metrics: `${metrics.host}:${server.metricsPort}` }),
  rtp: rtp.portsFrom === 0 ? 'any' : `${rtp.portsFrom}-${rtp.portsTo}`,
};
process.stdout.write(`${JSON.stringify(ready)}\n`);
