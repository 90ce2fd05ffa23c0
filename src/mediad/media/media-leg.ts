/**
 * The audio of one leg. Packets, ticks and the time come in as arguments, so a test runs it without sockets or waiting.
 *
 *   in    latch -> dtmf                                        every digit is reported
 *                -> reorder(60ms) -> record -> seal            while a recording runs
 *                -> bridge                                     as it arrives: a relay adds no delay
 *                -> jitter -> decode -> conference             a frame with each tick
 *                -> jitter -> decode -> detectors              while somebody listens for something
 *   out   digits | player | bridge | conference | silence -> encode -> rtp
 */
import type { BridgeFrame, BridgePeer, ConferencePeer, SoundFrame } from './bridge.ts';
import type { Codec } from './codec/codec-types.ts';
import { isG711 } from './codec/codec.ts';
import { FRAME_MS, SILENCE } from './codec/g711.ts';
import { Ears } from './hearing/ears.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { readNoise } from './comfort-noise.ts';
import { LegControl, type LegControlOptions } from './leg-control.ts';
import { LegOutput } from './leg-output.ts';
import { LegQuiet } from './leg-quiet.ts';
import { LegRecordings } from './leg-recordings.ts';
import { LegSilence } from './leg-silence.ts';
import { LegWire, type LegTransport } from './leg-wire.ts';
import {
  NO_COUNTERS,
  type Endpoint,
  type LegQuality,
  type LegReport,
  type MediaCounters,
  type RemoteMedia,
  type RtcpNews,
} from './messages.ts';
import type { Player } from './player.ts';
import type { Recorder } from './recorder.ts';
import type { RtpPacket } from './rtp-packet.ts';
import type { SessionRecorder } from './session-recorder.ts';
import { DigitReceiver, type DigitPress } from './telephone-event.ts';

export interface LegEvents {
  digit(press: DigitPress & { ssrc: number }): void;
  /** Reported again and again as long as it lasts. */
  silent(silentMs: number): void;
  /** Every 5 s. */
  measured(quality: LegQuality): void;
  /** RTCP of the other side. */
  reported(news: RtcpNews): void;
  /** A datagram of DTLS. */
  dtlsHeard?(datagram: Buffer): void;
}

/** When the other leg of a bridge sends nothing for so long (hold, silence suppression), this one hears silence, not nothing. */
const BRIDGE_PAUSE_MS = 200;
/** The payload type of comfort noise is fixed, and of this clock (RFC 3389 4): it may come whatever was agreed. */
const NOISE = 13;
const NOISE_CLOCK = 8000;
const MUTED_LEVEL = 127;

export class MediaLeg {
  /** What is listened for in what the leg says. */
  readonly ears = new Ears();
  readonly #events: LegEvents;
  readonly #silence: LegSilence;
  readonly #output: LegOutput;
  readonly #quiet: LegQuiet;
  readonly #digitsIn: DigitReceiver;
  readonly #wire: LegWire;
  readonly #control: LegControl;
  readonly #counters: { -readonly [K in keyof MediaCounters]: number } = { ...NO_COUNTERS };
  readonly #recordings = new LegRecordings();
  #remote: RemoteMedia | undefined;
  #player: Player | undefined;
  #peer: BridgePeer | ConferencePeer | undefined;
  /** What is said, for a conference. */
  #jitter: JitterBuffer | undefined;
  #frame = new Int16Array(0);
  #isReadMuted = false;
  #isWriteMuted = false;
  #nowMs: number;
  #digitSsrc = 0;
  #lastRelayedMs = 0;
  #isClosed = false;

