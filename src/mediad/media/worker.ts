/** The thread in which audio runs: it owns the sockets of its legs, its conferences, and their 20 ms clock. Started by MediaWorker. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { BridgeFrame, BridgePeer, SoundFrame } from './bridge.ts';
import { MediaClock } from './clock.ts';
import { loadOpus } from './codec/opus.ts';
import { FRAME_MS } from './codec/g711.ts';
import { isG711 } from './codec/codec.ts';
import { LegPorts, type PortPair } from './leg-ports.ts';
import { MediaLeg } from './media-leg.ts';
import type { FromWorker, LegReport, OnStation, RemoteMedia, ToWorker, WorkerSettings } from './messages.ts';
import { Player, type PlayerItem } from './player.ts';
import { PromptCache } from './prompt-cache.ts';
import type { RecordResult } from './recorder.ts';
import type { SessionRecorder } from './session-recorder.ts';
import { WorkerConferences } from './worker-conferences.ts';
import { WorkerMeter } from './worker-numbers.ts';
import { loadItems } from './worker-prompts.ts';
import { WorkerRecordings } from './worker-recordings.ts';

interface LegEntry {
  readonly media: MediaLeg;
  play: number | undefined;
  /** The newest description: an older one may still wait for its codec. */
  remote: RemoteMedia | undefined;
  recording: number | undefined;
  readonly sessions: Map<number, SessionRecorder | 'opening'>;
}

const settings = workerData as WorkerSettings;
const legs = new Map<string, LegEntry>();
const prompts = new PromptCache(settings.promptCacheBytes);
const recordings = new WorkerRecordings(() => finishClosing());
const conferences = new WorkerConferences({
  tell,
  findLeg: (name) => legs.get(name)?.media,
  recordings,
  load: (items) => loadItems(items, prompts),
  newPlayer,
  alone,
});
const meter = new WorkerMeter();
const clock = new MediaClock(FRAME_MS, tick, undefined, (lateMs) => meter.late(lateMs));
const ports = new LegPorts(settings);
let isClosing = false;

function tick(nowMs: number): void {
  meter.lasted(legs.size, FRAME_MS);
  for (const [leg, { media }] of legs) alone(leg, () => media.tick(nowMs));
  conferences.tick(nowMs);
}

parentPort!.on('message', (message: ToWorker) => {
  perform(message).catch((error: unknown) => {
    // A defect here must not take the other legs along; the signalling side ends the leg that asked.
    if ('leg' in message) tell({ type: 'legRefused', leg: message.leg, reason: String(error) });
  });
});

async function perform(message: ToWorker): Promise<void> {
  switch (message.type) {
    case 'openLeg':
      return openLeg(message.leg);
    case 'openConference':
      conferences.open(message.leg);
      return clock.start();
    case 'measure':
      return measure(message.query);
    case 'close':
      return closeAll();
    default: {
      const leg = legs.get(message.leg);
      if (leg !== undefined) return performOnLeg(leg, message);
      if (!conferences.has(message.leg)) return refuseUnknown(message);
      return message.type === 'closeLeg' ? closeConference(message.leg) : conferences.perform(message);
    }
  }
}

async function performOnLeg(leg: LegEntry, message: OnStation): Promise<void> {
  const { media } = leg;
  switch (message.type) {
    case 'setRemote':
      return setRemote(leg, message.remote);
    case 'sendDtls':
      return media.sendHandshake(Buffer.from(message.datagram));
    case 'play':
      leg.play = message.play;
      return playOnLeg(leg, message);
    case 'stopPlay':
      if (leg.play !== message.play) return;
      leg.play = undefined;
      return media.stopPlay();
    case 'record':
      return recordLeg(leg, message);
    case 'stopRecord':
      return stopLegRecord(leg, message.recording);
    case 'pauseRecord': {
      const session = leg.sessions.get(message.recording);
      if (session !== undefined && session !== 'opening') session.mask(message.isPaused);
      return;
    }
    case 'bridge':
      return media.bridge(remotePeer(message.leg, media, message.port));
    case 'bridgeLocal':
      return bridgeLocal(message, media, legs.get(message.peer)?.media);
    case 'joinConference':
      return joinThrough(message.leg, media, message.port);
    case 'unbridge':
      return media.unbridge();
    case 'mute':
      return media.mute(message.way, message.isMuted);
    case 'sendDigits':
      return media.sendDigits(message.digits, message.durationSamples);
    case 'listen': {
      const { leg: name, listen, wish } = message;
      return media.ears.listen(listen, wish, media.codec, (sound) =>
        tell({ type: 'soundHeard', leg: name, listen, sound }),
      );
    }
    case 'stopListen':
      return media.ears.stop(message.listen);
    case 'report':
      return tell({ type: 'reported', leg: message.leg, query: message.query, report: media.report() });
    case 'closeLeg':
      return closeLeg(message.leg);
    default:
      return;
  }
}

