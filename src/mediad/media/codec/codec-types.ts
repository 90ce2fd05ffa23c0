/** The codecs that legs speak. */
export type CodecName = 'PCMU' | 'PCMA' | 'G722' | 'OPUS' | 'L16';

/** Samples a second in which audio is handled inside: telephone or wide band. */
export type AudioRate = 8000 | 16_000;

/** One codec as two sides have agreed to speak it. */
export interface Codec {
  readonly name: CodecName;
  readonly rate: AudioRate;
  /** Of the RTP timestamps; not always the rate (RFC 3551 4.5.2, RFC 7587 4.1). */
  readonly clockRate: number;
  /** Of the packets that we send. */
  readonly ptimeMs: number;
}

export interface AudioDecoder {
  /** Samples at the codec's rate, ours to keep; none for what is not of this codec. */
  decode(payload: Uint8Array): Int16Array;
  /** What may have been in a packet that is missing. */
  conceal(samples: number): Int16Array;
  close(): void;
}

export interface AudioEncoder {
  /** Exactly one packet's samples. Empty: there is nothing to send yet. */
  encode(samples: Int16Array): Buffer;
  close(): void;
}
