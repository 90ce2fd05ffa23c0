/**
 * The audio of one leg. Packets, ticks and the time come in as arguments, so a test runs it without sockets or waiting.
 *
 *   in    latch -> dtmf                                        every digit is reported
 *                -> reorder(60ms) -> record -> seal            while a recording runs
 *                -> bridge                                     as it arrives: a relay adds no delay
 *   out   digits | player | bridge | silence -> encode -> rtp
 */
import { encodeG711, FRAME_SAMPLES, SILENCE, transcodeG711, type G711 } from './g711.ts';
import { Latch } from './latch.ts';
import { NO_COUNTERS, type Endpoint, type LegReport, type MediaCounters, type RemoteMedia } from './messages.ts';
import type { Player } from './player.ts';
import type { Recorder } from './recorder.ts';
import { ReorderBuffer } from './reorder.ts';
import { readRtp, sequenceStep, type RtpPacket } from './rtp-packet.ts';
import { RtpSender } from './rtp-sender.ts';
import { DigitReceiver, DigitSender, type DigitPress } from './telephone-event.ts';

/** The socket of a leg. */
export interface LegTransport {
  send(datagram: Buffer, to: Endpoint): void;
  /** From now on only this source is heard; saves the kernel a look-up per packet. */
  connect(to: Endpoint): void;
  disconnect(): void;
  close(): void;
}

/** One packet on its way to the other leg of a bridge. */
export interface BridgeFrame {
  readonly kind: 'audio' | 'digit';
  readonly law: G711;
  readonly payload: Buffer;
  readonly marker: boolean;
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
}

export interface BridgePeer {
  push(frame: BridgeFrame): void;
  close(): void;
}

export interface LegEvents {
  digit(press: DigitPress & { ssrc: number }): void;
  /** Reported again and again as long as it lasts. */
  silent(silentMs: number): void;
}

/** When the other leg of a bridge sends nothing for so long (hold, silence suppression), this one hears silence, not nothing. */
const BRIDGE_PAUSE_MS = 200;

export class MediaLeg {
  readonly #transport: LegTransport;
  readonly #events: LegEvents;
  readonly #silenceMs: number;
  readonly #sender: RtpSender;
  readonly #digitsIn: DigitReceiver;
  readonly #digitsOut = new DigitSender();
  readonly #frame = new Int16Array(FRAME_SAMPLES);
  #remote: RemoteMedia | undefined;
  #latch: Latch | undefined;
  #player: Player | undefined;
  #recorder: Recorder | undefined;
  #reorder: ReorderBuffer | undefined;
  #bridge: BridgePeer | undefined;
  #isReadMuted = false;
  #isWriteMuted = false;
  #lastHeardMs: number;
  #silenceReports = 0;
  #nowMs: number;
  #digitSsrc = 0;
  #lastRelayedMs = 0;
  #isClosed = false;
  readonly #counters: { -readonly [K in keyof MediaCounters]: number } = { ...NO_COUNTERS };
  #arrival: { ssrc: number; sequence: number; transit: number } | undefined;

  constructor(options: { transport: LegTransport; events: LegEvents; silenceMs: number; nowMs: number }) {
    this.#transport = options.transport;
    this.#events = options.events;
    this.#silenceMs = options.silenceMs;
    this.#lastHeardMs = options.nowMs;
    this.#nowMs = options.nowMs;
    this.#sender = new RtpSender((datagram) => this.#emit(datagram));
    this.#digitsIn = new DigitReceiver((press) => this.#events.digit({ ...press, ssrc: this.#digitSsrc }));
  }

  get law(): G711 {
    return this.#remote?.codec ?? 'PCMU';
  }

