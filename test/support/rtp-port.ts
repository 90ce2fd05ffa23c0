import dgram from 'node:dgram';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import { PATIENCE_MS } from './processes.ts';
import { sdpTarget } from './sdp-target.ts';
import { toneShare } from './sound.ts';

const frameMs = 20;
const samplesPerFrame = 160;

/** One end of G.711 µ-law audio: sends a tone, keeps what it hears, presses keys (RFC 4733). */
export class RtpPort {
  readonly port: number;
  readonly #socket: dgram.Socket;
  readonly #ssrc = randomInt(2 ** 31);
  readonly heard: number[] = [];
  #to: { ip: string; port: number } | null = null;
  #toneHz = 0;
  #sequence = 0;
  #timestamp = 0;
  #ticker: NodeJS.Timeout;
  readonly #keys: { event: number; framesLeft: number; timestamp: number }[] = [];

  private constructor(socket: dgram.Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (packet) => {
      if ((packet[1] ?? 0) % 128 === 0) for (const byte of packet.subarray(12)) this.heard.push(decode(byte));
    });
    this.#ticker = setInterval(() => this.#tick(), frameMs);
  }

  static async open(): Promise<RtpPort> {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new RtpPort(socket);
  }

  close(): void {
    clearInterval(this.#ticker);
    this.#socket.close();
  }

  sdp(direction = 'sendrecv', version = 1): string {
    return [
      'v=0',
      `o=- 1 ${version} IN IP4 127.0.0.1`,
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=audio ${this.port} RTP/AVP 0 101`,
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      `a=${direction}`,
      '',
    ].join('\r\n');
  }

  talkTo(sdp: string, toneHz = 0): void {
    const { address: ip, port } = sdpTarget(sdp);
    this.#to = { ip, port };
    this.#toneHz = toneHz;
  }

  /** Sends nothing any more. */
  fallSilent(): void {
    this.#to = null;
  }

  press(key: string): void {
    this.#keys.push({ event: '0123456789*#ABCD'.indexOf(key), framesLeft: 8, timestamp: -1 });
  }

  /** Resolves as soon as 200 ms in a row were mostly this tone. */
  async hears(toneHz: number): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    this.heard.length = 0;
    for (;;) {
      if (this.heard.length >= 1600 && toneShare(Int16Array.from(this.heard.slice(-1600)), toneHz) > 0.4) return;
      if (performance.now() > until) {
        throw new Error(`no ${toneHz} Hz in ${this.heard.length} samples heard`);
      }
      await once(this.#socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
    }
  }

  #tick(): void {
    if (this.#to === null) return;
    this.#timestamp += samplesPerFrame;
    const [key] = this.#keys;
    if (key) return this.#sendKey(key);
    const payload = Buffer.alloc(samplesPerFrame);
    for (let i = 0; i < samplesPerFrame; i += 1) {
      const at = (this.#timestamp + i) / 8000;
      payload[i] = this.#toneHz === 0 ? 0xff : encode(Math.round(9000 * Math.sin(2 * Math.PI * this.#toneHz * at)));
    }
    this.#sendPacket(0, this.#timestamp, payload);
  }

  #sendKey(key: { event: number; framesLeft: number; timestamp: number }): void {
    if (key.timestamp < 0) key.timestamp = this.#timestamp;
    key.framesLeft -= 1;
    const isEnd = key.framesLeft < 3;
    const payload = Buffer.alloc(4);
    payload[0] = key.event;
    payload[1] = (isEnd ? 0x80 : 0) | 10;
    payload.writeUInt16BE(Math.min(this.#timestamp - key.timestamp + samplesPerFrame, 800), 2);
    this.#sendPacket(101, key.timestamp, payload);
    if (key.framesLeft <= 0) this.#keys.shift();
  }

  #sendPacket(type: number, timestamp: number, payload: Buffer): void {
    if (this.#to === null) return;
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = type;
    head.writeUInt16BE(this.#sequence & 0xffff, 2);
    head.writeUInt32BE(timestamp >>> 0, 4);
    head.writeUInt32BE(this.#ssrc, 8);
    this.#sequence += 1;
    this.#socket.send(Buffer.concat([head, payload]), this.#to.port, this.#to.ip);
  }
}

/** ITU-T G.711 µ-law; not the code under test, so that a mistake there is heard. */
function encode(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32_635) + 132;
  const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7);
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}

function decode(byte: number): number {
  const u = ~byte & 0xff;
  const magnitude = ((((u & 0x0f) << 3) + 132) << ((u & 0x70) >> 4)) - 132;
  return u & 0x80 ? -magnitude : magnitude;
}
