/** B6: what a leg costs that is recorded, hears a prompt, or is in a conference; and what mixing alone takes. */
import { Mixer } from '../../../src/mediad/media/mixer.ts';
import { cpuMs, pssMb, round } from '../calls/proc.ts';
import type { Teardown } from '../calls/systems.ts';
import { MediaServer } from './media-servers.ts';
import { Tally, talk, Talker } from './talkers.ts';

export interface ServiceResult {
  readonly server: string;
  readonly service: string;
  readonly legs: number;
  /** Of one core. */
  readonly cpuPercentPerLeg: number;
  /** For one packet that comes in. */
  readonly cpuMicrosPerPacket: number;
  readonly pssMb: number;
}

type Service = 'nothing' | 'prompt' | 'record' | 'conference';

/** A leg that nobody does anything with is what the others are measured against. */
export async function benchServices(
  freeswitch: string | undefined,
  legs: number,
  seconds: number,
): Promise<readonly ServiceResult[]> {
  const rows: ServiceResult[] = [];
  const rounds: readonly (readonly [Service, number])[] = [
    ...(['nothing', 'prompt', 'record'] as const).map((service) => [service, legs] as const),
    ...[3, 10, 50].map((members) => ['conference', members] as const),
  ];
  for (const [service, count] of rounds) {
    for (const program of freeswitch === undefined ? [undefined] : [undefined, freeswitch]) {
      rows.push(await one(program, service, count, seconds));
    }
  }
  return rows;
}

async function one(
  program: string | undefined,
  service: Service,
  legs: number,
  seconds: number,
): Promise<ServiceResult> {
  const undo: (() => unknown)[] = [];
  const t: Teardown = { teardown: (fn) => void undo.unshift(fn) };
  try {
    const server =
      program === undefined ? await MediaServer.mediad(t, 1) : await MediaServer.freeswitch(t, program, legs);
    const tally = new Tally(0);
    const talkers: Talker[] = [];
    for (let i = 0; i < legs; i++) {
      const talker = await Talker.open(tally);
      t.teardown(() => talker.close());
      const leg = await server.open(talker, 'bench');
      await talker.talkTo(leg.place);
      if (service === 'prompt') await leg.execute('playback', 'tone_stream://%(2000,4000,440,480);loops=-1');
      if (service === 'record') await leg.execute('record', server.recording(leg.uuid));
      if (service === 'conference') await leg.execute('conference', 'bench@default');
      talkers.push(talker);
    }
    t.teardown(talk(talkers));
    await wait(3000);
    tally.begin();
    const [used, began] = [cpuMs(server.pid), performance.now()];
    await wait(seconds * 1000);
    tally.end();
    const [ms, elapsedMs] = [cpuMs(server.pid) - used, performance.now() - began];
    return {
      server: program === undefined ? 'mediad' : 'FreeSWITCH',
      service,
      legs,
      cpuPercentPerLeg: Math.round((ms / elapsedMs / legs) * 1e5) / 1000,
      cpuMicrosPerPacket: round((ms * 1000) / Math.max(1, tally.sent)),
      pssMb: pssMb([server.pid]),
    };
  } finally {
    for (const fn of undo) await fn();
  }
}

export interface MixResult {
  readonly members: number;
  readonly mixMsPerTickP50: number;
  readonly mixMsPerTickP99: number;
}

/** All speak; CPU and time are the same here, for nothing is waited for. */
export function benchMix(): readonly MixResult[] {
  return [3, 10, 50].map((members) => {
    const mixer = new Mixer({ talking() {} });
    const settings = { canSpeak: true, canHear: true, gainIn: 1, gainOut: 1, energyLevel: 100, talkLevel: 300 };
    for (let member = 0; member < members; member++) mixer.join(member, settings, () => {});
    const samples = Int16Array.from({ length: 160 }, (_, i) => Math.round(4000 * Math.sin(i / 3)));
    const tookMs: number[] = [];
    for (let tick = 0; tick < 5000; tick++) {
      for (let member = 0; member < members; member++) mixer.push(member, { samples, rate: 8000 });
      const from = performance.now();
      mixer.tick(tick * 20);
      tookMs.push(performance.now() - from);
    }
    mixer.close();
    const sorted = tookMs.slice(1000).toSorted((a, b) => a - b);
    const at = (share: number) => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 1000) / 1000;
    return { members, mixMsPerTickP50: at(0.5), mixMsPerTickP99: at(0.99) };
  });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
