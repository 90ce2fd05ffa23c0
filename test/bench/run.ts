import { existsSync } from 'node:fs';
import { House } from '../support/house.ts';
import { benchActivation } from './activation.ts';
import { benchAudit } from './audit.ts';
import { benchCallRate } from './call-rate.ts';
import { pssMb } from './calls/proc.ts';
import { answerers, candidates } from './calls/systems.ts';
import { benchMedia } from './media-relay.ts';
import { benchMix, benchServices } from './media/services.ts';
import { benchSoak } from './media/soak.ts';
import { benchMemory } from './memory.ts';
import { benchOptions } from './options.ts';
import { benchOverload } from './overload.ts';
import { benchPatterns } from './patterns.ts';
import { benchProve } from './prove.ts';
import { benchRegistrations } from './registrations.ts';
import { benchVoicemail } from './voicemail.ts';
import { benchRouting } from './routing.ts';
import { benchYear } from './year.ts';

/**
 * `npm run bench -- [routing|patterns|year|activate|prove|audit|voicemail|memory|registrations|options|calls|overload|media|media-services|mix|media-soak …] [--seconds N] [--rates 50,100,200] [--only word]
 * [--media-calls N] [--srtp-calls N] [--minutes N]`
 *
 * `calls` also measures what is at hand of drachtio-server and FreeSWITCH (DRACHTIO_SERVER and FREESWITCH, paths of the programs)
 * and of Kamailio (Debian's package): Wardline on every pair of servers, FreeSWITCH's own bridge, Kamailio as a proxy. `--only`
 * leaves out those whose name has not the word.
 *
 * `media` has calls talk through mediad (with one thread and with two) and through what is at hand of a plain relay (needs cc), rtpengine (Debian's
 * rtpengine-daemon) and FreeSWITCH, then encrypted (`--srtp-calls`), all `--rounds` times over. `media-services` are prompts, recordings and
 * conferences (`--legs`), `mix` is what mixing alone takes, `media-soak` watches memory for `--minutes`.
 *
 * `registrations`: so many phones (`--phones 10000`) are switched on within 10 s.
 *
 * `options`: one request and its answer (`--rate 1000`), of sipd and of Kamailio.
 *
 * `overload` offers multiples (`--times 1,2,10`) of the highest clean rate, which it finds (or `--max`), one call in ten STAT.
 *
 * Prints a table per benchmark, then one JSON object with every figure. Nothing is asserted here.
 */
const args = process.argv.slice(2);
const option = (name: string, otherwise: string) =>
  args.includes(name) ? (args[args.indexOf(name) + 1] ?? otherwise) : otherwise;
const names = args.filter((arg, i) => !arg.startsWith('--') && !args[i - 1]?.startsWith('--'));
const seconds = Number(option('--seconds', '20'));
const rates = option('--rates', '50,100,150,200,250,300').split(',').map(Number);

const kamailio = ['/usr/sbin/kamailio', '/usr/bin/kamailio'].find((path) => existsSync(path));

/** Systems under the ladder of calls, ours on our own servers first. */
function systems() {
  const { DRACHTIO_SERVER: drachtioServer, FREESWITCH: freeswitch } = process.env;
  for (const [name, path] of Object.entries({
    DRACHTIO_SERVER: drachtioServer,
    FREESWITCH: freeswitch,
    Kamailio: kamailio,
  })) {
    if (path === undefined) console.log(`left out: ${name} is not at hand`);
  }
  const only = option('--only', '');
  return candidates({ drachtioServer, freeswitch, kamailio }).filter(({ name }) => name.includes(only));
}

const benches: Record<string, () => Promise<unknown> | unknown> = {
  routing: benchRouting,
  patterns: benchPatterns,
  year: benchYear,
  activate: benchActivation,
  prove: benchProve,
  audit: () => benchAudit({ verifyEntries: 1_000_000 }),
  voicemail: benchVoicemail,
  memory: async () => [...(await idleMemory()), ...(await benchMemory())],
  registrations: () => benchRegistrations(Number(option('--phones', '10000')), 10),
  overload: () =>
    benchOverload(Number(option('--max', '0')), option('--times', '1,2,10').split(',').map(Number), seconds),
  options: () => benchOptions(answerers({ kamailio }), Number(option('--rate', '1000')), seconds),
  calls: () => benchCallRate([null, ...systems()], rates, seconds),
  media: () =>
    benchMedia(process.env['FREESWITCH'], {
      calls: Number(option('--media-calls', '300')),
      encryptedCalls: Number(option('--srtp-calls', '150')),
      seconds,
      rounds: Number(option('--rounds', '1')),
      only: option('--only', ''),
    }),
  'media-services': () => benchServices(process.env['FREESWITCH'], Number(option('--legs', '100')), seconds),
  mix: benchMix,
  'media-soak': () => benchSoak(Number(option('--media-calls', '20')), Number(option('--minutes', '30'))),
};

const unknown = names.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}

// Decisions stand beside what they are compared with, in the same run.
if (names.includes('routing') && !names.includes('year')) names.push('year');

const results: Record<string, unknown> = { node: process.version, at: new Date().toISOString() };
for (const [name, bench] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`\n${name}`);
  const result = await bench();
  console.table(rowsOf(result));
  results[name] = result;
}
console.log(JSON.stringify(results));

/** One flat row for each result: a table shows nothing of what is nested. */
function rowsOf(result: unknown): unknown {
  return Array.isArray(result) ? result.map((row) => flat(row as object)) : flat(result as object);
}

function flat(row: object): Record<string, unknown> {
  const cells = Object.entries(row).flatMap(([name, value]): [string, unknown][] =>
    typeof value === 'object' && value !== null
      ? Object.entries(flat(value as object)).map(([inner, cell]) => [`${name}.${inner}`, cell])
      : [[name, value]],
  );
  return Object.fromEntries(cells);
}

/** Proportional memory of all processes of a house that has nothing to do. */
async function idleMemory(): Promise<readonly { processes: number; pssMb: number }[]> {
  const undo: (() => unknown)[] = [];
  const house = await House.start({ teardown: (fn) => void undo.unshift(fn) });
  try {
    // The thread that has read the documents ends after 20 s without any.
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    return [{ processes: house.pids().length, pssMb: pssMb(house.pids()) }];
  } finally {
    for (const fn of undo) await fn();
  }
}
