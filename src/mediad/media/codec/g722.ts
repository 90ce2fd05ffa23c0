/**
 * ITU-T G.722 at 64 kbit/s: 16 kHz speech in two sub-bands, one byte for two samples. Names in capitals are the blocks of the recommendation.
 */

/** Coefficients of both quadrature mirror filters, table 11. */
const QMF = Int32Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11);
/** Samples that the filters reach back. */
const QMF_REACH = 22;

/** Decision levels of the 6-bit quantiser, and its codes by sign, tables 14 and 18. */
const LEVELS = Int32Array.of(
  0,
  35,
  72,
  110,
  150,
  190,
  233,
  276,
  323,
  370,
  422,
  473,
  530,
  587,
  650,
  714,
  786,
  858,
  940,
  1023,
  1121,
  1219,
  1339,
  1458,
  1612,
  1765,
  1980,
  2195,
  2557,
  2919,
);
const NEGATIVE_CODES = Int32Array.of(0, 63, 62, ...descending(31, 4));
const POSITIVE_CODES = Int32Array.of(0, ...descending(61, 32));

/** Quantiser outputs with 2, 4 and 6 bits, tables 16, 17 and 20. */
const HIGH_OUTPUT = Int32Array.of(-7408, -1616, 7408, 1616);
const LOW_OUTPUT_4 = Int32Array.of(
  0,
  -20_456,
  -12_896,
  -8968,
  -6288,
  -4240,
  -2584,
  -1200,
  20_456,
  12_896,
  8968,
  6288,
  4240,
  2584,
  1200,
  0,
);
const LOW_OUTPUT_6 = Int32Array.of(
  -136,
  -136,
  -136,
  -136,
  -24_808,
  -21_904,
  -19_008,
  -16_704,
  -14_984,
  -13_512,
  -12_280,
  -11_192,
  -10_232,
  -9360,
  -8576,
  -7856,
  -7192,
  -6576,
  -6000,
  -5456,
  -4944,
  -4464,
  -4008,
  -3576,
  -3168,
  -2776,
  -2400,
  -2032,
  -1688,
  -1360,
  -1040,
  -728,
  24_808,
  21_904,
  19_008,
  16_704,
  14_984,
  13_512,
  12_280,
  11_192,
  10_232,
  9360,
  8576,
  7856,
  7192,
  6576,
  6000,
  5456,
  4944,
  4464,
  4008,
  3576,
  3168,
  2776,
  2400,
  2032,
  1688,
  1360,
  1040,
  728,
  432,
  136,
  -432,
  -136,
);

/** How a code moves the logarithmic scale factor, tables 21 and 22. */
const LOW_STEP = Int32Array.of(-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60);
const HIGH_STEP = Int32Array.of(798, -214, 798, -214);

/** 2048 · 2^(n/32): LOGSCL back to linear. */
const LINEAR = Int32Array.of(
  2048,
  2093,
  2139,
  2186,
  2233,
  2282,
  2332,
  2383,
  2435,
  2489,
  2543,
  2599,
  2656,
  2714,
  2774,
  2834,
  2896,
  2960,
  3025,
  3091,
  3158,
  3228,
  3298,
  3371,
  3444,
  3520,
  3597,
  3676,
  3756,
  3838,
  3922,
  4008,
);

/** One sub-band: the adaptive predictor and the adaptive scale of its quantiser, the same in encoder and decoder. */
class SubBand {
  /** What the predictor expects. */
  expected = 0;
  /** DETL, DETH: the scale. */
  scale: number;
  readonly #logLimit: number;
  readonly #logShift: number;
  #log = 0;
  #zeroPart = 0;
  /** Reconstructed signal, one and two samples ago. */
  #r1 = 0;
  #r2 = 0;
  /** Partially reconstructed signal. */
  #p1 = 0;
  #p2 = 0;
  #pole1 = 0;
  #pole2 = 0;
  /** Doubled, as they are needed. */
  readonly #differences = new Int32Array(6);
  readonly #zeros = new Int32Array(6);

