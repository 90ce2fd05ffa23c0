/**
 * SRTP and SRTCP, RFC 3711: one object for each direction of a leg. Whoever sends changes his SSRC as he likes; each has its
 * own roll-over counter and its own window of what was heard.
 */
import { rtpHeaderBytes } from '../media/rtp-packet.ts';
import { AesCm } from './aes-cm.ts';
import { AesGcm } from './aes-gcm.ts';
import { IndexWindow } from './index-window.ts';
import { type Protection, RTCP_HEADER_BYTES, ssrcOf } from './protection.ts';
import { sessionKeys } from './session-keys.ts';
import type { MasterKey } from './suites.ts';

/** Why a packet is not heard: no SRTP at all, made with another key or changed on the way, or seen before. */
export type SrtpFault = 'broken' | 'unauthentic' | 'replayed';

const LARGEST_BYTES = 1500;
/** A phone that changes its SSRC more often under one key is none; forgetting one would let its packets be heard again. */
const MOST_STREAMS = 64;
/** We begin anew where the other side does, by a new description each time. */
const MOST_SENT = 1000;

interface Stream {
  readonly rtp: IndexWindow;
  readonly rtcp: IndexWindow;
}

export class SrtpSender {
  readonly #protection: Protection;
  readonly #streams = new Map<number, { readonly window: IndexWindow; nextRtcp: number }>();

  constructor(master: MasterKey) {
    this.#protection = protectionOf(master);
  }

  /**
   * undefined: a number that has been sent already, which comes of a duplicate that is passed on. Sealing another packet
   * under it would give the key away (RFC 3711 9.1, RFC 7714 5).
   */
  seal(rtp: Buffer): Buffer | undefined {
    const { window } = this.#stream(ssrcOf(rtp));
    const index = window.indexOf(rtp.readUInt16BE(2));
    if (!window.isNew(index)) return undefined;
    window.saw(index);
    return this.#protection.sealRtp(rtp, rtpHeaderBytes(rtp), index);
  }

  sealControl(rtcp: Buffer): Buffer {
    const stream = this.#stream(ssrcOf(rtcp, true));
    const index = stream.nextRtcp;
    // 2^31 reports at one in five seconds are three centuries.
    stream.nextRtcp += 1;
    return this.#protection.sealRtcp(rtcp, index);
  }

  #stream(ssrc: number): { readonly window: IndexWindow; nextRtcp: number } {
    let stream = this.#streams.get(ssrc);
    if (stream === undefined) {
      // One that we have left is never taken up again.
      if (this.#streams.size >= MOST_SENT) this.#streams.delete(this.#streams.keys().next().value!);
      stream = { window: new IndexWindow(), nextRtcp: 1 };
      this.#streams.set(ssrc, stream);
    }
    return stream;
  }
}

export class SrtpReceiver {
  readonly #protection: Protection;
  readonly #streams = new Map<number, Stream>();

  constructor(master: MasterKey) {
    this.#protection = protectionOf(master);
  }

  /** The RTP packet, a view into the datagram, which is changed. */
  open(datagram: Buffer): Buffer | SrtpFault {
    if (datagram.length > LARGEST_BYTES) return 'broken';
    const start = rtpHeaderBytes(datagram);
    if (start === 0 || datagram.length < start + this.#protection.tagBytes) return 'broken';
    const ssrc = ssrcOf(datagram);
    const known = this.#streams.get(ssrc);
    const stream = known ?? newStream();
    const index = stream.rtp.indexOf(datagram.readUInt16BE(2));
    if (!stream.rtp.isNew(index)) return 'replayed';
    const opened = this.#protection.openRtp(datagram, start, index);
    if (opened === undefined) return 'unauthentic';
    if (known === undefined && !this.#keep(ssrc, stream)) return 'unauthentic';
    stream.rtp.saw(index);
    return opened;
  }

  /** The RTCP packet, a view into the datagram, which is changed. */
  openControl(datagram: Buffer): Buffer | SrtpFault {
    if (datagram.length > LARGEST_BYTES || datagram.length < RTCP_HEADER_BYTES || datagram[0]! >> 6 !== 2) {
      return 'broken';
    }
    const ssrc = ssrcOf(datagram, true);
    const opened = this.#protection.openRtcp(datagram);
    if (opened === undefined) return 'unauthentic';
    const known = this.#streams.get(ssrc);
    const stream = known ?? newStream();
    if (!stream.rtcp.isNew(opened.index)) return 'replayed';
    if (known === undefined && !this.#keep(ssrc, stream)) return 'unauthentic';
    stream.rtcp.saw(opened.index);
    return opened.packet;
  }

  #keep(ssrc: number, stream: Stream): boolean {
    if (this.#streams.size >= MOST_STREAMS) return false;
    this.#streams.set(ssrc, stream);
    return true;
  }
}

function newStream(): Stream {
  return { rtp: new IndexWindow(), rtcp: new IndexWindow() };
}

function protectionOf(master: MasterKey): Protection {
  const [rtp, rtcp] = [sessionKeys(master, 'rtp'), sessionKeys(master, 'rtcp')];
  switch (master.suite) {
    case 'AES_CM_128_HMAC_SHA1_80':
      return new AesCm(rtp, rtcp);
    case 'AEAD_AES_128_GCM':
      return new AesGcm(rtp, rtcp);
  }
}
