/**
 * A conference as the event socket sees it: members by number, what is played to them and recorded of them.
 *
 *   the first member opens it -> … -> the last one leaves, or one with the flag endconf: a moment later everybody is let go
 */
import type { EventHeaders } from '../../event-socket/framing.ts';
import type { ConferenceMedia } from '../../media/conference-media.ts';
import type { PlayItem, RecordRequest } from '../../media/messages.ts';
import type { Recording, RecordOutcome, Running } from '../../media/requests.ts';
import type { EventBus } from '../events.ts';
import { Member } from './member.ts';

export const MAINTENANCE = 'conference::maintenance';

export interface ConferenceOptions {
  readonly name: string;
  readonly profile: string;
  readonly uuid: string;
  readonly bus: EventBus;
  readonly media: ConferenceMedia;
  /** Once, when the last member has left. */
  readonly onEnded: () => void;
  readonly nowMs: () => number;
}

interface Playing {
  readonly file: string;
  readonly member: number | undefined;
  running: Running<unknown> | undefined;
  isStopped: boolean;
}

const MAX_PLAYING = 100;
const MAX_RECORDINGS = 16;

export class Conference {
  readonly name: string;
  readonly profile: string;
  readonly uuid: string;
  readonly members = new Map<number, Member>();
  readonly startedAtMs: number;
  isLocked = false;
  pin = '';
  /** 0: as many as there is room for. */
  maxMembers = 0;
  soundPrefix = '';
  callerIdName = '';
  callerIdNumber = '';
  graceSecs = 1;
  readonly #options: ConferenceOptions;
  readonly #recordings = new Map<string, Recording<RecordOutcome>>();
  readonly #playing: Playing[] = [];
  /** The end of what is played to all, and to each one: one thing after the other. */
  readonly #tails = new Map<number | undefined, Promise<void>>();
  #floor: number | undefined;
  #isEnded = false;

  constructor(options: ConferenceOptions) {
    this.name = options.name;
    this.profile = options.profile;
    this.uuid = options.uuid;
    this.#options = options;
    this.startedAtMs = options.nowMs();
    this.publish('conference-create');
  }