  /** First description or a changed one. The latch is kept while the other side's address stays the same. */
  setRemote(remote: RemoteMedia, nowMs: number): void {
    const before = this.#remote;
    this.#remote = remote;
    this.#lastHeardMs = nowMs;
    this.#silenceReports = 0;
    if (remote.sendTo === undefined) return;
    const isSamePlace = before?.sendTo?.address === remote.sendTo.address && before.sendTo.port === remote.sendTo.port;
    if (isSamePlace && this.#latch !== undefined) return;
    if (this.#latch !== undefined) this.#transport.disconnect();
    this.#latch = new Latch(remote.sendTo, remote.alsoFrom, (source) => this.#transport.connect(source));
  }

  receive(datagram: Buffer, source: Endpoint, nowMs: number): void {
    const remote = this.#remote;
    if (this.#isClosed || remote === undefined || this.#latch === undefined) return;
    const packet = readRtp(datagram);
    if (packet === undefined) {
      this.#counters.brokenIn += 1;
      return;
    }
    if (!this.#latch.accept(source, nowMs)) {
      this.#counters.foreignIn += 1;
      return;
    }
    this.#nowMs = nowMs;
    this.#count(packet, datagram.length, nowMs);
    if (packet.payloadType === remote.eventPayloadType) this.#hearDigit(packet, nowMs);
    else if (packet.payloadType === remote.payloadType) this.#hearAudio(packet, remote.codec);
  }

  /** Once per 20 ms. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#sender.tick();
    this.#digitsIn.tick(nowMs);
    this.#recorder?.tick(nowMs);
    this.#watchSilence(nowMs);
    if (this.#digitsOut.isSending) {
      const event = this.#digitsOut.next();
      const payloadType = this.#remote?.eventPayloadType;
      if (event !== undefined && payloadType !== undefined) this.#sender.frame({ ...event, payloadType });
      return;
    }
    if (this.#player !== undefined) this.#playFrame(this.#player);
    else if (this.#bridge === undefined || nowMs - this.#lastRelayedMs > BRIDGE_PAUSE_MS) this.#sendSilence();
  }

  play(player: Player): void {
    this.#player?.close();
    this.#player = player;
  }

  stopPlay(): void {
    this.#player?.close();
    this.#player = undefined;
  }

  record(recorder: Recorder): void {
    this.stopRecord();
    this.#recorder = recorder;
    this.#reorder = new ReorderBuffer((packet) => {
      if (packet.payloadType === this.#remote?.payloadType) {
        recorder.push({ timestamp: packet.timestamp, payload: packet.payload, law: this.law }, this.#nowMs);
      }
    });
  }

  stopRecord(): void {
    this.#reorder?.close();
    this.#recorder?.close('stopped');
    this.#reorder = undefined;
    this.#recorder = undefined;
  }

  bridge(peer: BridgePeer): void {
    this.unbridge();
    this.#bridge = peer;
    this.#lastRelayedMs = this.#nowMs;
  }

  unbridge(): void {
    this.#bridge?.close();
    this.#bridge = undefined;
  }

  /** Audio from the other leg of the bridge. The payload is ours to change. */
  hear(frame: BridgeFrame): void {
    const remote = this.#remote;
    if (remote === undefined || this.#player !== undefined || this.#digitsOut.isSending || this.#isWriteMuted) return;
    this.#lastRelayedMs = this.#nowMs;
    const { ssrc, sequence, timestamp, marker, payload } = frame;
    const payloadType = frame.kind === 'digit' ? remote.eventPayloadType : remote.payloadType;
    if (payloadType === undefined) return;
    if (frame.kind === 'audio' && frame.law !== remote.codec) transcodeG711(frame.law, payload);
    this.#sender.relay({ payloadType, payload, marker, ssrc, sequence, timestamp });
  }

  mute(way: 'read' | 'write', isMuted: boolean): void {
    if (way === 'read') this.#isReadMuted = isMuted;
    else this.#isWriteMuted = isMuted;
  }

  sendDigits(digits: string, durationSamples: number): void {
    if (this.#remote?.eventPayloadType !== undefined) this.#digitsOut.queue(digits, durationSamples);
  }

  report(): LegReport {
    return { counters: { ...this.#counters }, chain: this.describe() };
  }

  describe(): string {
    const taps = [
      this.#digitsIn.describe(),
      ...(this.#recorder === undefined ? [] : [`${this.#reorder?.describe()} -> ${this.#recorder.describe()}`]),
      ...(this.#bridge === undefined ? [] : ['bridge']),
    ];
    const source = this.#player?.describe() ?? (this.#bridge === undefined ? 'silence' : 'bridge');
    return `in: ${this.#latch?.describe() ?? 'nobody'} -> ${taps.join(' + ')}; out: ${source} -> encode(${this.law}) -> rtp`;
  }

  /** Ends everything the leg does. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#digitsIn.close();
    this.stopPlay();
    this.#reorder?.close();
    this.#recorder?.close('legClosed');
    this.unbridge();
    this.#transport.close();
  }

  #hearDigit(packet: RtpPacket, nowMs: number): void {
    this.#counters.digitPacketsIn += 1;
    this.#digitSsrc = packet.ssrc;
    // A recording's order needs every sequence number, also those that carry no audio.
    this.#reorder?.push({ ...packet, payload: packet.payload.subarray(0, 0) });
    if (this.#bridge !== undefined && !this.#isReadMuted) this.#bridge.push(bridgeFrame('digit', packet, this.law));
    this.#digitsIn.push(packet, nowMs);
  }

  #hearAudio(packet: RtpPacket, law: G711): void {
    if (this.#isReadMuted) packet.payload.fill(SILENCE[law]);
    // The bridge may transcode in place, a held packet must stay as it came.
    this.#reorder?.push(this.#bridge === undefined ? packet : { ...packet, payload: Buffer.from(packet.payload) });
    this.#bridge?.push(bridgeFrame('audio', packet, law));
  }

  #playFrame(player: Player): void {
    player.next(this.#frame);
    if (player.isEnded && this.#player === player) this.#player = undefined;
    const { law } = this;
    const payload = Buffer.allocUnsafe(FRAME_SAMPLES);
    if (this.#isWriteMuted) payload.fill(SILENCE[law]);
    else encodeG711(law, this.#frame, payload);
    this.#sender.frame({ payloadType: this.#remote?.payloadType ?? 0, payload });
  }

  /** Keeps address translators open and phones sure that we are there. */
  #sendSilence(): void {
    if (this.#remote === undefined) return;
    this.#sender.frame({ payloadType: this.#remote.payloadType, payload: SILENT_FRAME[this.#remote.codec] });
  }

  #emit(datagram: Buffer): void {
    const remote = this.#remote;
    if (remote?.sendTo === undefined || this.#latch === undefined || this.#isClosed) return;
    this.#counters.packetsOut += 1;
    this.#counters.bytesOut += datagram.length;
    this.#transport.send(datagram, this.#latch.target);
  }

  #watchSilence(nowMs: number): void {
    if (this.#silenceMs === 0 || this.#remote?.isReceiving !== true) return;
    const silentMs = nowMs - this.#lastHeardMs;
    if (silentMs < this.#silenceMs * (this.#silenceReports + 1)) return;
    this.#silenceReports += 1;
    this.#events.silent(Math.round(silentMs));
  }

  /** Loss and jitter as RFC 3550 appendix A counts them. */
  #count(packet: RtpPacket, sizeBytes: number, nowMs: number): void {
    const counters = this.#counters;
    counters.packetsIn += 1;
    counters.bytesIn += sizeBytes;
    this.#lastHeardMs = nowMs;
    this.#silenceReports = 0;
    const transit = nowMs * 8 - packet.timestamp;
    const last = this.#arrival;
    if (last !== undefined && last.ssrc === packet.ssrc) {
      const step = sequenceStep(last.sequence, packet.sequence);
      if (step > 1 && step < 1000) counters.lostIn += step - 1;
      if (step <= 0) return;
      if (packet.payloadType === this.#remote?.payloadType) {
        const change = Math.abs(transit - last.transit);
        if (change < 8000) counters.jitterInMs += (change / 8 - counters.jitterInMs) / 16;
      }
    }
    this.#arrival = { ssrc: packet.ssrc, sequence: packet.sequence, transit };
  }
}

const SILENT_FRAME: Readonly<Record<G711, Buffer>> = {
  PCMU: Buffer.alloc(FRAME_SAMPLES, SILENCE.PCMU),
  PCMA: Buffer.alloc(FRAME_SAMPLES, SILENCE.PCMA),
};

function bridgeFrame(kind: 'audio' | 'digit', packet: RtpPacket, law: G711): BridgeFrame {
  const { payload, marker, ssrc, sequence, timestamp } = packet;
  return { kind, law, payload, marker, ssrc, sequence, timestamp };
}
