/**
 * A conference: everybody hears everybody but himself. With each tick it has one frame of each member and gives one to each.
 *
 *   member -> gain -> sum -> minus himself -> gain -> member          + what is played to all, or to one of them
 *                      sum -> record
 */
import type { SoundFrame } from './bridge.ts';
import type { AudioRate } from './codec/codec-types.ts';
import { encodeG711, FRAME_MS } from './codec/g711.ts';
import { Resampler } from './codec/resample.ts';
import type { SeatSettings } from './messages.ts';
import { Player } from './player.ts';
import type { Recorder } from './recorder.ts';

export interface MixerEvents {
  talking(member: number, isTalking: boolean, energy: number): void;
}

/** A word's pause is not the end of a talk. */
const HANGOVER_TICKS = 25;
/** A member that another thread gives more than it takes is a tick ahead; more is late. */
const MAX_WAITING = 3;

interface Seat {
  readonly hear: (frame: SoundFrame) => void;
  settings: SeatSettings;
  readonly waiting: SoundFrame[];
  resampler: Resampler | undefined;
  rate: AudioRate;
  /** What it said in this tick, at the conference's rate. */
  said: Int16Array | undefined;
  talkTicks: number;
  isTalking: boolean;
}

interface Playing {
  readonly player: Player;
  /** undefined: to all. */
  readonly member: number | undefined;
  readonly resampler: Resampler | undefined;
}

export class Mixer {
  readonly #events: MixerEvents;
  readonly #seats = new Map<number, Seat>();
  readonly #playing = new Map<number, Playing>();
  readonly #recorders = new Map<number, { readonly recorder: Recorder; isPaused: boolean; timestamp: number }>();
  /** A recording is made at 8 kHz. */
  #toRecord = new Resampler(8000, 8000);
  #rate: AudioRate = 8000;
  #sum: Int32Array = new Int32Array((8000 / 1000) * FRAME_MS);

  constructor(events: MixerEvents) {
    this.#events = events;
  }

  /** As wide as its widest member. */
  get rate(): AudioRate {
    return this.#rate;
  }

