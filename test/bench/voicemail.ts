/**
 * What voicemail costs: sealing a second of sound, a thousand messages at once down to the list, the first second of playback, and a
 * rotation of keys. Recording is paced as telephones do it, a packet every 20 ms.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openHouseKeys } from '../../src/cli/house-keys.ts';
import { makeKeys, type RewrapParts, rewrapMessages } from '../../src/cli/rewrap-messages.ts';
import { instant } from '../../src/core/time/index.ts';
import { openStore } from '../../src/storage/index.ts';
import { newIdentity, openMessage, sealedKey, SealedFile, SealedReader, SealedWriter } from '../../src/vault/index.ts';

const MESSAGES = 1000;
const SECONDS = 10;
const FRAME_MS = 20;
const format = { encoding: 'PCMU', rate: 8000, channels: 1 } as const;
const frame = Buffer.from(Array.from({ length: 160 }, (_, i) => (i * 37) & 0xff));

export async function benchVoicemail() {
  const dir = mkdtempSync(join(tmpdir(), 'wardline-voicemail-'));
  try {
    const secrets = join(dir, 'secrets');
    const folder = join(dir, 'voicemail');
    mkdirSync(secrets, { mode: 0o700 });
    mkdirSync(folder);
    const escrow = [newIdentity().recipient];
    const keys = openHouseKeys({ voicemail: { masterKey: 'secrets', escrow } }, secrets, Buffer.alloc(32, 7));
    const store = await openStore(join(dir, 'w.db'));
    const parts: RewrapParts = {
      ...{
        keys,
        folder,
        store,
        unitOf: () => 'cardiology',
        attest: async () => {},
        by: 'bench',
        isClosed: () => false,
      },
    };
    const mailbox = { kind: 'mailbox', id: '3101' } as const;
    await makeKeys(parts, [mailbox, { kind: 'unit', id: 'cardiology' }]);
    const recipients = keys.recipientsFor('3101', 'cardiology');
    const figures = {
      sealMsPerSecond: await sealing(recipients),
      ...(await concurrent(folder, recipients, store)),
      ...(await playback(join(folder, 'm0.sealed'), (ids) => keys.ring.identities(ids))),
      ...(await rotation(parts, mailbox)),
    };
    await store.close();
    return figures;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** CPU for a recorded second, without the disk: the median of many, after some to warm up. */
async function sealing(recipients: readonly string[]): Promise<number> {
  const sink = { append: async () => {}, close: async () => {} };
  const writer = await SealedWriter.open({ sink, recipients, format, metadata: {} });
  const costs: number[] = [];
  for (let second = 0; second < 3000; second++) {
    const from = performance.now();
    for (let i = 0; i < 50; i++) writer.push(frame);
    costs.push(performance.now() - from);
    if (second % 50 === 0) await writer.drained();
  }
  await writer.close();
  return round(percentile(costs.slice(500), 0.5));
}

async function concurrent(folder: string, recipients: readonly string[], store: Awaited<ReturnType<typeof openStore>>) {
  const rssBefore = process.memoryUsage().rss;
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const writers = await Promise.all(
    Array.from({ length: MESSAGES }, async (_, i) => {
      const sink = await SealedFile.create(join(folder, `m${i}.sealed`));
      return SealedWriter.open({ sink, recipients, format, metadata: {} });
    }),
  );
  const openedMs = performance.now() - began;
  const cpuOpening = process.cpuUsage(cpuBefore);
  const cpuRunning = process.cpuUsage();
  const start = performance.now();
  const lateMs: number[] = [];
  for (let tick = 1; tick <= (SECONDS * 1000) / FRAME_MS; tick++) {
    const due = start + tick * FRAME_MS;
    const waitMs = due - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    lateMs.push(Math.max(0, performance.now() - due));
    for (const writer of writers) writer.push(frame);
  }
  const cpu = process.cpuUsage(cpuRunning);
  const rss = process.memoryUsage().rss;
  const closing = performance.now();
  await Promise.all(writers.map((writer) => writer.close()));
  for (let i = 0; i < MESSAGES; i++) {
    await store.saveMessage(
      {
        ...{ messageId: `m${i}`, mailbox: '3101', callId: null, at: instant(i), durationMs: SECONDS * 1000 },
        ...{
          isUrgent: false,
          isPrivate: false,
          callBack: null,
          service: null,
          urgency: null,
          exportedAt: null,
          sentBy: null,
          copyOf: null,
        },
        path: join(folder, `m${i}.sealed`),
      },
      [],
    );
  }
  const closedMs = performance.now() - closing;
  let whole = 0;
  for (let i = 0; i < MESSAGES; i++) if (writers[i]?.failure === undefined) whole += 1;
  return {
    messages: MESSAGES,
    whole,
    openedMs: round(openedMs),
    openingCpuMsPerMessage: round((cpuOpening.user + cpuOpening.system) / 1000 / MESSAGES),
    runningCpuPercentOfACore: round((cpu.user + cpu.system) / 10_000 / SECONDS),
    lateMsP99: round(percentile(lateMs, 0.99)),
    memoryMb: round((rss - rssBefore) / 1024 / 1024),
    closedAndListedMs: round(closedMs),
  };
}

/** From the question for its key to the first second in clear. */
async function playback(path: string, identities: (keyIds: readonly string[]) => readonly string[]) {
  const opened = await openMessage(path, identities);
  if (opened.kind !== 'opened') throw new Error(opened.reason);
  const times: number[] = [];
  for (let i = 0; i < 400; i++) {
    const from = performance.now();
    const found = await sealedKey(path, identities);
    if (found.kind === 'refused') throw new Error(found.reason);
    const reader = await SealedReader.open(path, found.key);
    if (typeof reader === 'string' || reader.next() === undefined) throw new Error('nothing to hear');
    times.push(performance.now() - from);
    reader.close();
  }
  const warm = times.slice(50);
  return { firstSoundMsP50: round(percentile(warm, 0.5)), firstSoundMsP99: round(percentile(warm, 0.99)) };
}

async function rotation(parts: RewrapParts, mailbox: { readonly kind: 'mailbox'; readonly id: string }) {
  await makeKeys(parts, [mailbox]);
  const from = performance.now();
  const { rewrapped } = await rewrapMessages(parts);
  return { rewrapped, rewrapMsPerMessage: round((performance.now() - from) / rewrapped) };
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
