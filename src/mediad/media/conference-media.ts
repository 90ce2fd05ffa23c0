/** The signalling side's view of a conference's sound: it is mixed in one worker, and its members may be in others. */
import { MessageChannel } from 'node:worker_threads';
import type { LegMedia } from './leg-media.ts';
import type { MediaWorker } from './media-worker.ts';
import type { FromWorker, PlayItem, RecordRequest, SeatSettings } from './messages.ts';
import { type PlayEvents, type PlayResult, type Recording, type RecordOutcome, type Running } from './requests.ts';
import { Station } from './station.ts';

export interface ConferenceMediaEvents {
  talking(member: number, isTalking: boolean, energy: number): void;
  /** Its sound has failed. */
  failed(reason: string): void;
}

export class ConferenceMedia {
  readonly #station: Station;
  readonly #events: ConferenceMediaEvents;

  /** `name`: unlike that of any leg. */
  constructor(worker: MediaWorker, name: string, events: ConferenceMediaEvents) {
    this.#events = events;
    this.#station = new Station(worker, name, (message) => this.#told(message));
    this.#station.tell({ type: 'openConference', leg: name });
  }

  join(member: number, media: LegMedia, settings: SeatSettings): void {
    const { worker, leg } = media.place;
    const seat = { type: 'seat', leg: this.#station.name, member, settings } as const;
    if (worker === this.#station.worker) {
      this.#station.tell({ ...seat, from: leg });
      return;
    }
    if (this.#station.isClosed) return;
    const { port1, port2 } = new MessageChannel();
    this.#station.worker.tell({ ...seat, from: port1 }, [port1]);
    worker.tell({ type: 'joinConference', leg, port: port2 }, [port2]);
  }

  set(member: number, settings: SeatSettings): void {
    this.#station.tell({ type: 'setSeat', leg: this.#station.name, member, settings });
  }

  leave(member: number, media: LegMedia): void {
    media.unbridge();
    this.#station.tell({ type: 'leaveSeat', leg: this.#station.name, member });
  }

  /** `member` alone hears it, if there is one. */
  play(items: readonly PlayItem[], member: number | undefined, events: PlayEvents): Running<PlayResult> {
    return this.#station.requests.play(items, member === undefined ? {} : { member }, events);
  }

  record(request: RecordRequest, started: () => void): Recording<RecordOutcome> {
    return this.#station.requests.record(request, started);
  }

  close(): void {
    this.#station.close();
  }

  #told(message: FromWorker): void {
    if (message.type === 'memberTalking')
      return this.#events.talking(message.member, message.isTalking, message.energy);
    if (message.type === 'legRefused') return this.#events.failed(message.reason);
    if (message.type === 'legClosed') this.#station.ended();
  }
}