  constructor(
    options: {
      readonly transport: LegTransport;
      readonly events: LegEvents;
      readonly silenceMs: number;
      readonly nowMs: number;
    } & Partial<Pick<LegControlOptions, 'epochMs' | 'random'>>,
  ) {
    this.#wire = new LegWire(options.transport, this.#counters, {
      rtp: (packet, sizeBytes, nowMs) => this.#heard(packet, sizeBytes, nowMs),
      rtcp: (packet, nowMs) => this.#heardReport(packet, nowMs),
      dtls: (datagram) => this.#events.dtlsHeard?.(datagram),
    });
    this.#events = options.events;
    this.#silence = new LegSilence(options.silenceMs, options.nowMs, (silentMs) => this.#events.silent(silentMs));
    this.#nowMs = options.nowMs;
    this.#output = new LegOutput((datagram) => this.#emit(datagram));
    this.#quiet = new LegQuiet(this.#output, options.random ?? Math.random);
    this.#control = new LegControl({
      ...options,
      counters: this.#counters,
      ssrc: this.#output.ssrc,
      codec: this.codec,
      send: (packet) => this.#wire.sendControl(packet),
      measured: (quality) => this.#events.measured(quality),
      reported: (news) => this.#events.reported(news),
    });
    this.#digitsIn = new DigitReceiver((press) => this.#pressed(press));
  }

  get codec(): Codec {
    return this.#output.codec;
  }

  /** First description or a changed one. The latch is kept while the other side's address stays the same. */
  setRemote(remote: RemoteMedia, nowMs: number): void {
    if (this.#isClosed) return;
    const codecBefore = this.codec;
    this.#remote = remote;
    this.#silence.heard(nowMs);
    if (this.#wire.isHeardAnew(remote)) this.#beginAnew(nowMs);
    this.#output.setRemote(remote);
    if (!isSameSound(codecBefore, remote.codec)) this.#codecChanged();
    this.#control.codec = remote.codec;
    this.#wire.setRemote(remote);
  }

  receive(datagram: Buffer, source: Endpoint, nowMs: number): void {
    if (!this.#isClosed) this.#wire.receive(datagram, source, nowMs);
  }

  /** On the port of RTCP. */
  receiveControl(datagram: Buffer, source: Endpoint, nowMs: number): void {
    if (!this.#isClosed) this.#wire.receiveControl(datagram, source, nowMs);
  }

  /** What agrees on the keys says this to the other side. */
  sendHandshake(datagram: Buffer): void {
    if (!this.#isClosed) this.#wire.sendHandshake(datagram);
  }

  /** Once per 20 ms. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    const areDigitsOut = this.#output.isSendingDigits;
    this.#output.tick();
    this.#control.tick(nowMs, this.#output.timestamp);
    this.#digitsIn.tick(nowMs);
    this.#recordings.tick(nowMs);
    this.ears.tick();
    if (this.#remote?.isReceiving === true) this.#silence.tick(nowMs);
    this.#speakToConference();
    if (areDigitsOut) return;
    if (this.#player !== undefined) this.#playFrame(this.#player);
    else if (this.#quiet.isQuiet) this.#quiet.tick(nowMs);
    else if (this.#peer === undefined || nowMs - this.#lastRelayedMs > BRIDGE_PAUSE_MS) this.#output.silence();
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
    this.#recordings.record(recorder, this.codec);
  }

  stopRecord(): void {
    this.#recordings.stopRecord();
  }

  /** Both directions from now on; the session says itself when it ends. */
  recordSession(session: SessionRecorder): void {
    this.#recordings.add(session);
  }

  /** No more of this one. */
  forgetSession(session: SessionRecorder): void {
    this.#recordings.forget(session);
  }

  bridge(peer: BridgePeer | ConferencePeer): void {
    this.unbridge();
    this.#peer = peer;
    this.#lastRelayedMs = this.#nowMs;
    if (peer.takes === 'sound') this.#jitter = new JitterBuffer(this.codec);
  }

  unbridge(): void {
    this.#peer?.close();
    this.#peer = undefined;
    this.#counters.concealed += this.#concealedNow;
    this.#jitter?.close();
    this.#jitter = undefined;
    this.#output.unbridged();
    this.#quiet.end();
  }

  /** From the other leg of the bridge. The payload is ours to change. */
  hear(frame: BridgeFrame): void {
    if (this.#isClosed || this.#player !== undefined || this.#isWriteMuted) return;
    this.#lastRelayedMs = this.#nowMs;
    if (frame.kind === 'quiet') return this.#quiet.begin(frame.level);
    this.#quiet.end();
    if (frame.kind === 'press' || !this.#output.isSendingDigits) this.#output.relay(frame);
  }

  /** From the conference. */
  hearConference({ samples, rate }: SoundFrame): void {
    if (this.#isClosed || this.#player !== undefined || this.#isWriteMuted || this.#output.isSendingDigits) return;
    this.#lastRelayedMs = this.#nowMs;
    this.#output.sound(samples, rate);
  }

  mute(way: 'read' | 'write', isMuted: boolean): void {
    if (way === 'read') this.#isReadMuted = isMuted;
    else this.#isWriteMuted = isMuted;
  }

  sendDigits(digits: string, durationSamples: number): void {
    this.#output.sendDigits(digits, durationSamples);
  }

  report(): LegReport {
    const { concealed } = this.#counters;
    const counters = { ...this.#counters, concealed: concealed + this.#concealedNow + this.#output.concealed };
    const { isSilent } = this.#silence;
    const { quality } = this.#control;
    return { isSilent, codec: this.codec.name, counters, quality, chain: this.describe() };
  }

  describe(): string {
    const taps = [
      this.#digitsIn.describe(),
      ...this.#recordings.describe(),
      ...this.ears.describe(),
      ...(this.#peer === undefined ? [] : [this.#peerWords('in')]),
    ];
    const source = this.#player?.describe() ?? (this.#peer === undefined ? 'silence' : this.#peerWords('out'));
    return `in: ${this.#wire.describe()} -> ${taps.join(' + ')}; out: ${source} -> ${this.#output.describe()}`;
  }

  /** Ends everything the leg does. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#control.close(this.#nowMs, this.#output.timestamp);
    this.#digitsIn.close();
    this.ears.close();
    this.stopPlay();
    this.#recordings.close();
    this.unbridge();
    this.#output.close();
    this.#wire.close();
  }

  #peerWords(way: 'in' | 'out'): string {
    if (this.#peer?.takes !== 'sound') return 'bridge';
    return way === 'in' ? `${this.#jitter?.describe()} -> conference` : 'conference';
  }

  get #concealedNow(): number {
    return this.#jitter?.counters.concealed ?? 0;
  }

  /** What was made for the old one is made anew. */
  #codecChanged(): void {
    if (this.#jitter !== undefined) {
      this.#counters.concealed += this.#concealedNow;
      this.#jitter.close();
      this.#jitter = new JitterBuffer(this.codec);
    }
    this.#recordings.codecChanged(this.codec);
    this.ears.codecChanged(this.codec);
  }

  #beginAnew(nowMs: number): void {
    const { timestamp } = this.#output;
    this.#output.beginAnew();
    this.#control.beginAnew(this.#output.ssrc, nowMs, timestamp);
  }

  #heard(packet: RtpPacket, sizeBytes: number, nowMs: number): void {
    const remote = this.#remote!;
    this.#nowMs = nowMs;
    this.#silence.heard(nowMs);
    const isAudio = packet.payloadType === remote.payloadType;
    this.#control.heard(packet, sizeBytes, nowMs, isAudio ? remote.codec.clockRate : undefined);
    if (packet.payloadType === remote.events?.payloadType) this.#hearDigit(packet, nowMs);
    else if (isAudio) this.#hearAudio(packet, remote.codec);
    else if (isNoise(packet, remote)) this.#hearNoise(packet, nowMs);
  }

  #heardReport(packet: Buffer, nowMs: number): void {
    this.#silence.reported(nowMs);
    this.#control.heardReport(packet, nowMs);
  }

  #hearNoise(packet: RtpPacket, nowMs: number): void {
    const level = readNoise(packet.payload);
    this.#silence.saysQuiet(true);
    this.#skip(packet, nowMs);
    if (level !== undefined && this.#peer?.takes === 'packets') {
      this.#peer.push({ kind: 'quiet', level: this.#isReadMuted ? MUTED_LEVEL : level });
    }
  }

  /** Who puts packets in order needs every sequence number, also those that carry no audio. */
  #skip(packet: RtpPacket, nowMs: number): void {
    const soundless = { ...packet, payload: packet.payload.subarray(0, 0) };
    this.#recordings.skip(soundless, nowMs);
    this.#jitter?.push(soundless, nowMs);
    this.ears.push(soundless, nowMs);
  }

  #hearDigit(packet: RtpPacket, nowMs: number): void {
    this.#counters.digitPacketsIn += 1;
    this.#digitSsrc = packet.ssrc;
    this.#skip(packet, nowMs);
    if (this.#peer?.takes === 'packets' && !this.#isReadMuted) this.#peer.push(bridged('digit', packet, this.codec));
    this.#digitsIn.push(packet, nowMs);
  }

  #pressed(press: DigitPress): void {
    const durationSamples = Math.round((press.durationSamples * 8000) / (this.#remote?.events?.clockRate ?? 8000));
    this.#events.digit({ ...press, durationSamples, ssrc: this.#digitSsrc });
    if (this.#peer?.takes !== 'packets' || this.#isReadMuted) return;
    this.#peer.push({ kind: 'press', codec: this.codec, digit: press.digit, durationSamples });
  }

  #hearAudio(packet: RtpPacket, codec: Codec): void {
    this.#silence.saysQuiet(false);
    if (this.#isReadMuted) {
      // Nothing to be heard in any codec is nothing at all; G.711 has a silence of the same size.
      if (!isG711(codec.name)) return;
      packet.payload.fill(SILENCE[codec.name]);
    }
    const peer = this.#peer?.takes === 'packets' ? this.#peer : undefined;
    this.#recordings.heard(packet, codec, this.#nowMs, peer !== undefined);
    this.#jitter?.push(packet, this.#nowMs);
    this.ears.push(packet, this.#nowMs);
    peer?.push(bridged('audio', packet, codec));
  }

  #speakToConference(): void {
    if (this.#peer?.takes !== 'sound' || this.#jitter === undefined) return;
    const { rate } = this.codec;
    const samples = new Int16Array((rate / 1000) * FRAME_MS);
    this.#jitter.pull(samples);
    this.#peer.push({ samples, rate });
  }

  #playFrame(player: Player): void {
    const { rate } = player;
    if (this.#frame.length !== (rate / 1000) * FRAME_MS) this.#frame = new Int16Array((rate / 1000) * FRAME_MS);
    player.next(this.#frame);
    if (player.isEnded && this.#player === player) this.#player = undefined;
    if (this.#isWriteMuted) this.#output.silence();
    else this.#output.sound(this.#frame, rate);
  }

  #emit(datagram: Buffer): void {
    const remote = this.#remote;
    if (remote === undefined || this.#isClosed || !this.#wire.send(datagram)) return;
    this.#counters.packetsOut += 1;
    this.#counters.bytesOut += datagram.length;
    if (this.#recordings.areOfBothSides) this.#recordings.said(datagram, remote, this.#nowMs);
  }
}

function isNoise({ payloadType }: RtpPacket, { noise, codec }: RemoteMedia): boolean {
  return payloadType === noise || (payloadType === NOISE && codec.clockRate === NOISE_CLOCK);
}

/** Whether what was decoded as the one can go on as the other. */
function isSameSound(a: Codec, b: Codec): boolean {
  return a.name === b.name && a.rate === b.rate;
}

function bridged(kind: 'audio' | 'digit', packet: RtpPacket, codec: Codec): BridgeFrame {
  const { payload, marker, ssrc, sequence, timestamp } = packet;
  return { kind, codec, payload, marker, ssrc, sequence, timestamp };
}
