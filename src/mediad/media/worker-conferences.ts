/** The conferences of a worker: who sits in them, what is played to them and recorded of them. */
import type { MessagePort } from 'node:worker_threads';
import type { SoundFrame } from './bridge.ts';
import type { MediaLeg } from './media-leg.ts';
import type { FromWorker, OnStation, ToWorker } from './messages.ts';
import { Mixer } from './mixer.ts';
import type { Player, PlayerItem } from './player.ts';
import type { RecordResult } from './recorder.ts';
import type { WorkerRecordings } from './worker-recordings.ts';

/** What they need of the thread that they run in. */
export interface ConferenceSurroundings {
  readonly tell: (message: FromWorker) => void;
  readonly findLeg: (name: string) => MediaLeg | undefined;
  readonly recordings: Pick<WorkerRecordings, 'open'>;
  /** A string is why one of them cannot be played. */
  readonly load: (items: (ToWorker & { type: 'play' })['items']) => Promise<PlayerItem[] | string>;
  readonly newPlayer: (
    items: readonly PlayerItem[],
    message: ToWorker & { type: 'play' },
    rate: Player['rate'],
  ) => Player;
  /** Runs something for a leg or a conference, which ends if that throws. */
  readonly alone: (station: string, work: () => void) => void;
}

interface Entry {
  readonly mixer: Mixer;
  readonly ports: Map<number, MessagePort>;
  /** Plays and recordings that were asked for, and not stopped while their files were opened. */
  readonly opening: Set<number>;
}

export class WorkerConferences {
  readonly #around: ConferenceSurroundings;
  readonly #open = new Map<string, Entry>();

  constructor(around: ConferenceSurroundings) {
    this.#around = around;
  }

  get names(): readonly string[] {
    return [...this.#open.keys()];
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  has(name: string): boolean {
    return this.#open.has(name);
  }

  open(name: string): void {
    const mixer = new Mixer({
      talking: (member, isTalking, energy) =>
        this.#around.tell({ type: 'memberTalking', leg: name, member, isTalking, energy }),
    });
    this.#open.set(name, { mixer, ports: new Map(), opening: new Set() });
  }

  tick(nowMs: number): void {
    for (const [name, { mixer }] of this.#open) this.#around.alone(name, () => mixer.tick(nowMs));
  }

  close(name: string): void {
    const entry = this.#open.get(name);
    if (entry === undefined) return;
    this.#open.delete(name);
    entry.opening.clear();
    entry.mixer.close();
    for (const port of entry.ports.values()) port.close();
  }

  async perform(message: OnStation): Promise<void> {
    const entry = this.#open.get(message.leg);
    if (entry === undefined) return;
    const { mixer, ports, opening } = entry;
    switch (message.type) {
      case 'seat':
        return this.#seat(entry, message);
      case 'setSeat':
        return mixer.set(message.member, message.settings);
      case 'leaveSeat':
        ports.get(message.member)?.close();
        ports.delete(message.member);
        return mixer.leave(message.member);
      case 'play':
        return this.#play(entry, message);
      case 'stopPlay':
        opening.delete(message.play);
        return mixer.stopPlay(message.play);
      case 'record':
        return this.#record(entry, message);
      case 'stopRecord':
        opening.delete(message.recording);
        return mixer.stopRecord(message.recording);
      case 'pauseRecord':
        return mixer.pauseRecord(message.recording, message.isPaused);
      default:
        return;
    }
  }

  async #play({ mixer, opening }: Entry, message: ToWorker & { type: 'play' }): Promise<void> {
    const { tell, load, newPlayer } = this.#around;
    opening.add(message.play);
    const items = await load(message.items);
    // Stopped, or the conference closed, while the files were read.
    if (!opening.delete(message.play)) return tell({ ...message, type: 'playEnded', samples: 0, lastItemSamples: 0 });
    if (typeof items === 'string') return tell({ ...message, type: 'playRefused', reason: items });
    mixer.play(message.play, newPlayer(items, message, mixer.rate), message.member);
  }

  async #record({ mixer, opening }: Entry, { leg, recording, request }: ToWorker & { type: 'record' }): Promise<void> {
    const { tell, recordings } = this.#around;
    const ended = (result: RecordResult) => {
      mixer.forgetRecording(recording);
      tell({ type: 'recordEnded', leg, recording, ...result });
    };
    opening.add(recording);
    try {
      const recorder = await recordings.open('PCMU', request, ended);
      if (!opening.delete(recording)) return recorder.close('stopped');
      mixer.record(recording, recorder);
      tell({ type: 'recordStarted', leg, recording });
    } catch (error) {
      opening.delete(recording);
      ended({ ending: 'failed', samples: 0, reason: (error as Error).message });
    }
  }

  #seat({ mixer, ports }: Entry, { leg: name, member, settings, from }: ToWorker & { type: 'seat' }): void {
    const { alone, findLeg } = this.#around;
    if (typeof from !== 'string') {
      ports.set(member, from);
      from.on('message', (frame: SoundFrame) => alone(name, () => mixer.push(member, frame)));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origins
      return mixer.join(member, settings, (frame) => from.postMessage(frame));
    }
    const media = findLeg(from);
    if (media === undefined) return;
    mixer.join(member, settings, (frame) => alone(from, () => media.hearConference(frame)));
    media.bridge({ takes: 'sound', push: (frame) => alone(name, () => mixer.push(member, frame)), close: () => {} });
  }
}
