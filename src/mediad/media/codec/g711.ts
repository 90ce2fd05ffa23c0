/** G.711: 8-bit A-law and µ-law against 16-bit linear, by table. ITU-T G.711; segments as in the reference code. */
export type G711 = 'PCMU' | 'PCMA';

export const SAMPLE_RATE = 8000;
export const FRAME_MS = 20;
/** Samples (and G.711 bytes) in one 20 ms frame. */
export const FRAME_SAMPLES = 160;

/** The byte that is silence in each law. */
export const SILENCE: Readonly<Record<G711, number>> = { PCMU: 0xff, PCMA: 0xd5 };

export function decodeG711(law: G711, bytes: Uint8Array, samples: Int16Array): void {
  const table = DECODE[law];
  for (let i = 0; i < bytes.length; i++) samples[i] = table[bytes[i]!]!;
}

export function encodeG711(law: G711, samples: Int16Array, bytes: Uint8Array): void {
  const table = ENCODE[law];
  for (let i = 0; i < bytes.length; i++) bytes[i] = table[samples[i]! & 0xffff]!;
}

/** In place, from one law to the other. */
export function transcodeG711(from: G711, bytes: Uint8Array): void {
  const table = from === 'PCMU' ? MU_TO_A : A_TO_MU;
  for (let i = 0; i < bytes.length; i++) bytes[i] = table[bytes[i]!]!;
}

/** Mean absolute amplitude, 0 to 32767: what FreeSWITCH calls energy when it looks for silence. */
export function levelOf(law: G711, bytes: Uint8Array): number {
  const table = DECODE[law];
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += Math.abs(table[bytes[i]!]!);
  return bytes.length === 0 ? 0 : sum / bytes.length;
}

function muToLinear(byte: number): number {
  const inverted = ~byte & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted & 0x70) >> 4)) - 0x84;
  return (inverted & 0x80) === 0 ? magnitude : -magnitude;
}

function linearToMu(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), 32_635) + 0x84;
  const segment = 31 - Math.clz32(magnitude) - 7;
  const byte = (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f);
  return ~(sample < 0 ? byte | 0x80 : byte) & 0xff;
}

function aToLinear(byte: number): number {
  const even = byte ^ 0x55;
  const segment = (even & 0x70) >> 4;
  const base = (even & 0x0f) << 4;
  const magnitude = segment === 0 ? base + 8 : (base + 0x108) << (segment - 1);
  return (even & 0x80) === 0 ? -magnitude : magnitude;
}

function linearToA(sample: number): number {
  const isNegative = sample < 0;
  const magnitude = Math.min(isNegative ? -sample - 1 : sample, 32_767) >> 3;
  const segment = magnitude < 32 ? 0 : 31 - Math.clz32(magnitude) - 4;
  const mantissa = segment < 2 ? (magnitude >> 1) & 0x0f : (magnitude >> segment) & 0x0f;
  return ((segment << 4) | mantissa) ^ (isNegative ? 0x55 : 0xd5);
}

const DECODE: Readonly<Record<G711, Int16Array>> = {
  PCMU: Int16Array.from({ length: 256 }, (_, byte) => muToLinear(byte)),
  PCMA: Int16Array.from({ length: 256 }, (_, byte) => aToLinear(byte)),
};

/** Indexed by the sample's 16 bits taken as unsigned. */
const ENCODE: Readonly<Record<G711, Uint8Array>> = {
  PCMU: Uint8Array.from({ length: 65_536 }, (_, bits) => linearToMu((bits << 16) >> 16)),
  PCMA: Uint8Array.from({ length: 65_536 }, (_, bits) => linearToA((bits << 16) >> 16)),
};

const MU_TO_A = DECODE.PCMU.reduce((table, sample, byte) => table.with(byte, linearToA(sample)), new Uint8Array(256));
const A_TO_MU = DECODE.PCMA.reduce((table, sample, byte) => table.with(byte, linearToMu(sample)), new Uint8Array(256));
