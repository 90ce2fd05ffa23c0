/** Opus (RFC 6716) at 16 kHz, mono: as wide as the telephones here, at a third of the work of 48 kHz. The library is libopus as WebAssembly. */
import type { AudioDecoder, AudioEncoder } from './codec-types.ts';

const RATE = 16_000;
const BITRATE = 24_000;
/** Speech needs no more; the work grows with it. */
const COMPLEXITY = 3;
/** Losses that the redundancy in the packets is made for. */
const EXPECTED_LOSS_PERCENT = 10;
/** RFC 7587: no packet is longer. */
const MAX_PACKET_MS = 120;

const NOTHING = new Int16Array(0);

/** Loaded with the first leg that speaks Opus: most houses never do. Rejects when the library is not installed. */
export async function loadOpus(): Promise<void> {
  const { loadLibopus } = await import('libopus-wasm');
  await loadLibopus();
}

/** Encodes to nothing for the moment that the library takes to make an encoder. */
export function openOpusEncoder(ptimeMs: number): AudioEncoder {
  const handle = new Handle(async () => {
    const { Application, createEncoder } = await import('libopus-wasm');
    return createEncoder({
      sampleRate: RATE,
      channels: 1,
      application: Application.Voip,
      bitrate: BITRATE,
      complexity: COMPLEXITY,
      fec: true,
      packetLossPercent: EXPECTED_LOSS_PERCENT,
      frameSize: (RATE / 1000) * ptimeMs,
    });
  });
  return {
    encode: (samples) => Buffer.from(handle.opened?.encode(samples) ?? []),
    close: () => handle.close(),
  };
}

export function openOpusDecoder(): AudioDecoder {
  const handle = new Handle(async () => {
    const { createDecoder } = await import('libopus-wasm');
    return createDecoder({ sampleRate: RATE, channels: 1, maxFrameSize: (RATE / 1000) * MAX_PACKET_MS });
  });
  const copy = (decode: () => Int16Array | undefined): Int16Array => {
    try {
      return Int16Array.from(decode() ?? NOTHING);
    } catch {
      // Not an Opus packet: as if it had not come.
      return NOTHING;
    }
  };
  return {
    decode: (payload) => copy(() => handle.opened?.decode(payload)),
    conceal: (samples) => copy(() => handle.opened?.decodePacketLoss(samples)),
    close: () => handle.close(),
  };
}

/** Something of the library's that is made a little later, and given back once. */
class Handle<T extends { free(): void }> {
  opened: T | undefined;
  #isClosed = false;

  constructor(open: () => Promise<T>) {
    open().then(
      (handle) => {
        if (this.#isClosed) handle.free();
        else this.opened = handle;
      },
      // `loadOpus` has told why already.
      () => {},
    );
  }

  close(): void {
    this.#isClosed = true;
    this.opened?.free();
    this.opened = undefined;
  }
}
