/** B5 and B13: sound that passes through, beside the least that it can cost; and how it would be rated by who listens. */
import { rate } from '../../../src/mediad/media/e-model.ts';
import { newMasterKey } from '../../../src/mediad/sdp/crypto-line.ts';
import { cpuMs, machineMs, pssMb, round } from '../calls/proc.ts';
import type { Teardown } from '../calls/systems.ts';
import type { Pair, Relay, RelayKind } from './relays.ts';
import { Tally, talk, Talker } from './talkers.ts';
import { threadsMs } from './threads.ts';

export interface RelayResult {
  readonly relay: string;
  readonly srtp: string;
  readonly calls: number;
  readonly sent: number;
  readonly lost: number;
  /** Packets whose sound is not what was said. */
  readonly changed: number;
  /** User and system, for one packet that comes in and leaves. */
  readonly cpuMicrosPerPacket: number;
  /** Of one core: the whole process, and its two busiest threads. */
  readonly cpuPercent: number;
  readonly busiestThreadsPercent: string;
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number };
  /** RFC 3550, of the worst leg. */
  readonly worstJitterMs: number;
  /** E-model of G.711 with the measured loss, the delay at p99, and a phone that waits 20 ms and three times the worst jitter, 40 ms at least. */
  readonly r: number;
  /** What one leg more takes, by the difference between a quarter of them and all. */
  readonly kbPerLeg: number;
  /** What the rest of the machine did meanwhile, of one core. */
  readonly otherCpuPercent: number;
}

const LEAST_WAIT_MS = 40;
const WARM_UP_MS = 4000;

export async function benchRelay(
  kind: RelayKind,
  calls: number,
  seconds: number,
  isSrtp: boolean,
): Promise<RelayResult> {
  const undo: (() => unknown)[] = [];
  const t: Teardown = { teardown: (fn) => void undo.unshift(fn) };
  try {
    return await measure(t, kind, { calls, seconds, isSrtp });
  } finally {
    for (const fn of undo) await fn();
  }
}

async function measure(
  t: Teardown,
  kind: RelayKind,
  { calls, seconds, isSrtp }: { readonly calls: number; readonly seconds: number; readonly isSrtp: boolean },
): Promise<RelayResult> {
  const relay = await kind.start(t, calls);
  const tally = new Tally(Math.ceil(calls * 100 * (seconds + 1)));
  const pairs: Pair[] = [];
  for (let i = 0; i < calls; i++) {
    const pair = [await open(t, tally, isSrtp), await open(t, tally, isSrtp)] as const;
    pairs.push(pair);
  }
  // The plain relay is told of all at once.
  const first = kind.name.startsWith('plain') ? pairs.length : Math.ceil(pairs.length / 4);
  await connect(relay, pairs.slice(0, first));
  let stop = talk(pairs.slice(0, first).flat());
  await wait(WARM_UP_MS);
  const few = pssMb([relay.pid]);
  stop();
  if (first < pairs.length) await connect(relay, pairs.slice(first));
  stop = talk(pairs.flat());
  await wait(WARM_UP_MS);
  const before = read(relay);
  tally.begin();
  await wait(seconds * 1000);
  tally.end();
  const after = read(relay);
  stop();
  await wait(500);
  const many = pssMb([relay.pid]);
  const elapsedMs = after.atMs - before.atMs;
  const used = after.cpuMs - before.cpuMs;
  const percent = (ms: number) => round((ms / elapsedMs) * 100);
  const at = tally.sorted();
  const worstJitterMs = Math.max(...pairs.flat().map(({ jitterMs }) => jitterMs));
  const lost = tally.sent - tally.received;
  const oneWayMs = at(0.99) + Math.max(LEAST_WAIT_MS, 20 + 3 * worstJitterMs);
  const busiest = [...after.threads].map(([id, ms]) => ms - (before.threads.get(id) ?? 0)).toSorted((a, b) => b - a);
  return {
    relay: kind.name,
    srtp: isSrtp ? 'AES-GCM' : 'no',
    calls,
    sent: tally.sent,
    lost,
    changed: tally.changed,
    cpuMicrosPerPacket: round((used * 1000) / Math.max(1, tally.sent)),
    cpuPercent: percent(used),
    busiestThreadsPercent: busiest.slice(0, 2).map(percent).join(' + '),
    delayMs: { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) },
    worstJitterMs: round(worstJitterMs),
    r: round(rate({ lostShare: lost / Math.max(1, tally.sent), oneWayMs }).r),
    kbPerLeg: first === pairs.length ? Number.NaN : round(((many - few) * 1024) / (2 * (pairs.length - first))),
    otherCpuPercent: percent(after.machineMs - before.machineMs - used - (after.ownMs - before.ownMs)),
  };
}

async function open(t: Teardown, tally: Tally, isSrtp: boolean): Promise<Talker> {
  const talker = await Talker.open(tally, isSrtp ? newMasterKey('AEAD_AES_128_GCM') : undefined);
  t.teardown(() => talker.close());
  return talker;
}

async function connect(relay: Relay, pairs: readonly Pair[]): Promise<void> {
  const places = await relay.connect(pairs);
  for (const [i, [a, b]] of pairs.entries()) {
    await a.talkTo(places[i]![0]);
    await b.talkTo(places[i]![1]);
  }
}

function read({ pid }: Relay) {
  const own = process.cpuUsage();
  return {
    atMs: performance.now(),
    cpuMs: cpuMs(pid),
    threads: threadsMs(pid),
    ownMs: (own.user + own.system) / 1000,
    machineMs: machineMs(),
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
