/** Whether memory stays what it is: some calls talk all the time, others come and go every second. */
import { randomUUID } from 'node:crypto';
import { pssMb, round } from '../calls/proc.ts';
import type { Teardown } from '../calls/systems.ts';
import { type Leg, MediaServer } from './media-servers.ts';
import { Tally, talk, Talker } from './talkers.ts';

export interface SoakResult {
  readonly minutes: number;
  readonly calls: number;
  /** Calls that came and went. */
  readonly passing: number;
  readonly pssMbEachMinute: string;
  /** Least squares over the second half. */
  readonly kbPerMinute: number;
}

export async function benchSoak(calls: number, minutes: number): Promise<SoakResult> {
  const undo: (() => unknown)[] = [];
  const t: Teardown = { teardown: (fn) => void undo.unshift(fn) };
  try {
    const server = await MediaServer.mediad(t, 2);
    const tally = new Tally(0);
    const talkers: Talker[] = [];
    for (let i = 0; i < calls; i++) talkers.push(...(await call(server, tally)).talkers);
    t.teardown(() => talkers.forEach((talker) => talker.close()));
    t.teardown(talk(talkers));
    const samples: number[] = [];
    let passing = 0;
    for (let minute = 0; minute < minutes; minute++) {
      const until = performance.now() + 60_000;
      while (performance.now() < until) {
        const guest = await call(server, tally);
        const stop = talk(guest.talkers);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        stop();
        for (const leg of guest.legs) await leg.hangUp();
        for (const talker of guest.talkers) talker.close();
        passing += 1;
      }
      samples.push(pssMb([server.pid]));
      console.log(`minute ${minute + 1}: ${samples.at(-1)} MB, ${passing} calls came and went`);
    }
    return {
      ...{ minutes, calls, passing, pssMbEachMinute: samples.join(' ') },
      kbPerMinute: round(slope(samples.slice(Math.floor(samples.length / 2))) * 1024),
    };
  } finally {
    for (const fn of undo) await fn();
  }
}

async function call(server: MediaServer, tally: Tally): Promise<{ readonly legs: Leg[]; readonly talkers: Talker[] }> {
  const name = randomUUID();
  const legs: Leg[] = [];
  const talkers: Talker[] = [];
  for (let i = 0; i < 2; i++) {
    const talker = await Talker.open(tally);
    const leg = await server.open(talker, name);
    await talker.talkTo(leg.place);
    talkers.push(talker);
    legs.push(leg);
  }
  await server.bridge(legs[0]!, legs[1]!);
  return { legs, talkers };
}

/** By how much each is more than the one before. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const over = values.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0);
  return (
    over /
    Math.max(
      1,
      values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0),
    )
  );
}
