/** How a leg sounds, both ways: measured here, and told by the other side in its reports. Rated every 5 s, and at the end for the whole. */
import type { Codec } from './codec/codec-types.ts';
import { rate } from './e-model.ts';
import type { LegQuality, MediaCounters, OneWay } from './messages.ts';
import type { Reception } from './reception.ts';
import type { Heard } from './rtcp-session.ts';

const STRETCH_MS = 5000;
/** How long sound waits to be heard evenly: as our own jitter buffer. */
const LEAST_WAIT_MS = 40;
const LONGEST_WAIT_MS = 200;
/** Of a stretch: above it the loss is heard as such. */
const BURST_SHARE = 0.03;

/** Sums over the stretches in which something was due. */
interface Whole {
  stretches: number;
  jitterMs: number;
  varianceMin: number;
  varianceMax: number;
  intervalMs: number;
  bursts: number;
  worstMos: number;
}

export class QualityMeter {
  readonly #reception: Reception;
  readonly #counters: MediaCounters;
  readonly #whole: Whole = {
    stretches: 0,
    jitterMs: 0,
    varianceMin: Infinity,
    varianceMax: 0,
    intervalMs: 0,
    bursts: 0,
    worstMos: Infinity,
  };
  #codec: Codec;
  #dueMs: number;
  #roundTrip: { sumMs: number; count: number; lastMs: number } = { sumMs: 0, count: 0, lastMs: 0 };
  #out: { lost: number; lossSum: number; jitterSum: number; count: number; last: Heard } | undefined;

  constructor(
    reception: Reception,
    options: { readonly counters: MediaCounters; readonly codec: Codec; readonly nowMs: number },
  ) {
    this.#reception = reception;
    this.#counters = options.counters;
    this.#codec = options.codec;
    this.#dueMs = options.nowMs + STRETCH_MS;
  }

  set codec(codec: Codec) {
    this.#codec = codec;
  }

  /** From the other side. */
  told(heard: Heard): void {
    const out = (this.#out ??= { lost: 0, lossSum: 0, jitterSum: 0, count: 0, last: heard });
    out.lost = heard.lost;
    out.lossSum += heard.fractionLost;
    out.jitterSum += this.#inMs(heard.jitter);
    out.count += 1;
    out.last = heard;
    if (heard.roundTripMs === undefined) return;
    this.#roundTrip.sumMs += heard.roundTripMs;
    this.#roundTrip.count += 1;
    this.#roundTrip.lastMs = heard.roundTripMs;
  }

  /** With the end of each 5 s what they were like; undefined in between, and when nothing was due. */
  tick(nowMs: number): LegQuality | undefined {
    if (nowMs < this.#dueMs) return undefined;
    this.#dueMs += STRETCH_MS;
    const stretch = this.#reception.stretch();
    if (stretch.expected <= 0) return undefined;
    const { jitterInMs } = this.#counters;
    const rated = this.#rated(stretch, jitterInMs, this.#roundTrip.lastMs);
    const whole = this.#whole;
    whole.stretches += 1;
    whole.jitterMs += jitterInMs;
    whole.varianceMin = Math.min(whole.varianceMin, stretch.variance);
    whole.varianceMax = Math.max(whole.varianceMax, stretch.variance);
    whole.intervalMs += stretch.meanIntervalMs;
    whole.worstMos = Math.min(whole.worstMos, rated.mos);
    if (rated.lossShare > BURST_SHARE) whole.bursts += 1;
    const last = this.#out?.last;
    return {
      in: rated,
      out: last && this.#ratedOut(last.fractionLost, this.#inMs(last.jitter), this.#roundTrip.lastMs),
      roundTripMs: this.#roundTrip.count === 0 ? undefined : this.#roundTrip.lastMs,
      spread: { min: stretch.variance, max: stretch.variance },
      meanIntervalMs: stretch.meanIntervalMs,
      burstShare: rated.lossShare > BURST_SHARE ? 1 : 0,
      worstMos: rated.mos,
    };
  }

  /** All of it until now; undefined when nothing was ever due. */
  whole(): LegQuality | undefined {
    const { expected } = this.#reception;
    const { lostIn, lateIn, jitterInMs } = this.#counters;
    if (expected <= 0) return undefined;
    const { stretches, jitterMs, varianceMin, varianceMax, intervalMs, bursts, worstMos } = this.#whole;
    const { sumMs, count } = this.#roundTrip;
    const roundTripMs = count === 0 ? 0 : sumMs / count;
    const mean = (sum: number) => (stretches === 0 ? 0 : sum / stretches);
    const rated = this.#rated(
      { expected, lost: lostIn, late: lateIn },
      stretches === 0 ? jitterInMs : mean(jitterMs),
      roundTripMs,
    );
    const out = this.#out;
    return {
      in: rated,
      out: out && this.#ratedOut(out.lossSum / out.count, out.jitterSum / out.count, roundTripMs),
      roundTripMs: count === 0 ? undefined : roundTripMs,
      spread: { min: stretches === 0 ? 0 : varianceMin, max: varianceMax },
      meanIntervalMs: mean(intervalMs),
      burstShare: mean(bursts),
      worstMos: Math.min(worstMos, rated.mos),
    };
  }

  #rated(
    { expected, lost, late }: { readonly expected: number; readonly lost: number; readonly late: number },
    jitterMs: number,
    roundTripMs: number,
  ): OneWay {
    const lossShare = Math.min(1, lost / expected);
    const lateShare = Math.min(1 - lossShare, late / expected);
    return {
      lossShare,
      lateShare,
      jitterMs,
      ...rate({ lostShare: lossShare + lateShare, oneWayMs: this.#oneWay(jitterMs, roundTripMs) }),
    };
  }

  #ratedOut(lossShare: number, jitterMs: number, roundTripMs: number): OneWay {
    return {
      lossShare,
      lateShare: 0,
      jitterMs,
      ...rate({ lostShare: lossShare, oneWayMs: this.#oneWay(jitterMs, roundTripMs) }),
    };
  }

  #oneWay(jitterMs: number, roundTripMs: number): number {
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(LEAST_WAIT_MS, this.#codec.ptimeMs + 3 * jitterMs));
    return roundTripMs / 2 + waitMs;
  }

  #inMs(jitter: number): number {
    return Math.min(10_000, (jitter * 1000) / this.#codec.clockRate);
  }
}
