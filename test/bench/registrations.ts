import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { dataFolders } from '../../src/cli/folders.ts';
import { openStore } from '../../src/storage/index.ts';
import { House } from '../support/house.ts';
import { ended, startChild, until } from '../support/processes.ts';
import { ROOT } from '../support/root.ts';
import { commandOf, cpuMs, kernelDrops, pssMb, round, sum } from './calls/proc.ts';
import type { StormResult } from './phone-storm.ts';

const FIRST = 10_000;
const REALM = 'wardline';
/** A house that has just started runs its code uncompiled; so many phones come before those that are measured. */
const WARM_UP_PHONES = 1_000;

export interface RegistrationStep extends StormResult {
  readonly switchedOnWithinSeconds: number;
  readonly registersPerSecond: number;
  /** All processes of the house, user and system, per phone: two REGISTERs, one of them with a wrong or no answer. */
  readonly cpuMsPerPhone: number;
  readonly signallingMs: number;
  readonly kernelDrops: number;
  readonly pssMb: number;
}

/** B7: many phones are switched on within some seconds, each with a password of its own kind: SHA-256 digest over UDP. */
export async function benchRegistrations(phones: number, seconds: number): Promise<RegistrationStep[]> {
  const undo: (() => unknown)[] = [];
  const t = { teardown: (fn: () => unknown) => void undo.unshift(fn) };
  try {
    const house = await House.start(t, { on: { signalling: null, media: null } });
    const password = randomBytes(16).toString('hex');
    await givePhones(house, password, phones + WARM_UP_PHONES);
    await storm(house, { first: FIRST + phones, count: WARM_UP_PHONES, seconds: 5, password });
    const pids = house.pids();
    const signalling = pids.filter((pid) => commandOf(pid).includes('/src/sipd/main.ts'));
    const used = () => ({ all: sum(pids.map(cpuMs)), signalling: sum(signalling.map(cpuMs)), drops: kernelDrops() });
    const before = used();
    const result = await storm(house, { first: FIRST, count: phones, seconds, password });
    const after = used();
    return [
      {
        ...result,
        switchedOnWithinSeconds: seconds,
        registersPerSecond: round((2 * phones * 1000) / result.tookMs),
        cpuMsPerPhone: round((after.all - before.all) / phones),
        signallingMs: round((after.signalling - before.signalling) / phones),
        kernelDrops: after.drops - before.drops,
        pssMb: pssMb(pids),
      },
    ];
  } finally {
    for (const fn of undo) await fn();
  }
}

/** Ten thousand times `wardline phone add` would take an hour: they are written at once, as that command writes them. */
export async function givePhones(house: House, password: string, count: number): Promise<void> {
  const store = await openStore(dataFolders(house.data).store, { as: 'guest' });
  try {
    const hashed = (algorithm: string, extension: string) =>
      createHash(algorithm).update(`${extension}:${REALM}:${password}`).digest('hex');
    for (let extension = FIRST; extension < FIRST + count; extension++) {
      const name = String(extension);
      const [ha1Md5, ha1Sha256] = [hashed('md5', name), hashed('sha256', name)];
      await store.phones.insert({ extension: name, ha1Md5, ha1Sha256, createdAt: Date.now() });
    }
  } finally {
    await store.close();
  }
  // The app looks for new phones twice a second.
  await until('the house to know its phones', async () => {
    const last = { first: FIRST + count - 1, count: 1, seconds: 1, password };
    return (await storm(house, last)).registered === 1;
  });
}

/** Of phones whose numbers follow one another. */
export async function storm(
  house: House,
  of: { first: number; count: number; seconds: number; password: string },
): Promise<StormResult> {
  const script = join(ROOT, 'test/bench/phone-storm.ts');
  const args = [house.sip, of.first, of.count, of.seconds, of.password].map(String);
  const child = startChild(process.execPath, [script, ...args], { cwd: ROOT });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => (said += String(bytes)));
  if ((await ended(child)) !== 0) throw new Error(`the phones failed: ${said}`);
  return JSON.parse(said) as StormResult;
}
