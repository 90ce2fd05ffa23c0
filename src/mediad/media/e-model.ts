/**
 * How a connection sounds to who listens: the E-model of ITU-T G.107, with all that cannot be measured here at its default, so that of
 * R = R0 - Is - Id - Ie-eff + A only delay and loss remain. The delay term is the fit of Cole and Rosenbluth ("Voice over IP performance
 * monitoring", 2001), the loss term is G.107 7-29 with random losses.
 */
export interface Impairments {
  /** From 0 to 1: what was not there when it should have been heard. */
  readonly lostShare: number;
  readonly oneWayMs: number;
}

export interface Rating {
  /** 0 to 93.2. */
  readonly r: number;
  /** Mean opinion score as G.107 annex B computes it, 1 to 4.5. */
  readonly mos: number;
}

/** R0 - Is at the defaults of G.107. */
const BEST = 93.2;
/**
 * Bpl of G.113 appendix I for G.711 with concealment, whose Ie is 0. Our other codecs have no values on this scale for what we do with them, so they
 * count the same: 20 ms that are lost and concealed.
 */
const ROBUSTNESS = 25.1;
/** Above it people begin to interrupt each other. */
const CONVERSATIONAL_MS = 177.3;

export function rate({ lostShare, oneWayMs }: Impairments): Rating {
  const lossPercent = Math.min(1, Math.max(0, lostShare)) * 100;
  const delay = Math.max(0, oneWayMs);
  const ofDelay = 0.024 * delay + (delay > CONVERSATIONAL_MS ? 0.11 * (delay - CONVERSATIONAL_MS) : 0);
  const ofLoss = 95 * (lossPercent / (lossPercent + ROBUSTNESS));
  const r = Math.max(0, BEST - ofDelay - ofLoss);
  return { r, mos: opinionOf(r) };
}

/** G.107 B-4. */
function opinionOf(r: number): number {
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
