/** The audio half of a phone: one UDP port, G.711 out at a steady 20 ms, everything heard is kept. */
import { createSocket, type Socket } from 'node:dgram';
import { decodeG711, encodeG711, FRAME_SAMPLES, type G711 } from '../../src/mediad/media/codec/g711.ts';
import { MediaClock } from '../../src/mediad/media/clock.ts';
import { readRtp, writeRtp, type RtpPacket } from '../../src/mediad/media/rtp-packet.ts';
import { PATIENCE_MS } from './processes.ts';
import { sdpTarget } from './sdp-target.ts';
import { loudness, toneSamples, toneShare } from './sound.ts';

export const EVENT_PAYLOAD_TYPE = 101;

interface Tone {
  readonly hz: readonly number[];
  position: number;
}

export class RtpPhone {
  readonly law: G711;
  readonly packets: RtpPacket[] = [];
  /** Every G.711 byte sent, in order. */
  readonly sent: Buffer[] = [];
  readonly #socket: Socket;
  readonly #clock: MediaClock;
  #sequence = 1000;
  #timestamp = 160_000;
  readonly #ssrc = 0x5150;
  #remote: { address: string; port: number } | undefined;
  #tone: Tone | undefined;
  #words: Buffer[] = [];
  #pending: (() => void)[] = [];

  private constructor(socket: Socket, law: G711) {
    this.#socket = socket;
    this.law = law;
    this.#clock = new MediaClock(20, () => this.#tick());
    socket.on('message', (datagram) => {
      const packet = readRtp(datagram);
      if (packet !== undefined) this.packets.push(packet);
      for (const check of this.#pending) check();
    });
  }

  static async open(law: G711 = 'PCMU'): Promise<RtpPhone> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new RtpPhone(socket, law);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get sdp(): string {
    return this.sdpWith('sendrecv');
  }

  sdpWith(direction: string): string {
    const type = this.law === 'PCMU' ? 0 : 8;
    return [
      'v=0',
      `o=phone 1 1 IN IP4 127.0.0.1`,
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${this.port} RTP/AVP ${type} ${EVENT_PAYLOAD_TYPE}`,
      `a=rtpmap:${type} ${this.law}/8000`,
      `a=rtpmap:${EVENT_PAYLOAD_TYPE} telephone-event/8000`,
      `a=${direction}`,
      '',
    ].join('\r\n');
  }

  /** Sends to where that SDP says; silence until told otherwise. */
  talkTo(sdp: string): void {
    this.#remote = sdpTarget(sdp);
    this.#clock.start();
  }

  /** Several at once are a key of old telephones. */
  say(...hz: readonly (number | undefined)[]): void {
    const tones = hz.filter((frequency) => frequency !== undefined);
    this.#tone = tones.length === 0 ? undefined : { hz: tones, position: 0 };
  }

  /** Each of these frames in turn, and then what it said before. Resolves behind the last. */
  async speak(frames: readonly Buffer[]): Promise<void> {
    this.#words.push(...frames);
    while (this.#words.length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Sends nothing at all any more. */
  mute(): void {
    this.#remote = undefined;
  }

  /** One key by RFC 4733; `dropEnd` loses all its end packets. */
  async press(digit: string, options: { frames?: number; dropEnd?: boolean } = {}): Promise<void> {
    const frames = options.frames ?? 5;
    const start = this.#timestamp;
    const code = '0123456789*#'.indexOf(digit);
    for (let frame = 1; frame <= frames + 3; frame++) {
      const isEnd = frame > frames;
      if (isEnd && options.dropEnd === true) break;
      const payload = Buffer.from([code, (isEnd ? 0x80 : 0) | 10, 0, 0]);
      payload.writeUInt16BE(Math.min(frame, frames) * FRAME_SAMPLES, 2);
      this.#send({ payloadType: EVENT_PAYLOAD_TYPE, marker: frame === 1, timestamp: start, payload });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Audio heard so far, or since packet `from`, decoded. */
  heard(from = 0): Int16Array {
    const audio = this.packets.slice(from).filter((packet) => packet.payloadType === 0 || packet.payloadType === 8);
    const samples = new Int16Array(audio.reduce((sum, packet) => sum + packet.payload.length, 0));
    let at = 0;
    for (const packet of audio) {
      decodeG711(packet.payloadType === 0 ? 'PCMU' : 'PCMA', packet.payload, samples.subarray(at));
      at += packet.payload.length;
    }
    return samples;
  }

  /** Resolves when the last 200 ms are that tone and hardly anything else; rejects when it never comes. */
  hears(hz: number): Promise<void> {
    return this.until(`a tone of ${hz} Hz`, () => {
      const last = this.heard(Math.max(0, this.packets.length - 10));
      return last.length >= 1600 && loudness(last) > 200 && toneShare(last, hz) > 0.8;
    });
  }

  /** Resolves when the last 200 ms are silent. */
  hearsNothing(): Promise<void> {
    return this.until('silence', () => {
      const last = this.heard(Math.max(0, this.packets.length - 10));
      return last.length >= 1600 && loudness(last) < 50;
    });
  }

  until(what: string, isTrue: () => boolean, waitMs = PATIENCE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        this.#pending = this.#pending.filter((pending) => pending !== check);
        settle();
      };
      const timer = setTimeout(() => finish(() => reject(new Error(`did not hear ${what}`))), waitMs);
      const check = () => {
        if (isTrue()) finish(resolve);
      };
      this.#pending.push(check);
      check();
    });
  }

  close(): void {
    this.#clock.stop();
    this.#remote = undefined;
    this.#socket.close();
  }

  #tick(): void {
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES) >>> 0;
    const payload = Buffer.alloc(FRAME_SAMPLES);
    const tone = this.#tone;
    const words = this.#words.shift();
    if (words !== undefined) words.copy(payload);
    else encodeG711(this.law, tone === undefined ? new Int16Array(FRAME_SAMPLES) : tonesAt(tone), payload);
    if (tone !== undefined && words === undefined) tone.position += FRAME_SAMPLES;
    this.sent.push(payload);
    this.#send({ payloadType: this.law === 'PCMU' ? 0 : 8, marker: false, timestamp: this.#timestamp, payload });
  }

  #send(packet: Omit<RtpPacket, 'sequence' | 'ssrc'>): void {
    if (this.#remote === undefined) return;
    const datagram = writeRtp({ ...packet, sequence: this.#sequence++ & 0xffff, ssrc: this.#ssrc });
    this.#socket.send(datagram, this.#remote.port, this.#remote.address);
  }
}

/** One frame of all of them. */
function tonesAt({ hz, position }: Tone): Int16Array {
  const frame = new Int16Array(FRAME_SAMPLES);
  for (const frequency of hz) {
    const samples = toneSamples(frequency, FRAME_SAMPLES, position);
    for (const [i, sample] of samples.entries()) frame[i]! += sample;
  }
  return frame;
}
