/** What legs give each other. Everything here may cross a thread by structured clone. */
import type { AudioRate, Codec } from './codec/codec-types.ts';

interface BridgePacket {
  /** Of the stream that it belongs to. */
  readonly codec: Codec;
  readonly payload: Buffer;
  readonly marker: boolean;
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
}

/** Nobody speaks, and the background is so loud: in -dBov. */
export interface QuietFrame {
  readonly kind: 'quiet';
  readonly level: number;
}

/** From one leg of a bridge to the other: a packet of sound or of a digit as it came, and a whole press for who cannot use those. */
export type BridgeFrame =
  | (BridgePacket & { readonly kind: 'audio' | 'digit' })
  | QuietFrame
  | {
      readonly kind: 'press';
      readonly codec: Codec;
      readonly digit: string;
      /** At 8 kHz. */
      readonly durationSamples: number;
    };

/** 20 ms between a leg and a conference, either way. */
export interface SoundFrame {
  readonly samples: Int16Array;
  readonly rate: AudioRate;
}

/** The other leg of a bridge takes packets. */
export interface BridgePeer {
  readonly takes: 'packets';
  push(frame: BridgeFrame): void;
  close(): void;
}

/** A conference takes a frame with each tick, in order and without gaps. */
export interface ConferencePeer {
  readonly takes: 'sound';
  push(frame: SoundFrame): void;
  close(): void;
}
