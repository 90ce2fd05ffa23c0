/** One outgoing RTP stream: our own frames and relayed ones leave with one SSRC, one sequence and one running timestamp. */
import { randomBytes, randomInt } from 'node:crypto';
import { FRAME_MS } from './codec/g711.ts';
import { sequenceStep, timestampStep, writeRtp } from './rtp-packet.ts';

export interface OutgoingFrame {
  readonly payloadType: number;
  readonly payload: Buffer;
  readonly marker?: boolean;
  /** How far the frame's timestamp lies behind now, in units of the RTP clock. */
  readonly sinceStart?: number;
}

export interface RelayedFrame extends OutgoingFrame {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
}

/** Further apart is not the same talk. */
const RESTART_SECS = 2;

export class RtpSender {
  readonly #send: (datagram: Buffer) => void;
  /** Of the timestamps, in units a second; that of the codec. */
  clockRate = 8000;
  #sequence = newSequence();
  #timestamp = random32();
  #ssrc = random32();
  #isTalking = false;
  /** What to add to a relayed stream's numbers; undefined when that stream must be joined anew. */
  #join: { ssrc: number; sequence: number; timestamp: number; last: number } | undefined;

  constructor(send: (datagram: Buffer) => void) {
    this.#send = send;
  }

  get ssrc(): number {
    return this.#ssrc;
  }

  /** Of what is sent now. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** Called once per 20 ms, whether or not anything is sent. */
  tick(): void {
    this.#timestamp = (this.#timestamp + (this.clockRate / 1000) * FRAME_MS) >>> 0;
  }

  frame(frame: OutgoingFrame): void {
    this.#join = undefined;
    this.#emit(frame, this.#sequence, this.#timestamp - (frame.sinceStart ?? 0), frame.marker ?? !this.#isTalking);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#isTalking = true;
  }

  /** Keeps gaps and order of the incoming stream, so that a loss upstream is still a loss downstream. */
  relay(frame: RelayedFrame): void {
    let join = this.#join;
    const isNew =
      join === undefined ||
      join.ssrc !== frame.ssrc ||
      Math.abs(timestampStep(join.last, frame.timestamp)) > RESTART_SECS * this.clockRate;
    if (join === undefined || isNew) {
      join = {
        ssrc: frame.ssrc,
        sequence: this.#sequence - frame.sequence,
        timestamp: this.#timestamp - frame.timestamp,
        last: frame.timestamp,
      };
      this.#join = join;
    }
    const sequence = (frame.sequence + join.sequence) & 0xffff;
    const timestamp = frame.timestamp + join.timestamp;
    join.last = frame.timestamp;
    if (sequenceStep(this.#sequence, sequence) >= 0) this.#sequence = (sequence + 1) & 0xffff;
    if (timestampStep(this.#timestamp, timestamp) > 0) this.#timestamp = timestamp >>> 0;
    this.#emit(frame, sequence, timestamp, isNew || frame.marker === true);
    this.#isTalking = true;
  }

  /** What is relayed next is another stream, whatever its numbers are. */
  endRelay(): void {
    this.#join = undefined;
  }

  /** Another stream for whoever hears it: nothing of what came before is needed to understand it. */
  beginAnew(): void {
    this.#ssrc = random32();
    this.#sequence = newSequence();
    this.#timestamp = random32();
    this.#isTalking = false;
    this.#join = undefined;
  }

  #emit(frame: OutgoingFrame, sequence: number, timestamp: number, marker: boolean): void {
    const { payloadType, payload } = frame;
    this.#send(writeRtp({ payloadType, payload, marker, sequence, timestamp, ssrc: this.#ssrc }));
  }
}

/** Of the lower half: whoever hears SRTP late must not take a second round for the first (RFC 4568 6.4). */
function newSequence(): number {
  return randomInt(0x8000);
}

function random32(): number {
  return randomBytes(4).readUInt32BE();
}
