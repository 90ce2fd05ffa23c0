/** The thread in which audio runs: it owns the sockets of its legs and their 20 ms clock. Started by MediaWorker. */
import { unlink } from 'node:fs/promises';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { SealedFile, SealedReader, SealedWriter } from '../../vault/index.ts';
import { SilenceSource } from './audio-source.ts';
import { MediaClock } from './clock.ts';
import { FRAME_MS, SAMPLE_RATE, type G711 } from './g711.ts';
import { LegSocket } from './leg-socket.ts';
import { MediaLeg, type BridgeFrame, type BridgePeer } from './media-leg.ts';
import type { FromWorker, PlayItem, RecordRequest, ToWorker, WorkerSettings } from './messages.ts';
import { Player, type PlayerItem } from './player.ts';
import { PromptCache } from './prompt-cache.ts';
import { Recorder } from './recorder.ts';
import { SealedSource } from './sealed-source.ts';
import { ToneSource } from './tone.ts';
import { WavSource } from './wav.ts';

const settings = workerData as WorkerSettings;
const legs = new Map<string, { media: MediaLeg; play: number | undefined; recording: number | undefined }>();
const prompts = new PromptCache(settings.promptCacheBytes);
const clock = new MediaClock(FRAME_MS, (nowMs) => {
  for (const [leg, { media }] of legs) alone(leg, () => media.tick(nowMs));
});
let nextPort = settings.portsFrom;
let recordingsOpen = 0;
let isClosing = false;

parentPort!.on('message', (message: ToWorker) => {
  perform(message).catch((error: unknown) => {
    // A defect here must not take the other legs along; the signalling side ends the leg that asked.
    if ('leg' in message) tell({ type: 'legRefused', leg: message.leg, reason: String(error) });
  });
});

async function perform(message: ToWorker): Promise<void> {
  if (message.type === 'openLeg') return openLeg(message.leg);
  if (message.type === 'close') return closeAll();
  const leg = legs.get(message.leg);
  if (leg === undefined) return refuseUnknown(message);
  const { media } = leg;
  switch (message.type) {
    case 'setRemote':
      return media.setRemote(message.remote, performance.now());
    case 'play':
      leg.play = message.play;
      return play(message);
    case 'stopPlay':
      if (leg.play !== message.play) return;
      leg.play = undefined;
      return media.stopPlay();
    case 'record':
      leg.recording = message.recording;
      return record(message.leg, message.recording, message.request);
    case 'stopRecord':
      if (leg.recording !== message.recording) return;
      leg.recording = undefined;
      return media.stopRecord();
    case 'bridge':
      return media.bridge(remotePeer(media, message.port));
    case 'bridgeLocal':
      return bridgeLocal(media, legs.get(message.peer)?.media);
    case 'unbridge':
      return media.unbridge();
    case 'mute':
      return media.mute(message.way, message.isMuted);
    case 'sendDigits':
      return media.sendDigits(message.digits, message.durationSamples);
    case 'report':
      return tell({ type: 'reported', leg: message.leg, query: message.query, report: media.report() });
    case 'closeLeg':
      return closeLeg(message.leg);
  }
}

function tell(message: FromWorker): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origins
  parentPort!.postMessage(message);
}

/** A message that crossed the leg's closing on the way must still be answered where somebody waits. */
function refuseUnknown(message: Exclude<ToWorker, { type: 'openLeg' | 'close' }>): void {
  if (message.type === 'play') tell({ ...message, type: 'playRefused', reason: 'the leg is closed' });
  if (message.type === 'record') {
    tell({
      type: 'recordEnded',
      leg: message.leg,
      recording: message.recording,
      ending: 'failed',
      samples: 0,
      reason: 'the leg is closed',
    });
  }
  if (message.type === 'bridge') message.port.close();
  // One that got no port was never in here.
  if (message.type === 'closeLeg') tell({ type: 'legClosed', leg: message.leg });
}

async function openLeg(leg: string): Promise<void> {
  let socket: LegSocket;
  try {
    socket = await bindFreePort();
  } catch (error) {
    return tell({ type: 'legRefused', leg, reason: `no RTP port: ${(error as Error).message}` });
  }
  const media = new MediaLeg({
    transport: socket,
    silenceMs: settings.mediaSilenceMs,
    nowMs: performance.now(),
    events: {
      digit: (press) => tell({ type: 'digitHeard', leg, ...press }),
      silent: (silentMs) => tell({ type: 'mediaSilent', leg, silentMs }),
    },
  });
  socket.onDatagram((datagram, source) => alone(leg, () => media.receive(datagram, source, performance.now())));
  legs.set(leg, { media, play: undefined, recording: undefined });
  clock.start();
  tell({ type: 'legOpened', leg, port: socket.port });
}

