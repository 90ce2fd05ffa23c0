/** What is being recorded of a leg: at most one message (what it says), and any sessions (both sides). */
import type { Codec } from './codec/codec-types.ts';
import type { RemoteMedia } from './messages.ts';
import type { Recorder } from './recorder.ts';
import { RecordTap } from './record-tap.ts';
import { readRtp, type RtpPacket } from './rtp-packet.ts';
import type { SessionRecorder } from './session-recorder.ts';

export class LegRecordings {
  readonly #sessions = new Set<SessionRecorder>();
  #tap: RecordTap | undefined;

  /** Then `said` wants what is sent. */
  get areOfBothSides(): boolean {
    return this.#sessions.size > 0;
  }

  /** Instead of the message before. */
  record(recorder: Recorder, codec: Codec): void {
    this.stopRecord();
    this.#tap = new RecordTap(recorder, codec);
  }

  stopRecord(): void {
    this.#tap?.close();
    this.#tap?.recorder.close('stopped');
    this.#tap = undefined;
  }

  add(session: SessionRecorder): void {
    this.#sessions.add(session);
  }

  forget(session: SessionRecorder): void {
    this.#sessions.delete(session);
  }

  /** What was made for the old one is made anew. */
  codecChanged(codec: Codec): void {
    if (this.#tap === undefined) return;
    this.#tap.close();
    this.#tap = new RecordTap(this.#tap.recorder, codec);
  }

  /** `isShared`: somebody else will change the payload. */
  heard(packet: RtpPacket, codec: Codec, nowMs: number, isShared: boolean): void {
    // What is held to be put in order must stay as it came.
    this.#tap?.push(isShared ? { ...packet, payload: Buffer.from(packet.payload) } : packet, nowMs);
    for (const session of this.#sessions) session.push('heard', codec, packet, nowMs);
  }

  /** A packet without a payload, which keeps the count (digits). */
  skip(packet: RtpPacket, nowMs: number): void {
    this.#tap?.push(packet, nowMs);
  }

  said(datagram: Buffer, { codec, payloadType }: RemoteMedia, nowMs: number): void {
    const packet = readRtp(datagram);
    if (packet?.payloadType !== payloadType) return;
    for (const session of this.#sessions) session.push('said', codec, packet, nowMs);
  }

  tick(nowMs: number): void {
    this.#tap?.recorder.tick(nowMs);
    for (const session of this.#sessions) session.tick();
  }

  describe(): string[] {
    return [
      ...(this.#tap === undefined ? [] : [this.#tap.describe()]),
      ...[...this.#sessions].map((session) => session.describe()),
    ];
  }

  /** The leg has ended. */
  close(): void {
    this.#tap?.close();
    this.#tap?.recorder.close('legClosed');
    for (const session of this.#sessions) session.close('legClosed');
  }
}
