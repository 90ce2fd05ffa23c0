/** What a leg sends: its own sound, what comes from a bridge or a conference, and digits, in one stream of RTP. */
import type { Codec } from './codec/codec-types.ts';
import { isG711, isRelayable, PCMU } from './codec/codec.ts';
import { encodeG711, FRAME_MS, SILENCE, transcodeG711 } from './codec/g711.ts';
import { Resampler } from './codec/resample.ts';
import type { BridgeFrame, QuietFrame } from './bridge.ts';
import { writeNoise } from './comfort-noise.ts';
import type { RemoteMedia } from './messages.ts';
import { KeyTones } from './key-tones.ts';
import { Packetizer } from './packetizer.ts';
import { RtpSender } from './rtp-sender.ts';
import { DigitSender } from './telephone-event.ts';
import { Transcoder } from './transcoder.ts';

export class LegOutput {
  readonly #sender: RtpSender;
  readonly #digits = new DigitSender();
  /** For a phone that takes no events. */
  readonly #tones = new KeyTones();
  #remote: RemoteMedia | undefined;
  #codec: Codec = PCMU;
  #packetizer: Packetizer | undefined;
  #resampler: Resampler | undefined;
  #transcoder: Transcoder | undefined;
  #silence: Int16Array = new Int16Array(0);
  #concealed = 0;

  constructor(send: (datagram: Buffer) => void) {
    this.#sender = new RtpSender(send);
  }

  get codec(): Codec {
    return this.#codec;
  }

  get ssrc(): number {
    return this.#sender.ssrc;
  }

  /** Of what is sent now. */
  get timestamp(): number {
    return this.#sender.timestamp;
  }

  get takesNoise(): boolean {
    return this.#remote?.noise !== undefined;
  }

  /** A packet of comfort noise, in -dBov. */
  noise(level: number): void {
    const payloadType = this.#remote?.noise;
    if (payloadType !== undefined) this.#sender.frame({ payloadType, payload: writeNoise(level), marker: false });
  }

  /** Lost packets of the other leg that were filled in for. */
  get concealed(): number {
    return this.#concealed + (this.#transcoder?.concealed ?? 0);
  }

  get isSendingDigits(): boolean {
    return this.#digits.isSending || this.#tones.isSending;
  }

  /** From now on under another SSRC. */
  beginAnew(): void {
    this.#sender.beginAnew();
  }

  setRemote(remote: RemoteMedia): void {
    this.#remote = remote;
    const { codec } = remote;
    if (isSame(codec, this.#codec) && this.#packetizer !== undefined) return;
    this.close();
    this.#codec = codec;
    this.#sender.clockRate = codec.clockRate;
    this.#silence = new Int16Array((codec.rate / 1000) * FRAME_MS);
    this.#packetizer = new Packetizer(codec, ({ payload, behind }) => this.#sendOwn(payload, behind));
  }

  /** Once per 20 ms. A digit that is being sent takes the place of sound. */
  tick(): void {
    this.#sender.tick();
    if (this.#tones.isSending) return this.sound(this.#tones.next(), 8000);
    if (!this.#digits.isSending) return;
    const events = this.#remote?.events;
    // Its timestamp is counted like the sound's (RFC 4733 2.1), its duration in the clock that was agreed for events.
    const event = this.#digits.next(events?.clockRate);
    if (event === undefined || events === undefined) return;
    const sinceStart = (event.sinceStart * this.#codec.clockRate) / 8000;
    this.#sender.frame({ ...event, sinceStart, payloadType: events.payloadType });
  }

  sendDigits(digits: string, durationSamples: number): void {
    if (this.#remote === undefined) return;
    const way = this.#remote.events === undefined ? this.#tones : this.#digits;
    way.queue(digits, durationSamples);
  }

  /** 20 ms of sound, at any of our rates. */
  sound(samples: Int16Array, rate: Codec['rate']): void {
    const codec = this.#codec;
    if (this.#remote === undefined) return;
    if (isG711(codec.name) && codec.ptimeMs === FRAME_MS && rate === codec.rate) {
      const payload = Buffer.allocUnsafe(samples.length);
      encodeG711(codec.name, samples, payload);
      return this.#sendOwn(payload, 0);
    }
    if (this.#resampler?.from !== rate || this.#resampler.to !== codec.rate)
      this.#resampler = new Resampler(rate, codec.rate);
    this.#packetizer?.push(this.#resampler.process(samples));
  }

  /** Keeps address translators open and phones sure that we are there. */
  silence(): void {
    const { name, ptimeMs } = this.#codec;
    if (this.#remote === undefined) return;
    if (isG711(name) && ptimeMs === FRAME_MS) this.#sendOwn(SILENT_FRAME[name], 0);
    else this.#packetizer?.push(this.#silence);
  }

  /** A packet of the other leg of a bridge. Its payload is ours to change. */
  relay(frame: Exclude<BridgeFrame, QuietFrame>): void {
    const remote = this.#remote;
    if (remote === undefined) return;
    const isAsItIs = isRelayable(frame.codec, this.#codec);
    if (frame.kind === 'press') {
      if (!isAsItIs || remote.events === undefined) this.sendDigits(frame.digit, frame.durationSamples);
      return;
    }
    if (!isAsItIs) return this.#transcode(frame);
    const { ssrc, sequence, timestamp, marker, payload } = frame;
    const payloadType = frame.kind === 'digit' ? remote.events?.payloadType : remote.payloadType;
    if (payloadType === undefined) return;
    if (frame.kind === 'audio' && isG711(frame.codec.name) && frame.codec.name !== this.#codec.name)
      transcodeG711(frame.codec.name, payload);
    this.#sender.relay({ payloadType, payload, marker, ssrc, sequence, timestamp });
  }

  describe(): string {
    const steps = this.#transcoder === undefined ? '' : `${this.#transcoder.describe()} -> `;
    return `${steps}encode(${this.#codec.name}) -> rtp`;
  }

  /** What a bridge needed. */
  unbridged(): void {
    this.#concealed = this.concealed;
    this.#transcoder?.close();
    this.#transcoder = undefined;
    this.#sender.endRelay();
  }

  close(): void {
    this.unbridged();
    this.#packetizer?.close();
    this.#packetizer = undefined;
  }

  #transcode(frame: BridgeFrame & { kind: 'audio' | 'digit' }): void {
    if (this.#transcoder === undefined || !isSame(this.#transcoder.from, frame.codec)) {
      this.unbridged();
      this.#transcoder = new Transcoder(frame.codec, this.#codec, (out) => {
        const payloadType = this.#remote?.payloadType;
        if (payloadType !== undefined) this.#sender.relay({ ...out, payloadType });
      });
    }
    const payload = frame.kind === 'audio' ? frame.payload : frame.payload.subarray(0, 0);
    const { ssrc, sequence, timestamp, marker } = frame;
    this.#transcoder.push({ payload, ssrc, sequence, timestamp, marker, payloadType: 0 });
  }

  #sendOwn(payload: Buffer, behind: number): void {
    this.#sender.frame({ payloadType: this.#remote?.payloadType ?? 0, payload, sinceStart: behind });
  }
}

function isSame(a: Codec, b: Codec): boolean {
  return a.name === b.name && a.rate === b.rate && a.ptimeMs === b.ptimeMs;
}

const SILENT_FRAME = {
  PCMU: Buffer.alloc(160, SILENCE.PCMU),
  PCMA: Buffer.alloc(160, SILENCE.PCMA),
} as const;