function tell(message: FromWorker): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origins
  parentPort!.postMessage(message);
}

/** A message that crossed the leg's closing on the way must still be answered where somebody waits. */
function refuseUnknown(message: OnStation): void {
  if (message.type === 'play') tell({ ...message, type: 'playRefused', reason: 'the leg is closed' });
  if (message.type === 'record') tellNotRecorded(message.leg, message.recording, new Error('the leg is closed'));
  if (message.type === 'bridge' || message.type === 'joinConference') message.port.close();
  if (message.type === 'seat' && typeof message.from !== 'string') message.from.close();
  // One that got no port was never in here.
  if (message.type === 'closeLeg') tell({ type: 'legClosed', leg: message.leg, report: undefined });
}

async function openLeg(leg: string): Promise<void> {
  let transport: PortPair;
  try {
    transport = await ports.bind();
  } catch (error) {
    return tell({ type: 'legRefused', leg, reason: `no RTP port: ${(error as Error).message}` });
  }
  const media = new MediaLeg({
    transport,
    silenceMs: settings.mediaSilenceMs,
    nowMs: performance.now(),
    events: {
      digit: (press) => tell({ type: 'digitHeard', leg, ...press }),
      silent: (silentMs) => tell({ type: 'mediaSilent', leg, silentMs }),
      measured: (quality) => tell({ type: 'qualityMeasured', leg, quality }),
      reported: (news) => tell({ type: 'rtcpHeard', leg, news }),
      dtlsHeard: (datagram) => tell({ type: 'dtlsHeard', leg, datagram }),
    },
  });
  transport.onDatagram((datagram, source) => alone(leg, () => media.receive(datagram, source, performance.now())));
  transport.onControl((datagram, source) =>
    alone(leg, () => media.receiveControl(datagram, source, performance.now())),
  );
  legs.set(leg, { media, play: undefined, remote: undefined, recording: undefined, sessions: new Map() });
  clock.start();
  tell({ type: 'legOpened', leg, port: transport.port, controlPort: transport.controlPort });
}

async function setRemote(leg: LegEntry, remote: RemoteMedia): Promise<void> {
  leg.remote = remote;
  if (remote.codec.name === 'OPUS') await loadOpus();
  if (leg.remote === remote) leg.media.setRemote(remote, performance.now());
}

async function playOnLeg(leg: LegEntry, message: ToWorker & { type: 'play' }): Promise<void> {
  const items = await loadItems(message.items, prompts);
  if (typeof items === 'string') return tell({ ...message, type: 'playRefused', reason: items });
  // Stopped, or the leg closed, while the files were read.
  if (leg.play !== message.play || legs.get(message.leg) !== leg)
    return tell({ ...message, type: 'playEnded', samples: 0, lastItemSamples: 0 });
  leg.media.play(newPlayer(items, message, leg.media.codec.rate));
}

function newPlayer(
  items: readonly PlayerItem[],
  { leg, play, isEndless, maxMs }: ToWorker & { type: 'play' },
  rate: Player['rate'],
): Player {
  const events = {
    started: (name: string) => tell({ type: 'playItemStarted', leg, play, name }),
    stopped: (name: string, samples: number) => tell({ type: 'playItemStopped', leg, play, name, samples }),
    ended: (samples: number, lastItemSamples: number) =>
      tell({ type: 'playEnded', leg, play, samples, lastItemSamples }),
  };
  return new Player(items, { isEndless, maxMs }, events, rate);
}

