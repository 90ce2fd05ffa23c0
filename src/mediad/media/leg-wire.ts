/**
 * Where a leg's packets leave and arrive: the one place between its sound and its sockets.
 *
 *   in    datagram -> rtp or rtcp -> unprotect -> latch -> leg
 *         datagram -> stun -> the nominated source
 *                  -> dtls -> latch -> the signalling thread, which agrees on the keys
 *   out   leg -> protect -> the latched source
 */
import { CLOSED, guardOf, PLAIN, type PacketGuard, type PacketKind } from '../srtp/packet-guard.ts';
import { isSameKey } from '../srtp/suites.ts';
import { type DatagramKind, kindOf } from './datagram-kind.ts';
import { HandshakePath } from './handshake-path.ts';
import { Latch, type SourceLatch } from './latch.ts';
import type { IceSession } from '../ice/session.ts';
import type { Endpoint, MediaCounters, RemoteMedia } from './messages.ts';
import { NominatedLatch } from './nominated-latch.ts';
import { readRtp, type RtpPacket } from './rtp-packet.ts';

/** The sockets of a leg. */
export interface LegTransport {
  send(datagram: Buffer, to: Endpoint): void;
  /** From the port of RTCP that does not share that of RTP. */
  sendControl(datagram: Buffer, to: Endpoint): void;
  /** From now on only this source is heard; saves the kernel a look-up per packet. */
  connect(to: Endpoint): void;
  disconnect(): void;
  close(): void;
}

export interface WireEvents {
  /** `sizeBytes`: of the datagram. */
  rtp(packet: RtpPacket, sizeBytes: number, nowMs: number): void;
  rtcp(packet: Buffer, nowMs: number): void;
  /** Of DTLS, from where the leg's sound may come. */
  dtls(datagram: Buffer): void;
}

export class LegWire {
  readonly #transport: LegTransport;
  readonly #counters: { -readonly [K in keyof MediaCounters]: number };
  readonly #events: WireEvents;
  #guard: PacketGuard = PLAIN;
  /** What the guard was before there were no keys: with the same ones it goes on, and uses no number twice. */
  #lastGuard: PacketGuard = PLAIN;
  #remote: RemoteMedia | undefined;
  /** Also while it is on hold. */
  #sentTo: Endpoint | undefined;
  #latch: SourceLatch | undefined;
  #handshake: HandshakePath | undefined;
  /** Of RTCP that has a port of its own. */
  #controlLatch: Latch | undefined;

  constructor(transport: LegTransport, counters: { -readonly [K in keyof MediaCounters]: number }, events: WireEvents) {
    this.#transport = transport;
    this.#counters = counters;
    this.#events = events;
  }

