/**
 * Telephones that talk and listen: each sends 50 packets of G.711 a second in its own phase, stamped with when and what, and compares what it
 * hears with what the other has said. Every 5 s each reports by RTCP on the same port.
 */
import { createSocket, type Socket } from 'node:dgram';
import { writeRtcp } from '../../../src/mediad/media/rtcp-packet.ts';
import { RTP_HEADER_BYTES } from '../../../src/mediad/media/rtp-packet.ts';
import { SrtpReceiver, SrtpSender } from '../../../src/mediad/srtp/srtp.ts';
import type { MasterKey } from '../../../src/mediad/srtp/suites.ts';

/** Where a phone sends to, and with which key it hears what comes from there. */
export interface Place {
  readonly port: number;
  readonly key: MasterKey | undefined;
}

const FRAME_MS = 20;
const SAMPLES = 160;
/** A telephone that is later than this has missed its turn. */
const LATEST_MS = 10;
const REPORTS_EVERY = 250;
/** In the payload: a mark, when it was sent (ms), its number. */
const MARK = 0x55;
const AT = RTP_HEADER_BYTES + 1;
const NUMBER = AT + 8;
const SOUND = NUMBER + 4;
/** What follows the stamp, by the packet's number: never silence. */
const sounds = Array.from({ length: 256 }, (_, n) =>
  Buffer.from(Array.from({ length: RTP_HEADER_BYTES + SAMPLES - SOUND }, (_, i) => (n * 31 + i * 7) & 0x7f)),
);

/** What all telephones together have said and heard while it was counted. */
export class Tally {
  sent = 0;
  received = 0;
  /** Packets whose sound is not what was said. */
  changed = 0;
  isCounting = false;
  readonly delaysMs: Float64Array;
  #beganAt = Infinity;

  constructor(most: number) {
    this.delaysMs = new Float64Array(most);
  }

  begin(): void {
    this.isCounting = true;
    this.#beganAt = performance.now();
  }

  /** What is under way still counts. */
  end(): void {
    this.isCounting = false;
    this.#endedAt = performance.now();
  }

  #endedAt = Infinity;

  heard(sentAt: number, nowMs: number): void {
    if (sentAt < this.#beganAt || sentAt >= this.#endedAt) return;
    if (this.received < this.delaysMs.length) this.delaysMs[this.received] = nowMs - sentAt;
    this.received += 1;
  }

  /** In ms, of the share of all (0.99). */
  sorted(): (share: number) => number {
    const sorted = this.delaysMs.subarray(0, this.received).toSorted();
    return (share) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN) * 1000) / 1000;
  }
}

export class Talker {
  readonly port: number;
  /** What it sends with; undefined: in the clear. */
  readonly key: MasterKey | undefined;
  /** RFC 3550 A.8, in ms: of what it hears, against when it was sent. */
  jitterMs = 0;
  readonly #socket: Socket;
  readonly #tally: Tally;
  readonly #sealing: SrtpSender | undefined;
  readonly #packet = Buffer.alloc(RTP_HEADER_BYTES + SAMPLES);
  #opening: SrtpReceiver | undefined;
  #number = 0;
  #transit: number | undefined;

  private constructor(socket: Socket, tally: Tally, key: MasterKey | undefined) {
    this.#socket = socket;
    this.#tally = tally;
    this.key = key;
    this.#sealing = key && new SrtpSender(key);
    this.port = socket.address().port;
    this.#packet.writeUInt16BE(0x8000, 0);
    this.#packet.writeUInt32BE(this.port, 8);
    this.#packet[RTP_HEADER_BYTES] = MARK;
  }

  static async open(tally: Tally, key?: MasterKey): Promise<Talker> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new Talker(socket, tally, key);
  }

  async talkTo({ port, key }: Place): Promise<void> {
    this.#opening = key && new SrtpReceiver(key);
    await new Promise<void>((resolve) => this.#socket.connect(port, '127.0.0.1', resolve));
    this.#socket.on('error', () => {});
    this.#socket.on('message', (datagram) => this.#hear(datagram, performance.now()));
  }

  say(): void {
    const packet = this.#packet;
    const number = (this.#number += 1);
    packet.writeUInt16BE(number & 0xffff, 2);
    packet.writeUInt32BE((number * SAMPLES) >>> 0, 4);
    packet.writeDoubleBE(performance.now(), AT);
    packet.writeUInt32BE(number, NUMBER);
    packet.set(sounds[number & 0xff]!, SOUND);
    const datagram = this.#sealing === undefined ? packet : this.#sealing.seal(packet);
    if (datagram !== undefined) this.#socket.send(datagram);
    if (this.#tally.isCounting) this.#tally.sent += 1;
    if (number % REPORTS_EVERY === 0) this.#report(number);
  }

  close(): void {
    this.#socket.close();
  }

  #report(packets: number): void {
    const sender = {
      ...{ ntpSeconds: 2_208_988_800 + Math.floor(Date.now() / 1000), ntpFraction: 0 },
      ...{ timestamp: (packets * SAMPLES) >>> 0, packets, octets: packets * SAMPLES },
    };
    const packet = writeRtcp({ ssrc: this.port, sender, blocks: [] }, 'talker');
    this.#socket.send(this.#sealing === undefined ? packet : this.#sealing.sealControl(packet));
  }

  #hear(datagram: Buffer, nowMs: number): void {
    if ((datagram[1]! & 0x7f) !== 0) return;
    const packet = this.#opening === undefined ? datagram : this.#opening.open(datagram);
    if (typeof packet === 'string' || packet[RTP_HEADER_BYTES] !== MARK || packet.length !== this.#packet.length)
      return;
    const sentAt = packet.readDoubleBE(AT);
    this.#tally.heard(sentAt, nowMs);
    const sound = sounds[packet[NUMBER + 3]!]!;
    if (packet.compare(sound, 0, sound.length, SOUND) !== 0) this.#tally.changed += 1;
    const transit = nowMs - sentAt;
    if (this.#transit !== undefined) this.jitterMs += (Math.abs(transit - this.#transit) - this.jitterMs) / 16;
    this.#transit = transit;
  }
}

/** Has them talk until the function that it returns is called. Each millisecond those whose phase it is: no burst. */
export function talk(talkers: readonly Talker[]): () => void {
  let [due, phase] = [performance.now(), 0];
  const ticker = setInterval(() => {
    // What could not be said in time is not said: who only sends hears nothing.
    due = Math.max(due, performance.now() - LATEST_MS);
    for (; due <= performance.now(); due += 1) {
      for (let i = phase; i < talkers.length; i += FRAME_MS) talkers[i]!.say();
      phase = (phase + 1) % FRAME_MS;
    }
  }, 1);
  return () => clearInterval(ticker);
}
