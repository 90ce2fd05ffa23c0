/** The signalling side's view of a conference's sound: it is mixed in one worker, and its members may be in others. */
import { MessageChannel } from 'node:worker_threads';
import type { LegMedia } from './leg-media.ts';
import type { MediaWorker } from './media-worker.ts';
import type { FromWorker, PlayItem, RecordRequest, SeatSettings, ToWorker } from './messages.ts';
import {
  type PlayEvents,
  type PlayResult,
  type Recording,
  type RecordOutcome,
  Requests,
  type Running,
} from './requests.ts';

export interface ConferenceMediaEvents {
  talking(member: number, isTalking: boolean, energy: number): void;
  /** Its sound has failed. */
  failed(reason: string): void;
}

export class ConferenceMedia {
  readonly #worker: MediaWorker;
  readonly #name: string;
  readonly #events: ConferenceMediaEvents;
  readonly #requests: Requests;
  #isClosed = false;

  /** `name`: unlike that of any leg. */
  constructor(worker: MediaWorker, name: string, events: ConferenceMediaEvents) {
    this.#worker = worker;
    this.#name = name;
    this.#events = events;
    this.#requests = new Requests(name, (message) => this.#tell(message));
    worker.listen(name, (message) => this.#told(message));
    this.#tell({ type: 'openConference', leg: name });
  }

  join(member: number, media: LegMedia, settings: SeatSettings): void {
    const { worker, leg } = media.place;
    const seat = { type: 'seat', leg: this.#name, member, settings } as const;
    if (worker === this.#worker) {
      this.#tell({ ...seat, from: leg });
      return;
    }
    if (this.#isClosed) return;
    const { port1, port2 } = new MessageChannel();
    this.#worker.tell({ ...seat, from: port1 }, [port1]);
    worker.tell({ type: 'joinConference', leg, port: port2 }, [port2]);
  }

  set(member: number, settings: SeatSettings): void {
    this.#tell({ type: 'setSeat', leg: this.#name, member, settings });
  }

  leave(member: number, media: LegMedia): void {
    media.unbridge();
    this.#tell({ type: 'leaveSeat', leg: this.#name, member });
  }

  /** `member` alone hears it, if there is one. */
  play(items: readonly PlayItem[], member: number | undefined, events: PlayEvents): Running<PlayResult> {
    return this.#requests.play(items, member === undefined ? {} : { member }, events);
  }

  record(request: RecordRequest, started: () => void): Recording<RecordOutcome> {
    return this.#requests.record(request, started);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#tell({ type: 'closeLeg', leg: this.#name });
    this.#isClosed = true;
  }

  /** False: it is closed, and nothing answers. */
  #tell(message: ToWorker): boolean {
    if (!this.#isClosed) this.#worker.tell(message);
    return !this.#isClosed;
  }

  #told(message: FromWorker): void {
    if (!this.#requests.told(message)) {
      if (message.type === 'memberTalking')
        return this.#events.talking(message.member, message.isTalking, message.energy);
      if (message.type === 'legRefused') return this.#events.failed(message.reason);
      if (message.type === 'legClosed') {
        this.#isClosed = true;
        this.#requests.endPlays();
      }
    }
    if (this.#isClosed && !this.#requests.isRecording) this.#worker.forget(this.#name);
  }
}