async function recordLeg(entry: LegEntry, { leg, recording, request }: ToWorker & { type: 'record' }): Promise<void> {
  const ended = (result: RecordResult) => {
    entry.sessions.delete(recording);
    tellRecorded(leg, recording, result);
  };
  const { session } = request;
  try {
    if (session === undefined) {
      entry.recording = recording;
      const { name } = entry.media.codec;
      const recorder = await recordings.open(isG711(name) ? name : 'PCMU', request, ended);
      if (entry.recording !== recording || legs.get(leg) !== entry) return recorder.close('stopped');
      entry.media.record(recorder);
    } else {
      entry.sessions.set(recording, 'opening');
      const recorder = await recordings.openSession({ ...request, session }, (result) => {
        entry.media.forgetSession(recorder);
        ended(result);
      });
      if (!entry.sessions.has(recording) || legs.get(leg) !== entry) return recorder.close('stopped');
      entry.sessions.set(recording, recorder);
      entry.media.recordSession(recorder);
    }
    tell({ type: 'recordStarted', leg, recording });
  } catch (error) {
    tellNotRecorded(leg, recording, error as Error);
  }
}

function stopLegRecord(leg: LegEntry, recording: number): void {
  if (leg.recording === recording) {
    leg.recording = undefined;
    return leg.media.stopRecord();
  }
  const session = leg.sessions.get(recording);
  if (session === 'opening') leg.sessions.delete(recording);
  else session?.close('stopped');
}

function tellRecorded(leg: string, recording: number, result: RecordResult): void {
  tell({ type: 'recordEnded', leg, recording, ...result });
}

function tellNotRecorded(leg: string, recording: number, { message }: Error): undefined {
  tell({ type: 'recordEnded', leg, recording, ending: 'failed', samples: 0, reason: message });
}

function bridgeLocal({ leg, peer }: ToWorker & { type: 'bridgeLocal' }, a: MediaLeg, b: MediaLeg | undefined): void {
  if (b === undefined) return;
  a.bridge({ takes: 'packets', push: (frame) => alone(peer, () => b.hear(frame)), close: () => {} });
  b.bridge({ takes: 'packets', push: (frame) => alone(leg, () => a.hear(frame)), close: () => {} });
}

/** The other leg lives in another worker. */
function remotePeer(leg: string, media: MediaLeg, port: MessagePort): BridgePeer {
  port.on('message', (frame: BridgeFrame) => {
    const ours =
      frame.kind === 'press' || frame.kind === 'quiet' ? frame : { ...frame, payload: Buffer.from(frame.payload) };
    alone(leg, () => media.hear(ours));
  });
  return { takes: 'packets', push: (frame) => port.postMessage(frame), close: () => port.close() };
}

/** The conference is in another worker. */
function joinThrough(leg: string, media: MediaLeg, port: MessagePort): void {
  port.on('message', (frame: SoundFrame) => alone(leg, () => media.hearConference(frame)));
  media.bridge({ takes: 'sound', push: (frame) => port.postMessage(frame), close: () => port.close() });
}

/** A defect in one leg must not take the others along: it ends, and the signalling side is told. */
function alone(leg: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    tell({ type: 'legRefused', leg, reason: String(error) });
    if (!legs.has(leg)) return closeConference(leg);
    try {
      closeLeg(leg);
    } catch {
      // What is broken may not even end well. Nobody hears of it any more.
      closed(leg);
    }
  }
}

function closeLeg(leg: string): void {
  const media = legs.get(leg)?.media;
  legs.delete(leg);
  media?.close();
  const report = media?.report();
  if (report !== undefined) meter.legClosed(report);
  closed(leg, report);
}

function closeConference(name: string): void {
  conferences.close(name);
  closed(name);
}

function closed(station: string, report?: LegReport): void {
  if (legs.size === 0 && conferences.isEmpty) clock.stop();
  tell({ type: 'legClosed', leg: station, report });
}

function measure(query: number): void {
  const reports = [...legs.values()].map(({ media }) => media.report());
  const others = { conferences: conferences.names.length, recordings: recordings.count };
  tell({ type: 'measured', query, numbers: meter.numbers(reports, others) });
}

function closeAll(): void {
  isClosing = true;
  for (const name of conferences.names) closeConference(name);
  for (const leg of legs.keys()) closeLeg(leg);
  finishClosing();
}

/** The thread may only end when every container is complete on the disk. */
function finishClosing(): void {
  if (!isClosing || recordings.areOpen) return;
  tell({ type: 'closed' });
  parentPort!.close();
}
