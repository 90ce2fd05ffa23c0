import { randomInt } from 'node:crypto';
import type { Channel } from '../channel/channel.ts';
import { LegDtls } from '../dtls/leg-dtls.ts';
import { DtlsUnavailable } from '../dtls/openssl.ts';
import type { LegMedia } from '../media/leg-media.ts';
import type { LegPlace, SrtpKeys } from '../media/messages.ts';
import {
  type AgreedMedia,
  answerSdp,
  type CodecChoice,
  type LocalMedia,
  offerSdp,
  readAnswer,
} from '../sdp/negotiate.ts';
import { newMasterKey } from '../sdp/crypto-line.ts';
import type { MasterKey, SuiteName } from '../srtp/suites.ts';
import type { Dialog, SipRequest } from '../../sip/index.ts';

export const SDP_TYPE = 'application/sdp';

/** One call: its channel and dialog, and what its two sides have agreed to send each other (RFC 3264). */
export class Call {
  readonly channel: Channel;
  /** Where the application waits, host:port. */
  readonly application: string;
  /** Set once the 200 is out. */
  dialog: Dialog | undefined;
  isDialled = false;
  readonly #media: LegMedia;
  readonly #keys = new Map<SuiteName, MasterKey>();
  readonly #unsecured: (reason: string) => void;
  /** Only for a leg that has to do with DTLS. */
  #dtls: LegDtls | undefined;
  #agreed: AgreedMedia | undefined;
  #local: LocalMedia;
  /** We made the offer; the next ACK carries the answer. */
  #isAnswerDue = false;

