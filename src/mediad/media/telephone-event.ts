/** Digits as RTP events, RFC 4733. */
import { FRAME_SAMPLES, SAMPLE_RATE } from './codec/g711.ts';
import { timestampStep } from './rtp-packet.ts';

export interface DigitPress {
  readonly digit: string;
  /** In units of the RTP clock (8000 a second). */
  readonly durationSamples: number;
  readonly timestamp: number;
}

const DIGITS = '0123456789*#ABCD';
/** A sender repeats an event every 20 to 50 ms; after this silence all three end packets were lost. */
const LOST_END_MS = 250;

/** Segments of a long press are nearly as long as the field can say. */
const LEAST_SEGMENT = 0xf000;

interface Press {
  readonly digit: string;
  /** Of its first packet. */
  readonly timestamp: number;
  /** Samples of the segments that are over. */
  before: number;
  durationSamples: number;
  heardAt: number;
}

/**
 * One press per RTP timestamp, however many of its packets are lost, repeated or late. It is reported at its end; if the end is lost, when the
 * next press begins or nothing more arrives.
 */
export class DigitReceiver {
  readonly #report: (press: DigitPress) => void;
  #current: Press | undefined;
  /** Timestamp of the newest press: older ones are stragglers. */
  #newest: number | undefined;
  #ssrc: number | undefined;

  constructor(report: (press: DigitPress) => void) {
    this.#report = report;
  }

  push(event: { ssrc: number; timestamp: number; payload: Buffer }, nowMs: number): void {
    if (event.payload.length < 4) return;
    const digit = DIGITS[event.payload[0]!];
    if (digit === undefined) return;
    if (event.ssrc !== this.#ssrc) this.#restart(event.ssrc);
    const { timestamp } = event;
    const step = this.#newest === undefined ? 1 : timestampStep(this.#newest, timestamp);
    if (step < 0 || (step === 0 && this.#current === undefined)) return;
    if (step > 0 && !this.#goesOn(digit, step, timestamp)) this.#begin(digit, timestamp);
    const current = this.#current!;
    current.heardAt = nowMs;
    current.durationSamples = Math.max(current.durationSamples, event.payload.readUInt16BE(2));
    if ((event.payload[1]! & 0x80) !== 0) this.#end();
  }

  tick(nowMs: number): void {
    if (this.#current !== undefined && nowMs - this.#current.heardAt > LOST_END_MS) this.#end();
  }

  /** Reports a press that is still held. */
  close(): void {
    this.#end();
  }

  describe(): string {
    return 'dtmf';
  }

  #begin(digit: string, timestamp: number): void {
    this.#end();
    this.#newest = timestamp;
    this.#current = { digit, timestamp, before: 0, durationSamples: 0, heardAt: 0 };
  }

  /** RFC 4733 2.5.1.3: a press too long for the field goes on under a new timestamp, which counts on from the last. */
  #goesOn(digit: string, step: number, timestamp: number): boolean {
    const current = this.#current;
    if (current === undefined || current.digit !== digit || step < LEAST_SEGMENT || step > 0xffff) return false;
    current.before += step;
    current.durationSamples = 0;
    this.#newest = timestamp;
    return true;
  }

  #end(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    const { digit, before, durationSamples, timestamp } = current;
    this.#report({ digit, durationSamples: before + durationSamples, timestamp });
  }

  #restart(ssrc: number): void {
    this.#end();
    this.#ssrc = ssrc;
    this.#newest = undefined;
  }
}

export interface EventFrame {
  readonly payload: Buffer;
  /** First packet of a press. */
  readonly marker: boolean;
  /** Samples at 8 kHz since the press, or this segment of it, began: the packet's timestamp lies so far back. */
  readonly sinceStart: number;
}

const MAX_QUEUED_DIGITS = 128;
const END_PACKETS = 3;
const PAUSE_FRAMES = 4;
/** -10 dBm0, a usual level. */
const VOLUME = 10;

/** Sends queued digits, one packet per 20 ms frame, with a pause between them. */
export class DigitSender {
  readonly #queue: { code: number; durationSamples: number }[] = [];
  #sent = 0;
  #ends = 0;
  #pause = 0;

  /** Unknown characters and digits beyond the queue's bound are left out. */
  queue(digits: string, durationSamples: number): void {
    for (const digit of digits.toUpperCase()) {
      const code = DIGITS.indexOf(digit);
      if (code !== -1 && this.#queue.length < MAX_QUEUED_DIGITS) this.#queue.push({ code, durationSamples });
    }
  }

  get isSending(): boolean {
    return this.#queue.length > 0 || this.#pause > 0;
  }

  /** The packet due in this frame; undefined in a pause. `clockRate`: in which durations are told. */
  next(clockRate = SAMPLE_RATE): EventFrame | undefined {
    if (this.#pause > 0) {
      this.#pause -= 1;
      return undefined;
    }
    const press = this.#queue[0];
    if (press === undefined) return undefined;
    const marker = this.#sent === 0;
    const before = this.#sent;
    this.#sent += FRAME_SAMPLES;
    const isEnd = this.#sent >= press.durationSamples;
    const lasted = Math.min(this.#sent, press.durationSamples);
    // RFC 4733 2.5.1.3: what does not fit into the field goes on in a new segment.
    const perSegment = Math.floor((0xffff * SAMPLE_RATE) / clockRate / FRAME_SAMPLES) * FRAME_SAMPLES;
    const segment = Math.floor((lasted - 1) / perSegment) * perSegment;
    const payload = Buffer.alloc(4);
    payload[0] = press.code;
    payload[1] = (isEnd ? 0x80 : 0) | VOLUME;
    payload.writeUInt16BE(((lasted - segment) * clockRate) / SAMPLE_RATE, 2);
    if (isEnd) this.#ends += 1;
    if (this.#ends === END_PACKETS) this.#next();
    return { payload, marker, sinceStart: before - segment };
  }

  #next(): void {
    this.#queue.shift();
    this.#sent = 0;
    this.#ends = 0;
    this.#pause = PAUSE_FRAMES;
  }
}
