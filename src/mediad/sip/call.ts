import { randomInt } from 'node:crypto';
import type { Channel } from '../channel/channel.ts';
import type { LegMedia } from '../media/leg-media.ts';
import type { LegPlace } from '../media/messages.ts';
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
    /** Nothing in the clear. */
    readonly isSecure: boolean;
  }) {
    this.channel = parts.channel;
    this.application = parts.application;
    this.#media = parts.media;
    const { address, port, controlPort } = parts.at;
    this.#local = {
      address,
      port,
      controlPort,
      codecs: parts.codecs,
      sessionId: String(randomInt(1e9, 2e9)),
      version: 1,
      security: { isRequired: parts.isSecure, keyOf: (suite) => this.#keyOf(suite) },
    };
  }

  /** Our description for the next 200. */
  get localSdp(): Buffer {
    return Buffer.from(this.channel.variables.get('rtp_local_sdp_str') ?? '');
  }

  /** Answers the offer of an INVITE, or makes one where it has none. A string is why not; then nothing has changed. */
  answerOffer(invite: SipRequest): string | undefined {
    if (invite.body.length === 0) {
      this.#isAnswerDue = true;
      this.#setLocal(offerSdp(this.#local));
      return undefined;
    }
    const type = invite.headers.get('Content-Type') ?? SDP_TYPE;
    if (!type.toLowerCase().startsWith(SDP_TYPE)) return 'the body is not SDP';
    const offer = invite.body.toString('utf8');
    const result = answerSdp(offer, this.#local);
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
    const result = readAnswer(answer, this.#local);
    if (result.kind === 'refused') return result.reason;
    this.#agree(result.agreed, answer);
    return undefined;
  }

  #keyOf(suite: SuiteName): MasterKey {
    const key = this.#keys.get(suite) ?? newMasterKey(suite);
    this.#keys.set(suite, key);
    return key;
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
    if (agreed.srtp !== undefined) {
      variables.set('rtp_has_crypto', agreed.srtp.ours.suite);
      variables.set('rtp_secure_media_confirmed', 'true');
      // Once encrypted, always encrypted: nobody can have it changed behind our back.
      this.#local = { ...this.#local, security: { ...this.#local.security, isRequired: true } };
    }
    const mediaSource = variables.get('sip_h_X-Media-Source');
    const isSending = agreed.direction === 'sendrecv' || agreed.direction === 'sendonly';
    this.#media.setRemote({
      codec,
      payloadType: agreed.payloadType,
      events: agreed.events,
      noise: agreed.noise,
      sendTo: isSending ? { address: agreed.remoteAddress, port: agreed.remotePort } : undefined,
      control: agreed.direction === 'inactive' ? undefined : agreed.control,
      alsoFrom: mediaSource === undefined ? [] : mediaSource.split(/[\s,]+/).slice(0, 4),
      srtp: agreed.srtp,
      isReceiving: agreed.direction === 'sendrecv' || agreed.direction === 'recvonly',
    });
  }
}
