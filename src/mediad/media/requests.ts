/** What a leg or a conference was asked to play and to record, until its worker says that it has ended. */
import type { FromWorker, PlayItem, RecordEnding, RecordRequest, ToWorker } from './messages.ts';

export interface PlayEvents {
  itemStarted(name: string): void;
  itemStopped(name: string, samples: number): void;
}

/** Played once and to the end, unless told otherwise. */
export interface PlayLimits {
  /** Over and over. */
  readonly isEndless?: boolean;
  readonly maxMs?: number;
  /** Of a conference: the only one who hears it. */
  readonly member?: number;
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

export interface Recording<T> extends Running<T> {
  /** Paused: what comes is left out; of a session, recorded as silence. */
  pause(isPaused: boolean): void;
}

interface Started {
  readonly started: () => void;
  readonly resolve: (outcome: RecordOutcome) => void;
}

export class Requests {
  readonly #leg: string;
  readonly #tell: (message: ToWorker) => boolean;
  readonly #plays = new Map<number, Play>();
  readonly #recordings = new Map<number, Started>();
  #next = 1;

  /** `tell`: false when nobody is there any more who could answer. */
  constructor(leg: string, tell: (message: ToWorker) => boolean) {
    this.#leg = leg;
    this.#tell = tell;
  }

  get isRecording(): boolean {
    return this.#recordings.size > 0;
  }

  play(items: readonly PlayItem[], limits: PlayLimits, events: PlayEvents): Running<PlayResult> {
    const play = this.#next++;
    const done = new Promise<PlayResult>((resolve) => this.#plays.set(play, { events, resolve }));
    const wish = { type: 'play', leg: this.#leg, play, items, isEndless: false, maxMs: Infinity, ...limits } as const;
    if (!this.#tell(wish)) this.#played(play, { kind: 'played', samples: 0, lastItemSamples: 0 });
    return { done, stop: () => this.#tell({ type: 'stopPlay', leg: this.#leg, play }) };
  }

  record(request: RecordRequest, started: () => void): Recording<RecordOutcome> {
    const leg = this.#leg;
    const recording = this.#next++;
    const done = new Promise<RecordOutcome>((resolve) => this.#recordings.set(recording, { started, resolve }));
    if (!this.#tell({ type: 'record', leg, recording, request })) {
      this.#recorded(recording, { ending: 'failed', samples: 0, reason: 'it is closed' });
    }
    return {
      done,
      stop: () => this.#tell({ type: 'stopRecord', leg, recording }),
      pause: (isPaused) => this.#tell({ type: 'pauseRecord', leg, recording, isPaused }),
    };
  }

  /** True: it was about one of these. */
  told(message: FromWorker): boolean {
    switch (message.type) {
      case 'playItemStarted':
        this.#plays.get(message.play)?.events.itemStarted(message.name);
        return true;
      case 'playItemStopped':
        this.#plays.get(message.play)?.events.itemStopped(message.name, message.samples);
        return true;
      case 'playEnded':
        this.#played(message.play, {
          kind: 'played',
          samples: message.samples,
          lastItemSamples: message.lastItemSamples,
        });
        return true;
      case 'playRefused':
        this.#played(message.play, { kind: 'refused', reason: message.reason });
        return true;
      case 'recordStarted':
        this.#recordings.get(message.recording)?.started();
        return true;
      case 'recordEnded':
        this.#recorded(message.recording, message);
        return true;
      default:
        return false;
    }
  }

  /** Whoever plays is gone: what was asked and crossed its end is answered here. */
  endPlays(): void {
    for (const play of this.#plays.keys()) this.#played(play, { kind: 'played', samples: 0, lastItemSamples: 0 });
  }

  #played(play: number, result: PlayResult): void {
    this.#plays.get(play)?.resolve(result);
    this.#plays.delete(play);
  }

  #recorded(recording: number, outcome: RecordOutcome): void {
    this.#recordings.get(recording)?.resolve(outcome);
    this.#recordings.delete(recording);
  }
}
