/** Tones of telephone networks and fax machines, by their frequencies and their rhythm. */
import { DETECTOR_FRAME_MS, energyOf, shareAt, type Detector, type HeardSound } from './detector.ts';

const LEAST_SHARE = 0.7;
/** Of each of several at once. */
const LEAST_OF_EACH = 0.12;
/** Mean square. */
const LEAST_LEVEL = 100 * 100;
/** A tone must last. */
const TONE_FRAMES = 5;
/** A frame in which one ends and the next begins is neither. */
const BETWEEN_FRAMES = 2;

/** FreeSWITCH's tone_detect: some frequencies at once. */
export class ToneDetector implements Detector {
  readonly #name: string;
  readonly #hz: readonly number[];
  #hitsLeft: number;
  #frames = 0;

  constructor(name: string, frequenciesHz: readonly number[], hits: number) {
    this.#name = name;
    this.#hz = frequenciesHz;
    this.#hitsLeft = hits;
  }

  push(frame: Int16Array): HeardSound | undefined {
    this.#frames = isThere(frame, this.#hz) ? this.#frames + 1 : 0;
    if (this.#frames !== TONE_FRAMES || this.#hitsLeft === 0) return undefined;
    this.#hitsLeft -= 1;
    return this.#hitsLeft === 0 ? { kind: 'tone', name: this.#name } : undefined;
  }
}

interface Step {
  /** [] is silence. */
  readonly hz: readonly number[];
  readonly minMs: number;
  readonly maxMs: number;
}

interface Pattern {
  /** As FreeSWITCH's spandsp.conf calls them. */
  readonly name: string;
  readonly steps: readonly Step[];
}

const BUSY = [[480, 620], [425]];
const beat = (hz: readonly number[], minMs: number, maxMs: number): Step[] => [
  { hz, minMs, maxMs },
  { hz: [], minMs, maxMs },
];

const PATTERNS: readonly Pattern[] = [
  ...BUSY.map((hz) => ({ name: 'BUSY_TONE', steps: [...beat(hz, 400, 600), ...beat(hz, 400, 600)] })),
  ...BUSY.map((hz) => ({ name: 'REORDER_TONE', steps: [...beat(hz, 180, 340), ...beat(hz, 180, 340)] })),
  // ITU-T E.180: three rising tones.
  { name: 'SIT', steps: [950, 1400, 1800].map((hz) => ({ hz: [hz], minMs: 200, maxMs: 440 })) },
  // ITU-T T.30: who is called, and who calls.
  { name: 'CED_TONE', steps: [{ hz: [2100], minMs: 1500, maxMs: Infinity }] },
  {
    name: 'CNG_TONE',
    steps: [
      { hz: [1100], minMs: 400, maxMs: 620 },
      { hz: [], minMs: 500, maxMs: Infinity },
    ],
  },
];

export class ProgressDetector implements Detector {
  readonly #followers = PATTERNS.map((pattern) => new Follower(pattern));

  push(frame: Int16Array): HeardSound | undefined {
    let heard: HeardSound | undefined;
    for (const follower of this.#followers) if (follower.push(frame)) heard ??= { kind: 'tone', name: follower.name };
    return heard;
  }
}

/** Walks through one pattern, step by step. */
class Follower {
  readonly name: string;
  readonly #steps: readonly Step[];
  #index = 0;
  #lasted = 0;
  #between = 0;

  constructor({ name, steps }: Pattern) {
    this.name = name;
    this.#steps = steps;
  }

  /** True once the last step has lasted long enough. */
  push(frame: Int16Array): boolean {
    const step = this.#steps[this.#index]!;
    if (isThere(frame, step.hz)) {
      this.#lasted += DETECTOR_FRAME_MS * (1 + this.#between);
      this.#between = 0;
      if (this.#lasted > step.maxMs) this.#restart();
      else if (this.#index === this.#steps.length - 1 && this.#lasted >= step.minMs) {
        this.#restart();
        return true;
      }
      return false;
    }
    const next = this.#steps[this.#index + 1];
    if (next !== undefined && this.#lasted >= step.minMs && isThere(frame, next.hz)) {
      this.#index += 1;
      this.#lasted = DETECTOR_FRAME_MS;
      this.#between = 0;
      return false;
    }
    this.#between += 1;
    if (this.#between > BETWEEN_FRAMES || this.#lasted === 0) this.#restart();
    return false;
  }

  #restart(): void {
    this.#index = 0;
    this.#lasted = 0;
    this.#between = 0;
  }
}

function isThere(frame: Int16Array, hz: readonly number[]): boolean {
  const energy = energyOf(frame);
  const isSilent = energy < LEAST_LEVEL * frame.length;
  if (hz.length === 0 || isSilent) return hz.length === 0 && isSilent;
  const shares = hz.map((frequency) => shareAt(frame, frequency, energy));
  return shares.every((share) => share >= LEAST_OF_EACH) && shares.reduce((a, b) => a + b) >= LEAST_SHARE;
}