  /** `at`: where its media port is. */
  constructor(parts: {
    readonly channel: Channel;
    readonly media: LegMedia;
    readonly application: string;
    readonly at: LegPlace & { readonly address: string };
    readonly codecs: CodecChoice;
    /** How our offers are encrypted; unless it is not at all, nothing in the clear is taken either. */
    readonly cipher: AgreedMedia['cipher'];
    /** DTLS has failed: nothing is heard, and nothing will be. */
    readonly unsecured: (reason: string) => void;
  }) {
    this.channel = parts.channel;
    this.application = parts.application;
    this.#media = parts.media;
    this.#unsecured = parts.unsecured;
    const { address, port, controlPort } = parts.at;
    this.#local = {
      address,
      port,
      controlPort,
      codecs: parts.codecs,
      sessionId: String(randomInt(1e9, 2e9)),
      version: 1,
      security: {
        isRequired: parts.cipher !== 'none',
        offers: parts.cipher,
        keyOf: (suite) => this.#keyOf(suite),
        dtls: () => this.#ourDtls().local,
      },
    };
  }

  /** Our description for the next 200. */
  get localSdp(): Buffer {
    return Buffer.from(this.channel.variables.get('rtp_local_sdp_str') ?? '');
  }

  /** Answers the offer of an INVITE, or makes one where it has none. A string is why not; then nothing has changed. */
  answerOffer(invite: SipRequest): string | undefined {
    if (invite.body.length === 0) {
      const made = orRefused(() => ({ kind: 'offered', sdp: offerSdp(this.#local) }) as const);
      if (made.kind === 'refused') return made.reason;
      this.#isAnswerDue = true;
      this.#setLocal(made.sdp);
      return undefined;
    }
    const type = invite.headers.get('Content-Type') ?? SDP_TYPE;
    if (!type.toLowerCase().startsWith(SDP_TYPE)) return 'the body is not SDP';
    const offer = invite.body.toString('utf8');
    const result = orRefused(() => answerSdp(offer, this.#local));
    if (result.kind === 'refused') return result.reason;
    this.#setLocal(result.sdp);
    this.#agree(result.agreed, offer);
    return undefined;
  }

  /** As `answerOffer`, for an INVITE in the dialog: the description is a new version. */
  answerChange(invite: SipRequest): string | undefined {
    this.#local = { ...this.#local, version: this.#local.version + 1 };
    return this.answerOffer(invite);
  }

  /** Takes the answer from the ACK if one is due. A string is why it cannot be taken. */
  takeAnswer(ack: SipRequest): string | undefined {
    if (!this.#isAnswerDue) return undefined;
    this.#isAnswerDue = false;
    const answer = ack.body.toString('utf8');
    const result = orRefused(() => readAnswer(answer, this.#local));
    if (result.kind === 'refused') return result.reason;
    this.#agree(result.agreed, answer);
    return undefined;
  }

  #keyOf(suite: SuiteName): MasterKey {
    const key = this.#keys.get(suite) ?? newMasterKey(suite);
    this.#keys.set(suite, key);
    return key;
  }

  #ourDtls(): LegDtls {
    if (this.#dtls !== undefined) return this.#dtls;
    const dtls = new LegDtls({
      send: (datagram) => this.#media.sendDtls(datagram),
      agreed: (keys) => this.#secured(keys),
      failed: (reason) => this.#unsecured(reason),
    });
    this.#media.agreeBy(dtls);
    this.#dtls = dtls;
    return dtls;
  }

  #secured({ ours }: SrtpKeys): void {
    this.#sayCipher(ours.suite);
    this.#tellMedia();
  }

  #sayCipher(suite: SuiteName): void {
    this.channel.variables.set('rtp_has_crypto', suite);
    this.channel.variables.set('rtp_secure_media_confirmed', 'true');
  }

  #setLocal(sdp: string): void {
    const { variables } = this.channel;
    variables.set('rtp_local_sdp_str', sdp);
    variables.set('local_media_ip', this.#local.address);
    variables.set('local_media_port', String(this.#local.port));
  }

  #agree(agreed: AgreedMedia, remoteSdp: string): void {
    const { variables } = this.channel;
    variables.set('switch_r_sdp', remoteSdp);
    variables.set('remote_media_ip', agreed.remoteAddress);
    variables.set('remote_media_port', String(agreed.remotePort));
    const { codec } = agreed;
    const name = codec.name === 'OPUS' ? 'opus' : codec.name;
    for (const way of ['read', 'write']) {
      variables.set(`${way}_codec`, name);
      // What FreeSWITCH would say: there Opus is always handled at its clock.
      variables.set(`${way}_rate`, String(codec.name === 'OPUS' ? codec.clockRate : codec.rate));
    }
    variables.set('rtp_use_codec_name', name);
    variables.set('rtp_use_codec_string', this.#local.codecs.names.join(','));
    variables.set('rtp_use_codec_rate', String(codec.clockRate));
    variables.set('rtp_use_codec_ptime', String(codec.ptimeMs));
    variables.set('rtp_use_pt', String(agreed.payloadType));
    variables.set('dtmf_type', agreed.events === undefined ? 'info' : 'rfc2833');
    if (agreed.srtp !== undefined) this.#sayCipher(agreed.srtp.ours.suite);
    // Once encrypted, always encrypted, and in the same way: nobody can have it changed behind our back.
    if (agreed.cipher !== 'none') {
      const security = { ...this.#local.security, isRequired: true, offers: agreed.cipher };
      this.#local = { ...this.#local, security };
    }
    this.#agreed = agreed;
    if (agreed.dtls !== undefined) this.#ourDtls().agree(agreed.dtls);
    this.#tellMedia();
    if (agreed.dtls !== undefined) this.#ourDtls().start();
  }

  /** What is agreed, with the keys if there are some. */
  #tellMedia(): void {
    const agreed = this.#agreed;
    if (agreed === undefined) return;
    const { variables } = this.channel;
    const mediaSource = variables.get('sip_h_X-Media-Source');
    const isSending = agreed.direction === 'sendrecv' || agreed.direction === 'sendonly';
    this.#media.setRemote({
      codec: agreed.codec,
      payloadType: agreed.payloadType,
      events: agreed.events,
      noise: agreed.noise,
      sendTo: isSending ? { address: agreed.remoteAddress, port: agreed.remotePort } : undefined,
      control: agreed.direction === 'inactive' ? undefined : agreed.control,
      alsoFrom: mediaSource === undefined ? [] : mediaSource.split(/[\s,]+/).slice(0, 4),
      srtp: agreed.dtls === undefined ? agreed.srtp : this.#dtls?.keys,
      // With nobody there it is encrypted too: nothing passes.
      dtls: agreed.cipher === 'dtls' ? { ice: agreed.dtls && this.#dtls?.ice } : undefined,
      isReceiving: agreed.direction === 'sendrecv' || agreed.direction === 'recvonly',
    });
  }
}

/** A leg that needs what this process does not have is refused as one that asks for another codec is. */
function orRefused<T>(negotiate: () => T): T | { readonly kind: 'refused'; readonly reason: string } {
  try {
    return negotiate();
  } catch (error) {
    if (error instanceof DtlsUnavailable) return { kind: 'refused', reason: error.message };
    throw error;
  }
}
