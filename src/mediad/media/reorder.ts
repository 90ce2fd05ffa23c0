/** Puts packets back in order. Waits for a missing one no longer than the packets behind it are worth (60 ms); no clock, so no drift. */
import { FRAME_MS } from './codec/g711.ts';
import { sequenceStep, timestampStep, type RtpPacket } from './rtp-packet.ts';

const HOLD_MS = 60;
/** A jump this large is a new stream, not a loss. */
const RESTART_STEP = 100;

export class ReorderBuffer {
  readonly #deliver: (packet: RtpPacket) => void;
  readonly #clockRate: number;
  #expected: number | undefined;
  #ssrc: number | undefined;
  readonly #held: RtpPacket[] = [];

  constructor(deliver: (packet: RtpPacket) => void, clockRate = 8000) {
    this.#deliver = deliver;
    this.#clockRate = clockRate;
  }

  push(packet: RtpPacket): void {
    const step = this.#expected === undefined ? 0 : sequenceStep(this.#expected, packet.sequence);
    if (packet.ssrc !== this.#ssrc || Math.abs(step) > RESTART_STEP) {
      this.close();
      this.#ssrc = packet.ssrc;
      this.#expected = packet.sequence;
    } else if (step < 0 || this.#held.some((held) => held.sequence === packet.sequence)) {
      return;
    }
    this.#held.push(packet);
    this.#held.sort((a, b) => sequenceStep(b.sequence, a.sequence));
    this.#release(false);
  }

  /** Delivers what is held. May be called twice. */
  close(): void {
    this.#release(true);
  }

  describe(): string {
    return `reorder(${HOLD_MS}ms)`;
  }

  #release(isClosing: boolean): void {
    for (;;) {
      const first = this.#held[0];
      if (first === undefined) return;
      const span = timestampStep(first.timestamp, this.#held.at(-1)!.timestamp);
      const heldMs = (span * 1000) / this.#clockRate + FRAME_MS;
      if (first.sequence !== this.#expected && !isClosing && heldMs <= HOLD_MS) return;
      this.#held.shift();
      this.#expected = (first.sequence + 1) & 0xffff;
      this.#deliver(first);
    }
  }
}