  /** The latch is kept while the other side's address stays the same, and each direction of SRTP while its key does. */
  setRemote(remote: RemoteMedia): void {
    const before = this.#remote;
    this.#remote = remote;
    this.#sentTo = remote.sendTo ?? this.#sentTo;
    const { sendTo, control, alsoFrom, dtls } = remote;
    this.#guard = dtls !== undefined && remote.srtp === undefined ? CLOSED : guardOf(remote.srtp, this.#lastGuard);
    if (this.#guard !== CLOSED) this.#lastGuard = this.#guard;
    if (dtls !== undefined) this.#handshake ??= new HandshakePath((datagram, to) => this.#transport.send(datagram, to));
    if (dtls?.ice !== undefined) return this.#nominateBy(dtls.ice);
    if (control !== 'muxed' && control !== undefined && !isSamePlace(before?.control, control)) {
      this.#controlLatch = new Latch(control, alsoFrom, () => {});
    }
    if (sendTo === undefined || (isSamePlace(before?.sendTo, sendTo) && this.#latch instanceof Latch)) return;
    if (this.#latch !== undefined) this.#transport.disconnect();
    this.#latch = new Latch(sendTo, alsoFrom, (source) => this.#transport.connect(source));
  }

  /** The socket is never connected to one source: the next check may come from another. */
  #nominateBy(ice: IceSession): void {
    if (this.#latch instanceof NominatedLatch) return this.#latch.restart(ice);
    if (this.#latch !== undefined) this.#transport.disconnect();
    this.#latch = new NominatedLatch(ice);
  }

  /**
   * Whether this description may be of another machine, or another start of it, than what heard us until now. It cannot know
   * how often our numbers have gone round (RFC 4568 7.1.4), so our stream must begin anew. Our key need not: it may have been
   * offered before, and would then not be told. Asked before `setRemote`.
   */
  isHeardAnew({ srtp, sendTo, dtls }: RemoteMedia): boolean {
    const before = this.#remote?.srtp;
    // By DTLS it is the same one as long as the keys are, wherever it is now; and new keys are new for both.
    if (before === undefined || srtp === undefined || dtls !== undefined) return false;
    const isMoved = this.#sentTo !== undefined && sendTo !== undefined && !isSamePlace(this.#sentTo, sendTo);
    return isMoved || !isSameKey(before.theirs, srtp.theirs);
  }

  /** On the port of RTP. */
  receive(datagram: Buffer, source: Endpoint, nowMs: number): void {
    if (this.#remote === undefined || this.#latch === undefined) return;
    const kind = this.#remote.dtls === undefined ? 'sound' : kindOf(datagram);
    if (kind !== 'sound') return this.#receiveOther(kind, datagram, { latch: this.#latch, source, nowMs });
    if (isControl(datagram)) {
      if (this.#remote.control === 'muxed') this.#receiveControl(datagram, source, { latch: this.#latch, nowMs });
      else this.#counters.brokenIn += 1;
      return;
    }
    const opened = this.#open('rtp', datagram, { latch: this.#latch, source });
    if (opened === undefined) return;
    const packet = readRtp(opened);
    if (packet === undefined) this.#counters.brokenIn += 1;
    else if (this.#latch.accept(source, nowMs)) this.#events.rtp(packet, datagram.length, nowMs);
    else this.#counters.foreignIn += 1;
  }

  /** On the port of RTCP: only from where the sound comes from. */
  receiveControl(datagram: Buffer, source: Endpoint, nowMs: number): void {
    const latch = this.#controlLatch;
    if (latch === undefined || this.#remote?.control === 'muxed') return;
    if (this.#latch?.target?.address !== source.address) this.#counters.foreignIn += 1;
    else this.#receiveControl(datagram, source, { latch, nowMs });
  }

  /** False: there is nobody to send it to, or it may not be sent. */
  send(packet: Buffer): boolean {
    const target = this.#latch?.target;
    if (this.#remote?.sendTo === undefined || target === undefined) return false;
    const datagram = this.#guard.protect('rtp', packet);
    if (datagram !== undefined) this.#transport.send(datagram, target);
    return datagram !== undefined;
  }

  /** What the signalling thread has to say to the other side's DTLS. */
  sendHandshake(datagram: Buffer): void {
    const target = this.#latch?.target;
    const isNominated = this.#latch instanceof NominatedLatch;
    this.#handshake?.send(datagram, isNominated ? { nominated: target } : { signalled: target });
  }

  /** As `send`, for RTCP. */
  sendControl(packet: Buffer): boolean {
    const control = this.#remote?.control;
    const target = this.#latch?.target;
    if (control === undefined || target === undefined) return false;
    const datagram = this.#guard.protect('rtcp', packet);
    if (datagram === undefined) return false;
    if (control === 'muxed') this.#transport.send(datagram, target);
    else if (this.#controlLatch !== undefined) this.#transport.sendControl(datagram, this.#controlLatch.target);
    return true;
  }

  describe(): string {
    return this.#latch?.describe() ?? 'nobody';
  }

  close(): void {
    this.#transport.close();
  }

  #receiveOther(
    kind: DatagramKind,
    datagram: Buffer,
    { latch, source, nowMs }: { latch: SourceLatch; source: Endpoint; nowMs: number },
  ): void {
    if (kind === 'dtls') {
      if (!latch.couldAccept(source)) this.#counters.foreignIn += 1;
      else if (this.#handshake?.mayHear(source, nowMs) === true) this.#events.dtls(datagram);
      else this.#counters.brokenIn += 1;
    } else if (kind === 'stun' && latch instanceof NominatedLatch) {
      const response = latch.check(datagram, source);
      if (response === undefined) this.#counters.foreignIn += 1;
      else this.#transport.send(response, source);
      if (latch.target !== undefined) this.#handshake?.opened(latch.target);
    } else this.#counters.brokenIn += 1;
  }

  #receiveControl(datagram: Buffer, source: Endpoint, { latch, nowMs }: { latch: SourceLatch; nowMs: number }): void {
    const opened = this.#open('rtcp', datagram, { latch, source });
    if (opened === undefined) return;
    if (latch.accept(source, nowMs)) this.#events.rtcp(opened, nowMs);
    else this.#counters.foreignIn += 1;
  }

  /** undefined: counted as what it is. Whoever can never be heard costs no cryptography, and takes no number of a true packet. */
  #open(kind: PacketKind, datagram: Buffer, from: { latch: SourceLatch; source: Endpoint }): Buffer | undefined {
    if (!from.latch.couldAccept(from.source)) {
      this.#counters.foreignIn += 1;
      return undefined;
    }
    const opened = this.#guard.unprotect(kind, datagram);
    if (typeof opened === 'object') return opened;
    this.#counters[opened === 'broken' ? 'brokenIn' : 'unauthenticIn'] += 1;
    return undefined;
  }
}

/** RFC 5761 4: what would be payload types 64 to 95 with a marker is RTCP. */
function isControl(datagram: Buffer): boolean {
  const second = datagram[1] ?? 0;
  return second >= 192 && second <= 223;
}

function isSamePlace(a: Endpoint | 'muxed' | undefined, b: Endpoint): boolean {
  return typeof a === 'object' && a.address === b.address && a.port === b.port;
}
