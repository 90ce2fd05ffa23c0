/** Puts packets back in order. Waits for a missing one no longer than the packets behind it are worth (60 ms); no clock, so no drift. */
import { FRAME_SAMPLES } from './g711.ts';
import { sequenceStep, type RtpPacket } from './rtp-packet.ts';

const HOLD_MS = 60;
const HOLD_SAMPLES = HOLD_MS * 8;
/** A jump this large is a new stream, not a loss. */
const RESTART_STEP = 100;

export class ReorderBuffer {
  readonly #deliver: (packet: RtpPacket) => void;
  #expected: number | undefined;
  #ssrc: number | undefined;
  readonly #held: RtpPacket[] = [];

  constructor(deliver: (packet: RtpPacket) => void) {
    this.#deliver = deliver;
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
      const heldSamples = this.#held.reduce((sum, packet) => sum + (packet.payload.length || FRAME_SAMPLES), 0);
      if (first.sequence !== this.#expected && !isClosing && heldSamples <= HOLD_SAMPLES) return;
      this.#held.shift();
      this.#expected = (first.sequence + 1) & 0xffff;
      this.#deliver(first);
    }
  }
}