async function bindFreePort(): Promise<LegSocket> {
  const { bindAddress, portsFrom, portsTo } = settings;
  if (portsFrom === 0) return LegSocket.bind(bindAddress, 0);
  const first = portsFrom + (portsFrom % 2);
  for (let tries = 0; tries <= (portsTo - first) / 2; tries++) {
    const port = nextPort < first || nextPort > portsTo ? first : nextPort;
    nextPort = port + 2;
    try {
      return await LegSocket.bind(bindAddress, port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error(`all even ports from ${portsFrom} to ${portsTo} are in use`);
}

async function play(message: Extract<ToWorker, { type: 'play' }>): Promise<void> {
  const { leg, play } = message;
  const items: PlayerItem[] = [];
  for (const item of message.items) {
    const loaded = await loadItem(item);
    if (typeof loaded === 'string') return tell({ type: 'playRefused', leg, play, reason: `${item.name}: ${loaded}` });
    items.push(loaded);
  }
  const entry = legs.get(leg);
  // Stopped, or the leg closed, while the files were read.
  if (entry?.play !== play) return tell({ type: 'playEnded', leg, play, samples: 0, lastItemSamples: 0 });
  entry.media.play(
    new Player(items, message.isEndless, {
      started: (name) => tell({ type: 'playItemStarted', leg, play, name }),
      stopped: (name, samples) => tell({ type: 'playItemStopped', leg, play, name, samples }),
      ended: (samples, lastItemSamples) => tell({ type: 'playEnded', leg, play, samples, lastItemSamples }),
    }),
  );
}

async function loadItem(item: PlayItem): Promise<PlayerItem | string> {
  switch (item.kind) {
    case 'tone':
      return { name: item.name, open: () => new ToneSource(item.script) };
    case 'sealed':
      return loadSealed(item);
    case 'silence':
      return { name: item.name, open: () => new SilenceSource(item.durationMs) };
    case 'wav': {
      const audio = await prompts.load(item.path);
      if (typeof audio === 'string') return audio;
      return { name: item.name, open: () => new WavSource(audio, item.name, item) };
    }
  }
}

async function loadSealed({ name, path, key }: PlayItem & { kind: 'sealed' }): Promise<PlayerItem | string> {
  try {
    const reader = await SealedReader.open(path, key);
    if (typeof reader === 'string') return reader;
    const source = new SealedSource(reader);
    return { name, open: () => source };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

async function record(leg: string, recording: number, request: RecordRequest): Promise<void> {
  const refuse = (reason: string) =>
    tell({ type: 'recordEnded', leg, recording, ending: 'failed', samples: 0, reason });
  const law = legs.get(leg)!.media.law;
  let recorder: Recorder | undefined;
  let writer: SealedWriter;
  try {
    writer = await openWriter(law, request, () => recorder?.close('failed'));
  } catch (error) {
    return refuse((error as Error).message);
  }
  recordingsOpen += 1;
  recorder = new Recorder({
    sink: writer,
    law,
    limits: request.limits,
    nowMs: performance.now(),
    ended: (result) => {
      recordingsOpen -= 1;
      tell({ type: 'recordEnded', leg, recording, ...result });
      finishClosing();
    },
  });
  const entry = legs.get(leg);
  if (entry?.recording !== recording) return recorder.close('stopped');
  entry.media.record(recorder);
  tell({ type: 'recordStarted', leg, recording });
}

async function openWriter(law: G711, request: RecordRequest, onFailure: () => void): Promise<SealedWriter> {
  const sink = await SealedFile.create(request.path);
  const format = { encoding: law, rate: SAMPLE_RATE, channels: 1 } as const;
  const { recipients, metadata } = request;
  try {
    return await SealedWriter.open({ sink, recipients, format, metadata, onFailure });
  } catch (error) {
    await sink.close();
    await unlink(request.path);
    throw error;
  }
}

function bridgeLocal(a: MediaLeg, b: MediaLeg | undefined): void {
  if (b === undefined) return;
  a.bridge({ push: (frame) => b.hear(frame), close: () => {} });
  b.bridge({ push: (frame) => a.hear(frame), close: () => {} });
}

/** The other leg lives in another worker. */
function remotePeer(media: MediaLeg, port: MessagePort): BridgePeer {
  port.on('message', (frame: BridgeFrame) => media.hear({ ...frame, payload: Buffer.from(frame.payload) }));
  return { push: (frame) => port.postMessage(frame), close: () => port.close() };
}

/** A defect in one leg must not take the others along: it ends, and the signalling side is told. */
function alone(leg: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    tell({ type: 'legRefused', leg, reason: String(error) });
    closeLeg(leg);
  }
}

function closeLeg(leg: string): void {
  legs.get(leg)?.media.close();
  legs.delete(leg);
  if (legs.size === 0) clock.stop();
  tell({ type: 'legClosed', leg });
}

function closeAll(): void {
  isClosing = true;
  for (const leg of legs.keys()) closeLeg(leg);
  finishClosing();
}

/** The thread may only end when every container is complete on the disk. */
function finishClosing(): void {
  if (!isClosing || recordingsOpen > 0) return;
  tell({ type: 'closed' });
  parentPort!.close();
}