  get ageSecs(): number {
    return Math.floor((this.#options.nowMs() - this.startedAtMs) / 1000);
  }

  get ghosts(): number {
    return [...this.members.values()].filter((member) => member.isGhost).length;
  }

  get recordings(): readonly string[] {
    return [...this.#recordings.keys()];
  }

  get floor(): number | undefined {
    return this.#floor;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  join(member: Member): void {
    this.members.set(member.id, member);
    this.#options.media.join(member.id, member.channel.media, member.seat);
    member.channel.variables.set('conference_member_id', String(member.id));
    member.channel.variables.set('conference_name', this.name);
    member.channel.variables.set('conference_uuid', this.uuid);
    this.publishOf('add-member', member);
  }

  /** It stays in its application; `left` is for who ends that. */
  leave(member: Member): void {
    if (!this.members.delete(member.id)) return;
    this.#options.media.leave(member.id, member.channel.media);
    if (this.#floor === member.id) this.#floor = undefined;
    this.publishOf('del-member', member);
    if (member.flags.has('endconf')) setTimeout(() => this.end(), this.graceSecs * 1000).unref();
    if (this.members.size === 0) this.end();
  }

  /** Lets everybody go. May be called twice. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const member of this.members.values()) {
      this.leave(member);
      member.left();
    }
    for (const playing of this.#playing) stop(playing);
    this.#options.media.close();
    this.publish('conference-destroy');
    this.#options.onEnded();
  }

  /** What the member may do has changed. */
  changed(member: Member): void {
    this.#options.media.set(member.id, member.seat);
  }

  talking(id: number, isTalking: boolean, energy: number): void {
    const member = this.members.get(id);
    if (member === undefined) return;
    member.currentEnergy = energy;
    if (!member.canSpeak) {
      if (isTalking && member.isDetectingMute) this.publishOf('mute-detect', member);
      return;
    }
    member.isTalking = isTalking;
    if (isTalking && this.#floor === undefined) this.takeFloor(member);
    this.publishOf(isTalking ? 'start-talking' : 'stop-talking', member);
  }

  takeFloor(member: Member): void {
    const before = this.#floor;
    this.#floor = member.id;
    this.publishOf('floor-change', member, { 'Old-ID': String(before ?? 'none'), 'New-ID': String(member.id) });
  }

  /** False when too much waits to be played. Without `member`: to all. */
  play(file: string, items: readonly PlayItem[], member: number | undefined, isBeside: boolean): boolean {
    if (this.#playing.length >= MAX_PLAYING) return false;
    const playing: Playing = { file, member, running: undefined, isStopped: false };
    this.#playing.push(playing);
    const before = isBeside ? Promise.resolve() : (this.#tails.get(member) ?? Promise.resolve());
    const after = before.then(() => this.#playOne(playing, items));
    if (isBeside) return true;
    this.#tails.set(member, after);
    void after.then(() => {
      if (this.#tails.get(member) === after) this.#tails.delete(member);
    });
    return true;
  }

  /** How many were stopped. */
  stopPlaying(which: 'current' | 'all' | 'last' | 'async', member: number | undefined): number {
    const own = this.#playing.filter((playing) => playing.member === member);
    const chosen = which === 'current' ? own.slice(0, 1) : which === 'last' ? own.slice(-1) : own;
    for (const playing of chosen) stop(playing);
    return chosen.length;
  }

  /** Resolves with why it cannot be recorded there, or undefined once it runs. */
  async record(file: string, request: RecordRequest): Promise<string | undefined> {
    if (this.#recordings.has(file)) return 'it is being recorded to this path already';
    if (this.#recordings.size >= MAX_RECORDINGS) return `it is being recorded ${MAX_RECORDINGS} times already`;
    const about = { Path: file };
    const { promise: started, resolve } = Promise.withResolvers<true>();
    const recording = this.#options.media.record(request, () => resolve(true));
    this.#recordings.set(file, recording);
    void recording.done.then(({ samples, ending }) => {
      if (this.#recordings.get(file) === recording) this.#recordings.delete(file);
      if (ending === 'failed') return;
      this.publish('stop-recording', {
        ...about,
        'Other-Recordings': String(this.#recordings.size > 0),
        'Samples-Out': String(samples),
        Milliseconds: String(Math.floor(samples / 8)),
      });
    });
    const outcome = await Promise.race([started, recording.done]);
    if (outcome !== true) return outcome.ending === 'failed' ? outcome.reason : undefined;
    this.publish('start-recording', about);
    return undefined;
  }

  /** False: it is not being recorded there. */
  changeRecording(file: string, change: 'pause' | 'resume' | 'stop'): boolean {
    const recording = this.#recordings.get(file);
    if (recording === undefined) return false;
    if (change === 'stop') {
      recording.stop();
      this.#recordings.delete(file);
    } else {
      recording.pause(change === 'pause');
      this.publish(`${change}-recording`, { Path: file });
    }
    return true;
  }

  publish(action: string, headers: EventHeaders = {}): void {
    this.#publish({ ...this.#headers(), Action: action, ...headers });
  }

  publishOf(action: string, member: Member, headers: EventHeaders = {}): void {
    const floor = { Floor: String(member.id === this.#floor) };
    this.#publish({ ...member.headers(), ...this.#headers(), ...floor, Action: action, ...headers });
  }

  #publish(headers: EventHeaders): void {
    this.#options.bus.publish('CUSTOM', headers, { subclass: MAINTENANCE });
  }

  #headers(): EventHeaders {
    return {
      'Conference-Name': this.name,
      'Conference-Domain': 'mrf',
      'Conference-Size': String(this.members.size),
      'Conference-Ghosts': String(this.ghosts),
      'Conference-Profile-Name': this.profile,
      'Conference-Unique-ID': this.uuid,
    };
  }

  async #playOne(playing: Playing, items: readonly PlayItem[]): Promise<void> {
    const { file, member } = playing;
    const about = { File: file, Async: 'false' };
    const to = member === undefined ? undefined : this.members.get(member);
    const isGone = member !== undefined && to === undefined;
    if (!playing.isStopped && !isGone && !this.#isEnded) {
      if (to === undefined) this.publish('play-file', about);
      else this.publishOf('play-file-member', to, about);
      const running = this.#options.media.play(items, member, { itemStarted() {}, itemStopped() {} });
      playing.running = running;
      const result = await running.done;
      const samples = result.kind === 'played' ? result.samples : 0;
      const played = {
        ...about,
        seconds: String(Math.floor(samples / 8000)),
        milliseconds: String(Math.floor(samples / 8)),
        samples: String(samples),
      };
      const after = member === undefined ? undefined : this.members.get(member);
      if (member === undefined) this.publish('play-file-done', played);
      else if (after !== undefined) this.publishOf('play-file-member-done', after, played);
    }
    this.#playing.splice(this.#playing.indexOf(playing), 1);
  }
}

function stop(playing: Playing): void {
  playing.isStopped = true;
  playing.running?.stop();
}
