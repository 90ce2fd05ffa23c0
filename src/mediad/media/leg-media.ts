/** The signalling side's view of one leg's audio: asks its worker and turns the answers into promises and callbacks. */
import { MessageChannel } from 'node:worker_threads';
import type { MediaWorker } from './media-worker.ts';
import {
  type FromWorker,
  type LegReport,
  NO_COUNTERS,
  type PlayItem,
  type RecordEnding,
  type RecordRequest,
  type RemoteMedia,
  type ToWorker,
} from './messages.ts';

export interface LegMediaEvents {
  digitHeard(heard: { digit: string; durationSamples: number; ssrc: number; timestamp: number }): void;
  silent(silentMs: number): void;
  /** The leg's audio has failed: nothing more will come. */
  failed(reason: string): void;
}

export interface PlayEvents {
  itemStarted(name: string): void;
  itemStopped(name: string, samples: number): void;
}

export type PlayResult =
  | { readonly kind: 'played'; readonly samples: number; readonly lastItemSamples: number }
  | { readonly kind: 'refused'; readonly reason: string };

export interface RecordOutcome {
  readonly ending: RecordEnding;
  readonly samples: number;
  readonly reason: string;
}

/** Something that runs in the worker and can be stopped; stopping resolves `done` like any other end. */
export interface Running<T> {
  readonly done: Promise<T>;
  stop(): void;
}

interface Play {
  readonly events: PlayEvents;
  readonly resolve: (result: PlayResult) => void;
}

interface Recording {
  readonly started: () => void;
  readonly resolve: (outcome: RecordOutcome) => void;
}

export class LegMedia {
  readonly #worker: MediaWorker;
  readonly #leg: string;
  readonly #events: LegMediaEvents;
  readonly #plays = new Map<number, Play>();
  readonly #recordings = new Map<number, Recording>();
  readonly #queries = new Map<number, (report: LegReport) => void>();
  #opened: { resolve: (port: number) => void; reject: (error: Error) => void } | undefined;
  #next = 1;
  #isClosed = false;

  constructor(worker: MediaWorker, leg: string, events: LegMediaEvents) {
    this.#worker = worker;
    this.#leg = leg;
    this.#events = events;
    worker.listen(leg, (message) => this.#told(message));
  }

  /** Resolves with the RTP port; rejects when there is none. */
  open(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
      this.#tell({ type: 'openLeg', leg: this.#leg });
    });
  }

  setRemote(remote: RemoteMedia): void {
    this.#tell({ type: 'setRemote', leg: this.#leg, remote });
  }

  play(items: readonly PlayItem[], isEndless: boolean, events: PlayEvents): Running<PlayResult> {
    const play = this.#next++;
    const done = new Promise<PlayResult>((resolve) => this.#plays.set(play, { events, resolve }));
    this.#tell({ type: 'play', leg: this.#leg, play, items, isEndless });
    return { done, stop: () => this.#tell({ type: 'stopPlay', leg: this.#leg, play }) };
  }

  record(request: RecordRequest, started: () => void): Running<RecordOutcome> {
    const recording = this.#next++;
    const done = new Promise<RecordOutcome>((resolve) => this.#recordings.set(recording, { started, resolve }));
    this.#tell({ type: 'record', leg: this.#leg, recording, request });
    return { done, stop: () => this.#tell({ type: 'stopRecord', leg: this.#leg, recording }) };
  }

  bridge(other: LegMedia): void {
    if (this.#worker === other.#worker) {
      this.#tell({ type: 'bridgeLocal', leg: this.#leg, peer: other.#leg });
      return;
    }
    const { port1, port2 } = new MessageChannel();
    this.#worker.tell({ type: 'bridge', leg: this.#leg, port: port1 }, [port1]);
    other.#worker.tell({ type: 'bridge', leg: other.#leg, port: port2 }, [port2]);
  }

  unbridge(): void {
    this.#tell({ type: 'unbridge', leg: this.#leg });
  }

  mute(way: 'read' | 'write', isMuted: boolean): void {
    this.#tell({ type: 'mute', leg: this.#leg, way, isMuted });
  }

  sendDigits(digits: string, durationSamples: number): void {
    this.#tell({ type: 'sendDigits', leg: this.#leg, digits, durationSamples });
  }

  /** undefined when the leg is closed. */
  report(): Promise<LegReport | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    const query = this.#next++;
    return new Promise((resolve) => {
      this.#queries.set(query, resolve);
      this.#tell({ type: 'report', leg: this.#leg, query });
    });
  }

  /** Running plays and recordings end and still report. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#tell({ type: 'closeLeg', leg: this.#leg });
    this.#isClosed = true;
  }

  #tell(message: ToWorker): void {
    if (!this.#isClosed) this.#worker.tell(message);
  }

  #told(message: FromWorker): void {
    switch (message.type) {
      case 'legOpened':
        return this.#opened?.resolve(message.port);
      case 'legRefused':
        this.#opened?.reject(new Error(message.reason));
        return this.#events.failed(message.reason);
      case 'playItemStarted':
        return this.#plays.get(message.play)?.events.itemStarted(message.name);
      case 'playItemStopped':
        return this.#plays.get(message.play)?.events.itemStopped(message.name, message.samples);
      case 'playEnded':
        return this.#played(message.play, {
          kind: 'played',
          samples: message.samples,
          lastItemSamples: message.lastItemSamples,
        });
      case 'playRefused':
        return this.#played(message.play, { kind: 'refused', reason: message.reason });
      case 'recordStarted':
        return this.#recordings.get(message.recording)?.started();
      case 'recordEnded':
        this.#recordings.get(message.recording)?.resolve(message);
        this.#recordings.delete(message.recording);
        return this.#forgetIfDone();
      case 'digitHeard':
        return this.#events.digitHeard(message);
      case 'mediaSilent':
        return this.#events.silent(message.silentMs);
      case 'reported':
        this.#queries.get(message.query)?.(message.report);
        this.#queries.delete(message.query);
        return;
      case 'legClosed':
        return this.#legClosed();
      case 'closed':
        return;
    }
  }

  #played(play: number, result: PlayResult): void {
    this.#plays.get(play)?.resolve(result);
    this.#plays.delete(play);
  }

  /** Whatever was asked of a closing leg and crossed its end is answered here; recordings still finish their file. */
  #legClosed(): void {
    this.#isClosed = true;
    for (const play of this.#plays.keys()) this.#played(play, { kind: 'played', samples: 0, lastItemSamples: 0 });
    const none: LegReport = { counters: NO_COUNTERS, chain: 'closed' };
    for (const answer of this.#queries.values()) answer(none);
    this.#queries.clear();
    this.#forgetIfDone();
  }

  #forgetIfDone(): void {
    if (this.#isClosed && this.#recordings.size === 0) this.#worker.forget(this.#leg);
  }
}