  join(member: number, settings: SeatSettings, hear: (frame: SoundFrame) => void): void {
    this.#seats.set(member, {
      hear,
      settings,
      waiting: [],
      resampler: undefined,
      rate: 8000,
      said: undefined,
      talkTicks: 0,
      isTalking: false,
    });
  }

  leave(member: number): void {
    this.#seats.delete(member);
    for (const [play, { member: to, player }] of this.#playing) {
      if (to !== member) continue;
      this.#playing.delete(play);
      player.close();
    }
    this.#widen();
  }

  set(member: number, settings: SeatSettings): void {
    const seat = this.#seats.get(member);
    if (seat !== undefined) seat.settings = settings;
  }

  push(member: number, frame: SoundFrame): void {
    const seat = this.#seats.get(member);
    if (seat === undefined) return;
    if (seat.rate !== frame.rate) {
      seat.rate = frame.rate;
      this.#widen();
    }
    seat.waiting.push(frame);
    if (seat.waiting.length > MAX_WAITING) seat.waiting.shift();
  }

  play(play: number, player: Player, member: number | undefined): void {
    // Who left while the files were read hears nothing; nor may it play for ever.
    if (member !== undefined && !this.#seats.has(member)) return player.close();
    this.#playing.set(play, {
      player,
      member,
      resampler: player.rate === this.#rate ? undefined : new Resampler(player.rate, this.#rate),
    });
  }

  stopPlay(play: number): void {
    const playing = this.#playing.get(play);
    this.#playing.delete(play);
    playing?.player.close();
  }

  record(recording: number, recorder: Recorder): void {
    this.#recorders.set(recording, { recorder, isPaused: false, timestamp: 0 });
  }

  pauseRecord(recording: number, isPaused: boolean): void {
    const entry = this.#recorders.get(recording);
    if (entry !== undefined) entry.isPaused = isPaused;
  }

  stopRecord(recording: number): void {
    this.#recorders.get(recording)?.recorder.close('stopped');
    this.#recorders.delete(recording);
  }

  /** It has ended by itself. */
  forgetRecording(recording: number): void {
    this.#recorders.delete(recording);
  }

  /** After all legs of this thread have spoken. */
  tick(nowMs: number): void {
    this.#sum.fill(0);
    for (const [member, seat] of this.#seats) this.#listenTo(member, seat);
    const whispers = this.#playAll();
    for (const [member, seat] of this.#seats) this.#speakTo(seat, whispers.get(member));
    this.#writeDown(nowMs);
  }

  describe(): string {
    return `conference(${this.#seats.size} at ${this.#rate} Hz)`;
  }

  close(): void {
    for (const play of this.#playing.keys()) this.stopPlay(play);
    for (const { recorder } of this.#recorders.values()) recorder.close('legClosed');
    this.#recorders.clear();
    this.#seats.clear();
  }

  #listenTo(member: number, seat: Seat): void {
    seat.said = undefined;
    const frame = seat.waiting.shift();
    if (frame === undefined) return;
    const samples = this.#fit(seat, frame);
    const energy = energyOf(samples);
    this.#noticeTalk(member, seat, energy);
    const { canSpeak, gainIn, energyLevel } = seat.settings;
    if (!canSpeak || (energy < energyLevel && !seat.isTalking)) return;
    seat.said = gainIn === 1 ? samples : samples.map((sample) => clip(sample * gainIn));
    for (let i = 0; i < this.#sum.length; i++) this.#sum[i]! += seat.said[i] ?? 0;
  }

  #fit(seat: Seat, { samples, rate }: SoundFrame): Int16Array {
    if (rate === this.#rate) return samples;
    if (seat.resampler?.from !== rate || seat.resampler.to !== this.#rate)
      seat.resampler = new Resampler(rate, this.#rate);
    return seat.resampler.process(samples);
  }

  #noticeTalk(member: number, seat: Seat, energy: number): void {
    const isLoud = energy >= seat.settings.talkLevel;
    seat.talkTicks = isLoud ? HANGOVER_TICKS : Math.max(0, seat.talkTicks - 1);
    const isTalking = seat.talkTicks > 0;
    if (isTalking === seat.isTalking) return;
    seat.isTalking = isTalking;
    this.#events.talking(member, isTalking, Math.round(energy));
  }

  /** Adds what is played to all, and returns what only some members hear. */
  #playAll(): Map<number, Int32Array> {
    const whispers = new Map<number, Int32Array>();
    for (const [play, { player, member, resampler }] of this.#playing) {
      const frame = new Int16Array((player.rate / 1000) * FRAME_MS);
      player.next(frame);
      if (player.isEnded) this.#playing.delete(play);
      const samples = resampler?.to === this.#rate ? resampler.process(frame) : frame;
      let into: Int32Array = this.#sum;
      if (member !== undefined) {
        into = whispers.get(member) ?? new Int32Array(this.#sum.length);
        whispers.set(member, into);
      }
      for (let i = 0; i < into.length; i++) into[i]! += samples[i] ?? 0;
    }
    return whispers;
  }

  #speakTo(seat: Seat, whisper: Int32Array | undefined): void {
    const samples = new Int16Array(this.#sum.length);
    const { canHear, gainOut } = seat.settings;
    for (let i = 0; i < samples.length; i++) {
      const others = canHear ? this.#sum[i]! - (seat.said?.[i] ?? 0) : 0;
      samples[i] = clip((others + (whisper?.[i] ?? 0)) * gainOut);
    }
    seat.hear({ samples, rate: this.#rate });
  }

  #writeDown(nowMs: number): void {
    if (this.#recorders.size === 0) return;
    if (this.#toRecord.from !== this.#rate) this.#toRecord = new Resampler(this.#rate, 8000);
    const samples = this.#toRecord.process(Int16Array.from(this.#sum, clip));
    const payload = Buffer.allocUnsafe(samples.length);
    encodeG711('PCMU', samples, payload);
    for (const entry of this.#recorders.values()) {
      // A paused one is left alone: it would take our silence for somebody's.
      if (entry.isPaused) continue;
      entry.recorder.push({ timestamp: entry.timestamp, payload, law: 'PCMU' }, nowMs);
      entry.timestamp = (entry.timestamp + payload.length) >>> 0;
      entry.recorder.tick(nowMs);
    }
  }

  #widen(): void {
    const rate = [...this.#seats.values()].some((seat) => seat.rate === 16_000) ? 16_000 : 8000;
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.#sum = new Int32Array((rate / 1000) * FRAME_MS);
    for (const [play, { player, member }] of this.#playing) this.play(play, player, member);
  }
}

/** Mean absolute amplitude. */
function energyOf(samples: Int16Array): number {
  let sum = 0;
  for (const sample of samples) sum += Math.abs(sample);
  return samples.length === 0 ? 0 : sum / samples.length;
}

function clip(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : Math.round(value);
}