  constructor(scale: number, logLimit: number, logShift: number) {
    this.scale = scale;
    this.#logLimit = logLimit;
    this.#logShift = logShift;
  }

  /** `difference`: the quantised prediction error; `step`: of the logarithmic scale. */
  adapt(difference: number, step: number): void {
    this.#rescale(step);
    const reconstructed = saturate(this.expected + difference);
    const partial = saturate(this.#zeroPart + difference);
    this.#adaptPoles(partial);
    this.#r2 = this.#r1;
    this.#r1 = reconstructed;
    this.#p2 = this.#p1;
    this.#p1 = partial;
    this.#zeroPart = this.#adaptZeros(difference);
    this.expected = saturate(this.#poles() + this.#zeroPart);
  }

  /** LOGSCL, SCALEL. */
  #rescale(step: number): void {
    this.#log = Math.min(this.#logLimit, Math.max(0, ((this.#log * 127) >> 7) + step));
    const mantissa = LINEAR[(this.#log >> 6) & 31]!;
    const shift = this.#logShift - (this.#log >> 11);
    this.scale = (shift < 0 ? mantissa << -shift : mantissa >> shift) << 2;
  }

  /** UPPOL1, UPPOL2. */
  #adaptPoles(partial: number): void {
    const sign = partial >> 15;
    const turn1 = ~(sign ^ (this.#p1 >> 15));
    const four = saturate(this.#pole1 << 2);
    const turned = Math.min(32_767, (four ^ turn1) - turn1);
    const second = (turned >> 7) - withSign(128, ~(sign ^ (this.#p2 >> 15))) + ((this.#pole2 * 32_512) >> 15);
    const pole2 = Math.min(12_288, Math.max(-12_288, second));
    this.#pole2 = pole2;
    const first = ((this.#pole1 * 32_640) >> 15) - withSign(192, turn1);
    const bound = 15_360 - pole2;
    this.#pole1 = Math.min(bound, Math.max(-bound, first));
  }

  /**
   * UPZERO, DELAYA, FILTEZ: each coefficient is adapted, its difference moves on, and both give their part of the prediction. Signs are random, so
   * there are no branches on them; and no coefficient can leave 16 bits, as it loses a 256th before it is pushed by 128.
   */
  #adaptZeros(difference: number): number {
    const differences = this.#differences;
    const zeros = this.#zeros;
    const gain = difference === 0 ? 0 : 128;
    const sign = difference >> 15;
    let sum = 0;
    for (let i = 5; i >= 0; i--) {
      const zero = withSign(gain, (differences[i]! >> 15) ^ sign) + ((zeros[i]! * 32_640) >> 15);
      const moved = i === 0 ? saturate(2 * difference) : differences[i - 1]!;
      zeros[i] = zero;
      differences[i] = moved;
      sum += (zero * moved) >> 15;
    }
    return saturate(sum);
  }

  /** FILTEP. */
  #poles(): number {
    return saturate(((this.#pole1 * saturate(2 * this.#r1)) >> 15) + ((this.#pole2 * saturate(2 * this.#r2)) >> 15));
  }
}

const lowBand = () => new SubBand(32, 18_432, 8);
const highBand = () => new SubBand(8, 22_528, 10);

/** Samples in a row for the filters: what they reach back to, and behind it what is new. */
class FilterLine {
  #line = new Int32Array(QMF_REACH);

  /** So many new samples, written by `fill` behind those that are reached back to. */
  with(count: number): Int32Array {
    const before = this.#line;
    const line = before.length === QMF_REACH + count ? before : new Int32Array(QMF_REACH + count);
    line.set(before.subarray(before.length - QMF_REACH));
    this.#line = line;
    return line;
  }
}

export class G722Encoder {
  readonly #low = lowBand();
  readonly #high = highBand();
  readonly #line = new FilterLine();

  /** An even number of samples at 16 kHz. */
  encode(samples: Int16Array): Buffer {
    const bytes = Buffer.allocUnsafe(samples.length >> 1);
    const line = this.#line.with(bytes.length * 2);
    line.set(samples.subarray(0, bytes.length * 2), QMF_REACH);
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#pair(line, 2 * i);
    return bytes;
  }

  #pair(line: Int32Array, at: number): number {
    let even = 0;
    let odd = 0;
    for (let i = 0; i < 12; i++) {
      even += line[at + 2 * i]! * QMF[i]!;
      odd += line[at + 2 * i + 1]! * QMF[11 - i]!;
    }
    return (this.#encodeHigh((odd - even) >> 14) << 6) | this.#encodeLow((even + odd) >> 14);
  }

  #encodeLow(sample: number): number {
    const band = this.#low;
    const error = saturate(sample - band.expected);
    const size = error >= 0 ? error : -(error + 1);
    // The first level that it does not reach; they rise.
    let level = 1;
    let beyond = 30;
    while (level < beyond) {
      const middle = (level + beyond) >> 1;
      if (size >= (LEVELS[middle]! * band.scale) >> 12) level = middle + 1;
      else beyond = middle;
    }
    const code = (error < 0 ? NEGATIVE_CODES : POSITIVE_CODES)[level]!;
    const coarse = code >> 2;
    band.adapt((band.scale * LOW_OUTPUT_4[coarse]!) >> 15, LOW_STEP[coarse]!);
    return code;
  }

  #encodeHigh(sample: number): number {
    const band = this.#high;
    const error = saturate(sample - band.expected);
    const size = error >= 0 ? error : -(error + 1);
    const isLarge = size >= (564 * band.scale) >> 12;
    const code = (error < 0 ? 0 : 2) | (isLarge ? 0 : 1);
    band.adapt((band.scale * HIGH_OUTPUT[code]!) >> 15, HIGH_STEP[code]!);
    return code;
  }
}

export class G722Decoder {
  readonly #low = lowBand();
  readonly #high = highBand();
  readonly #line = new FilterLine();

  /** Two samples at 16 kHz for each byte. */
  decode(bytes: Uint8Array): Int16Array {
    const samples = new Int16Array(bytes.length * 2);
    const line = this.#line.with(samples.length);
    for (let i = 0; i < bytes.length; i++) this.#byte(bytes[i]!, line, 2 * i, samples);
    return samples;
  }

  #byte(byte: number, line: Int32Array, at: number, out: Int16Array): void {
    const low = this.#decodeLow(byte & 0x3f);
    const high = this.#decodeHigh(byte >> 6);
    line[at + QMF_REACH] = low + high;
    line[at + QMF_REACH + 1] = low - high;
    let first = 0;
    let second = 0;
    for (let i = 0; i < 12; i++) {
      second += line[at + 2 * i]! * QMF[i]!;
      first += line[at + 2 * i + 1]! * QMF[11 - i]!;
    }
    out[at] = saturate(first >> 11);
    out[at + 1] = saturate(second >> 11);
  }

  #decodeLow(code: number): number {
    const band = this.#low;
    const sample = limit(band.expected + ((band.scale * LOW_OUTPUT_6[code]!) >> 15));
    const coarse = code >> 2;
    band.adapt((band.scale * LOW_OUTPUT_4[coarse]!) >> 15, LOW_STEP[coarse]!);
    return sample;
  }

  #decodeHigh(code: number): number {
    const band = this.#high;
    const difference = (band.scale * HIGH_OUTPUT[code]!) >> 15;
    const sample = limit(band.expected + difference);
    band.adapt(difference, HIGH_STEP[code]!);
    return sample;
  }
}

/** `sign` 0: as it is; -1: negative. */
function withSign(value: number, sign: number): number {
  return (value ^ sign) - sign;
}

function saturate(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value;
}

/** LIMIT: a sub-band has 15 bits. */
function limit(value: number): number {
  return value > 16_383 ? 16_383 : value < -16_384 ? -16_384 : value;
}

function descending(from: number, to: number): number[] {
  return Array.from({ length: from - to + 1 }, (_, i) => from - i);
}
