/** The signalling side's view of one leg's audio: asks its worker and turns the answers into promises and callbacks. */
import { MessageChannel } from 'node:worker_threads';
import type { MediaWorker } from './media-worker.ts';
import {
  type FromWorker,
  type LegReport,
  NO_COUNTERS,
  type PlayItem,
  type RecordRequest,
  type RemoteMedia,
  type ToWorker,
} from './messages.ts';
import {
  type PlayEvents,
  type PlayLimits,
  type PlayResult,
  type Recording,
  type RecordOutcome,
  Requests,
  type Running,
} from './requests.ts';

export interface LegMediaEvents {
  digitHeard(heard: { digit: string; durationSamples: number; ssrc: number; timestamp: number }): void;
  silent(silentMs: number): void;
  /** The leg's audio has failed: nothing more will come. */
  failed(reason: string): void;
}

export class LegMedia {
  readonly #worker: MediaWorker;
  readonly #leg: string;
  readonly #events: LegMediaEvents;
  readonly #requests: Requests;
  readonly #queries = new Map<number, (report: LegReport) => void>();
  #opened: { resolve: (port: number) => void; reject: (error: Error) => void } | undefined;
  #nextQuery = 1;
  #isClosed = false;

  constructor(worker: MediaWorker, leg: string, events: LegMediaEvents) {
    this.#worker = worker;
    this.#leg = leg;
    this.#events = events;
    this.#requests = new Requests(leg, (message) => this.#tell(message));
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

  play(items: readonly PlayItem[], limits: PlayLimits, events: PlayEvents): Running<PlayResult> {
    return this.#requests.play(items, limits, events);
  }

  record(request: RecordRequest, started: () => void): Recording<RecordOutcome> {
    return this.#requests.record(request, started);
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

  /** Where it runs: a conference wants to know. */
  get place(): { readonly worker: MediaWorker; readonly leg: string } {
    return { worker: this.#worker, leg: this.#leg };
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
    const query = this.#nextQuery++;
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

  /** False: it is closed, and nothing answers. */
  #tell(message: ToWorker): boolean {
    if (!this.#isClosed) this.#worker.tell(message);
    return !this.#isClosed;
  }

  #told(message: FromWorker): void {
    if (this.#requests.told(message)) return this.#forgetIfDone();
    switch (message.type) {
      case 'legOpened':
        return this.#opened?.resolve(message.port);
      case 'legRefused':
        this.#opened?.reject(new Error(message.reason));
        return this.#events.failed(message.reason);
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
      default:
        return;
    }
  }

  /** Whatever was asked of a closing leg and crossed its end is answered here; recordings still finish their file. */
  #legClosed(): void {
    this.#isClosed = true;
    this.#requests.endPlays();
    const none: LegReport = { counters: NO_COUNTERS, chain: 'closed' };
    for (const answer of this.#queries.values()) answer(none);
    this.#queries.clear();
    this.#forgetIfDone();
  }

  #forgetIfDone(): void {
    if (this.#isClosed && !this.#requests.isRecording) this.#worker.forget(this.#leg);
  }
}
