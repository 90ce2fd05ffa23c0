/** The signalling side's view of one leg's audio: asks its worker and turns the answers into promises and callbacks. */
import { MessageChannel } from 'node:worker_threads';
import type { HeardSound, ListenWish } from './hearing/detector.ts';
import type { MediaWorker } from './media-worker.ts';
import {
  type FromWorker,
  type LegPlace,
  type LegQuality,
  type LegReport,
  NO_REPORT,
  type PlayItem,
  type RecordRequest,
  type RemoteMedia,
  type RtcpNews,
} from './messages.ts';
import {
  type PlayEvents,
  type PlayLimits,
  type PlayResult,
  type Recording,
  type RecordOutcome,
  type Running,
} from './requests.ts';
import { Station } from './station.ts';

export interface LegMediaEvents {
  digitHeard(heard: { digit: string; durationSamples: number; ssrc: number; timestamp: number }): void;
  silent(silentMs: number): void;
  /** Of the last 5 s. */
  measured(quality: LegQuality): void;
  /** RTCP of the other side. */
  reported(news: RtcpNews): void;
  /** The leg's audio has failed: nothing more will come. */
  failed(reason: string): void;
}

/** Who agrees on the keys of a leg with the other side. */
export interface KeyAgreement {
  /** A datagram from where the leg's sound may come. */
  receive(datagram: Buffer): void;
  close(): void;
}

export class LegMedia {
  readonly #station: Station;
  readonly #events: LegMediaEvents;
  readonly #queries = new Map<number, (report: LegReport) => void>();
  #opened: { resolve: (place: LegPlace) => void; reject: (error: Error) => void } | undefined;
  readonly #closed = Promise.withResolvers<LegReport | undefined>();
  readonly #listeners = new Map<number, (sound: HeardSound) => void>();
  #nextQuery = 1;
  #agreement: KeyAgreement | undefined;

  constructor(worker: MediaWorker, leg: string, events: LegMediaEvents) {
    this.#events = events;
    this.#station = new Station(worker, leg, (message) => this.#told(message));
  }

  /** Rejects when there is no port for it. */
  open(): Promise<LegPlace> {
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
      this.#station.tell({ type: 'openLeg', leg: this.#station.name });
    });
  }

  setRemote(remote: RemoteMedia): void {
    this.#station.tell({ type: 'setRemote', leg: this.#station.name, remote });
  }

  /** Closed with the leg. */
  agreeBy(agreement: KeyAgreement): void {
    this.#agreement = agreement;
  }

  sendDtls(datagram: Buffer): void {
    this.#station.tell({ type: 'sendDtls', leg: this.#station.name, datagram });
  }

  play(items: readonly PlayItem[], limits: PlayLimits, events: PlayEvents): Running<PlayResult> {
    return this.#station.requests.play(items, limits, events);
  }

  record(request: RecordRequest, started: () => void): Recording<RecordOutcome> {
    return this.#station.requests.record(request, started);
  }

  bridge(other: LegMedia): void {
    const { worker, leg } = other.place;
    if (this.#station.worker === worker) {
      this.#station.tell({ type: 'bridgeLocal', leg: this.#station.name, peer: leg });
      return;
    }
    const { port1, port2 } = new MessageChannel();
    this.#station.worker.tell({ type: 'bridge', leg: this.#station.name, port: port1 }, [port1]);
    worker.tell({ type: 'bridge', leg, port: port2 }, [port2]);
  }

  /** Where it runs: a conference wants to know. */
  get place(): { readonly worker: MediaWorker; readonly leg: string } {
    return { worker: this.#station.worker, leg: this.#station.name };
  }

  unbridge(): void {
    this.#station.tell({ type: 'unbridge', leg: this.#station.name });
  }

  mute(way: 'read' | 'write', isMuted: boolean): void {
    this.#station.tell({ type: 'mute', leg: this.#station.name, way, isMuted });
  }

  sendDigits(digits: string, durationSamples: number): void {
    this.#station.tell({ type: 'sendDigits', leg: this.#station.name, digits, durationSamples });
  }

  /** The function it returns ends it. */
  listen(wish: ListenWish, heard: (sound: HeardSound) => void): () => void {
    const listen = this.#nextQuery++;
    const leg = this.#station.name;
    this.#listeners.set(listen, heard);
    this.#station.tell({ type: 'listen', leg, listen, wish });
    return () => {
      if (this.#listeners.delete(listen)) this.#station.tell({ type: 'stopListen', leg, listen });
    };
  }

  /** undefined when the leg is closed. */
  report(): Promise<LegReport | undefined> {
    if (this.#station.isClosed) return Promise.resolve(undefined);
    const query = this.#nextQuery++;
    return new Promise((resolve) => {
      this.#queries.set(query, resolve);
      this.#station.tell({ type: 'report', leg: this.#station.name, query });
    });
  }

  /** Running plays and recordings end and still report. Resolves with the leg's last report, if it ever had a port. May be called twice. */
  close(): Promise<LegReport | undefined> {
    this.#station.close();
    this.#agreement?.close();
    return this.#closed.promise;
  }

  #told(message: FromWorker): void {
    switch (message.type) {
      case 'legOpened':
        return this.#opened?.resolve(message);
      case 'legRefused':
        this.#opened?.reject(new Error(message.reason));
        return this.#events.failed(message.reason);
      case 'digitHeard':
        return this.#events.digitHeard(message);
      case 'soundHeard':
        return this.#listeners.get(message.listen)?.(message.sound);
      case 'mediaSilent':
        return this.#events.silent(message.silentMs);
      case 'qualityMeasured':
        return this.#events.measured(message.quality);
      case 'dtlsHeard':
        return this.#agreement?.receive(Buffer.from(message.datagram));
      case 'rtcpHeard':
        return this.#events.reported(message.news);
      case 'reported':
        this.#queries.get(message.query)?.(message.report);
        this.#queries.delete(message.query);
        return;
      case 'legClosed':
        return this.#legClosed(message.report);
      default:
        return;
    }
  }

  /** Whatever was asked of a closing leg and crossed its end is answered here. */
  #legClosed(report: LegReport | undefined): void {
    this.#station.ended();
    this.#closed.resolve(report);
    const none: LegReport = report ?? NO_REPORT;
    for (const answer of this.#queries.values()) answer(none);
    this.#queries.clear();
  }
}
