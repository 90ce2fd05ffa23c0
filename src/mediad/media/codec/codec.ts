/** What turns packets into samples and back. */
import type { AudioDecoder, AudioEncoder, Codec, CodecName } from './codec-types.ts';
import { decodeG711, encodeG711, type G711 } from './g711.ts';
import { G722Decoder, G722Encoder } from './g722.ts';
import { Concealer } from './concealer.ts';
import { openOpusDecoder, openOpusEncoder } from './opus.ts';

export const PCMU: Codec = { name: 'PCMU', rate: 8000, clockRate: 8000, ptimeMs: 20 };

export function isG711(name: CodecName): name is G711 {
  return name === 'PCMU' || name === 'PCMA';
}

/** Whether packets of one can be sent as packets of the other without opening them, but for the law. */
export function isRelayable(from: Codec, to: Codec): boolean {
  if (isG711(from.name)) return isG711(to.name);
  return from.name === to.name && from.rate === to.rate;
}

export function openDecoder(codec: Codec): AudioDecoder {
  return codec.name === 'OPUS' ? openOpusDecoder() : concealing(codec);
}

export function openEncoder(codec: Codec): AudioEncoder {
  const { name } = codec;
  switch (name) {
    case 'OPUS':
      return openOpusEncoder(codec.ptimeMs);
    case 'G722': {
      const encoder = new G722Encoder();
      return { encode: (samples) => encoder.encode(samples), close() {} };
    }
    case 'L16':
      return { encode: toNetworkOrder, close() {} };
    case 'PCMU':
    case 'PCMA':
      return {
        encode: (samples) => {
          const payload = Buffer.allocUnsafe(samples.length);
          encodeG711(name, samples, payload);
          return payload;
        },
        close() {},
      };
  }
}

/** For codecs that know nothing of losses themselves. */
function concealing(codec: Codec): AudioDecoder {
  const decode = plainDecoder(codec);
  const concealer = new Concealer(codec.rate);
  return {
    decode: (payload) => {
      const samples = decode(payload);
      concealer.heard(samples);
      return samples;
    },
    conceal: (samples) => concealer.conceal(samples),
    close() {},
  };
}

function plainDecoder({ name }: Codec): (payload: Uint8Array) => Int16Array {
  switch (name) {
    case 'G722': {
      const decoder = new G722Decoder();
      return (payload) => decoder.decode(payload);
    }
    case 'PCMU':
    case 'PCMA':
      return (payload) => {
        const samples = new Int16Array(payload.length);
        decodeG711(name, payload, samples);
        return samples;
      };
    default:
      return fromNetworkOrder;
  }
}

/** L16, RFC 3551 4.5.11. */
function toNetworkOrder(samples: Int16Array): Buffer {
  const payload = Buffer.allocUnsafe(samples.length * 2);
  for (let i = 0; i < samples.length; i++) payload.writeInt16BE(samples[i]!, i * 2);
  return payload;
}

function fromNetworkOrder(payload: Uint8Array): Int16Array {
  const samples = new Int16Array(payload.length >> 1);
  for (let i = 0; i < samples.length; i++) samples[i] = (payload[2 * i]! << 8) | payload[2 * i + 1]!;
  return samples;
}
