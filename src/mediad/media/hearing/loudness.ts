/** Silence, sound, and who seems to have answered. */
import {
  DETECTOR_FRAME_MS,
  energyOf,
  meanLevel,
  shareAt,
  type AnswerHint,
  type Detector,
  type HeardSound,
  type ListenWish,
} from './detector.ts';

export class LevelDetector implements Detector {
  readonly #wish: ListenWish & { kind: 'level' };
  #loud = 0;
  #inARow = 0;
  #isOver = false;

  constructor(wish: ListenWish & { kind: 'level' }) {
    this.#wish = wish;
  }

  push(frame: Int16Array): HeardSound | undefined {
    const { wanted, threshold, frames, afterLoud } = this.#wish;
    const isLoud = meanLevel(frame) >= threshold;
    if (isLoud) this.#loud += 1;
    const isWanted = isLoud === (wanted === 'audio') && this.#loud >= afterLoud;
    this.#inARow = isWanted ? this.#inARow + 1 : 0;
    if (this.#isOver || this.#inARow < frames) return undefined;
    this.#isOver = true;
    return { kind: 'level' };
  }
}

const SPEECH_LEVEL = 250;
/** A human says a word or a name, and listens. */
const HUMAN_MS = 2000;
const PAUSE_MS = 800;
/** A greeting goes on. */
const MAILBOX_MS = 3000;
/** Who says nothing for so long is not told by how he speaks. */
const GIVE_UP_MS = 8000;
const BEEP_FRAMES = 8;
const BEEPS_HZ = Array.from({ length: 51 }, (_, i) => 350 + i * 25);
const BEEP_SHARE = 0.75;

/**
 * Speech, then a pause: a human. Speech without end, or a beep: a mailbox. It is often wrong, in both directions, so it decides nothing: it is told
 * once, for whoever reads the call's trace.
 */
export class AnswerDetector implements Detector {
  #atMs = 0;
  #speechMs = 0;
  #pauseMs = 0;
  #beepFrames = 0;
  #isOver = false;

  push(frame: Int16Array): HeardSound | undefined {
    if (this.#isOver) return undefined;
    this.#atMs += DETECTOR_FRAME_MS;
    const isLoud = meanLevel(frame) >= SPEECH_LEVEL;
    if (isLoud) {
      // A breath between two words belongs to them.
      this.#speechMs += DETECTOR_FRAME_MS + this.#pauseMs;
      this.#pauseMs = 0;
    } else if (this.#speechMs > 0) this.#pauseMs += DETECTOR_FRAME_MS;
    this.#beepFrames = isLoud && isBeep(frame) ? this.#beepFrames + 1 : 0;
    const hint = this.#hint();
    if (hint === undefined) return undefined;
    this.#isOver = true;
    return { kind: 'answer', hint, speechMs: this.#speechMs, pauseMs: this.#pauseMs };
  }

  #hint(): AnswerHint | undefined {
    if (this.#beepFrames >= BEEP_FRAMES || this.#speechMs >= MAILBOX_MS) return 'mailbox';
    if (this.#pauseMs >= PAUSE_MS) return this.#speechMs <= HUMAN_MS ? 'human' : 'unsure';
    return this.#atMs >= GIVE_UP_MS ? 'unsure' : undefined;
  }
}

function isBeep(frame: Int16Array): boolean {
  const energy = energyOf(frame);
  return BEEPS_HZ.some((hz) => shareAt(frame, hz, energy) > BEEP_SHARE);
}
