/**
 * The SIP side, FreeSWITCH's profile drachtio_mrf: every INVITE that names an application (X-esl-outbound) becomes a channel.
 *
 *   INVITE with SDP     -> 200 with the answer -> ACK           -> dial the application
 *   INVITE without SDP  -> 200 with our offer  -> ACK + answer  -> dial the application
 *
 * The application is dialled only after the ACK: its client library loses calls whose socket comes before the 200.
 */
import { randomInt, randomUUID } from 'node:crypto';
import type { Application, Channel } from '../channel/channel.ts';
import type { ApiContext } from '../event-socket/api-commands.ts';
import type { Dialler } from '../event-socket/dialler.ts';
import type { Log } from '../log.ts';
import { LegMedia, type LegMediaEvents } from '../media/leg-media.ts';
import type { MediaWorker } from '../media/media-worker.ts';
import { answerSdp, offerSdp, readAnswer, type AgreedMedia, type LocalMedia } from '../sdp/negotiate.ts';
import {
  callIdOf,
  Headers,
  parseNameAddr,
  parseUri,
  SipEndpoint,
  type Dialog,
  type IncomingRequest,
  type SipRequest,
} from '../../sip/index.ts';
import { readInfoDigit } from './info-digit.ts';

export interface UserAgentOptions {
  readonly host: string;
  readonly port: number;
  readonly advertisedHost: string | undefined;
  /** Written into SDP. */
  readonly mediaAddress: string;
  readonly applications: ReadonlyMap<string, Application>;
  readonly context: ApiContext;
  readonly dialler: Dialler;
  readonly log: Log;
  /** The worker for the next leg. */
  readonly pickWorker: () => MediaWorker;
}

/** What belongs to one call. */
interface Call {
  readonly channel: Channel;
  readonly media: LegMedia;
  readonly application: string;
  local: LocalMedia;
  agreed: AgreedMedia | undefined;
  /** Set once the 200 is out. */
  dialog: Dialog | undefined;
  /** We made the offer; the next ACK carries the answer. */
  isAnswerDue: boolean;
  isDialled: boolean;
}

const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO';
const SDP_TYPE = 'application/sdp';

export class UserAgent {
  readonly #options: UserAgentOptions;
  readonly #calls = new Map<string, Call>();
  #endpoint!: SipEndpoint;
  #isClosing = false;

  private constructor(options: UserAgentOptions) {
    this.#options = options;
  }

  /** Rejects with ListenError. */
  static async open(options: UserAgentOptions): Promise<UserAgent> {
    const agent = new UserAgent(options);
    const listen = (['udp', 'tcp'] as const).map((protocol) => ({ protocol, host: options.host, port: options.port }));
    agent.#endpoint = await SipEndpoint.open({
      // With port 0 the two would differ; the profile is one address, and drachtio comes over UDP.
      listen: options.port === 0 ? listen.slice(0, 1) : listen,
      advertisedHost: options.advertisedHost,
      handlers: {
        onRequest: (incoming) => agent.#requested(incoming),
        // The 200 that is then refused tells #accept.
        onCancelled() {},
        onAck: (dialog, ack) => agent.#acknowledged(dialog, ack),
        onDialogEnded: (dialog, ending) => {
          const cause = ending.why === 'ackTimeout' ? 'RECOVERY_ON_TIMER_EXPIRE' : 'NORMAL_CLEARING';
          agent.#calls.get(dialog.key)?.channel.hangup(cause, true);
        },
      },
    });
    return agent;
  }

  get port(): number {
    return this.#endpoint.addresses[0]!.port;
  }

  /** No new calls. */
  drain(): void {
    this.#isClosing = true;
  }

  close(): void {
    this.#endpoint.close();
  }

  #requested(incoming: IncomingRequest): void {
    const { method } = incoming.request;
    switch (method) {
      case 'INVITE':
        return incoming.dialog === undefined ? this.#invited(incoming) : this.#reinvited(incoming, incoming.dialog);
      case 'INFO':
        return this.#informed(incoming);
      case 'BYE':
        return void incoming.respond(200);
      case 'OPTIONS':
        return void incoming.respond(200, { headers: new Headers().add('Allow', ALLOW).add('Accept', SDP_TYPE) });
      default:
        return void incoming.respond(405, { headers: new Headers().add('Allow', ALLOW) });
    }
  }

  #invited(incoming: IncomingRequest): void {
    const { context, dialler, log } = this.#options;
    const { headers } = incoming.request;
    const application = headers.get('X-esl-outbound');
    // Not one of ours: the dialplan has no place for it.
    if (application === undefined) return void incoming.respond(404);
    const refusal = dialler.refusal(application);
    if (refusal !== undefined) {
      log.warn({ reason: refusal }, 'call refused');
      return void incoming.respond(403);
    }
    if (this.#isClosing || context.switchboard.isFull) {
      return void incoming.respond(503, { headers: new Headers().add('Retry-After', '5') });
    }
    this.#accept(incoming, application).catch((error: unknown) => {
      log.error({ reason: error instanceof Error ? error.message : String(error) }, 'call not set up');
      incoming.respond(500);
    });
  }

  async #accept(incoming: IncomingRequest, application: string): Promise<void> {
    const uuid = randomUUID();
    const { channel, media } = this.#newChannel(uuid, incoming.request);
    const call = await this.#openMedia(incoming, { channel, media, application });
    if (call === undefined) return;
    const response = incoming.respond(200, {
      headers: new Headers().add('Content-Type', SDP_TYPE).add('Allow', ALLOW),
      body: Buffer.from(channel.variables.get('rtp_local_sdp_str') ?? ''),
    });
    const { dialog } = incoming;
    if (response === undefined || dialog === undefined) {
      // Cancelled while the port was opened.
      channel.hangup('ORIGINATOR_CANCEL', true);
      return;
    }
    call.dialog = dialog;
    this.#calls.set(dialog.key, call);
    channel.answered();
  }

  /** Opens the port, and settles the answer or makes the offer. Responds and ends the channel if that fails. */
  async #openMedia(
    incoming: IncomingRequest,
    parts: { channel: Channel; media: LegMedia; application: string },
  ): Promise<Call | undefined> {
    const { channel, media, application } = parts;
    let port: number;
    try {
      port = await media.open();
    } catch (error) {
      this.#options.log.error({ reason: (error as Error).message }, 'no media');
      incoming.respond(503);
      channel.hangup('DESTINATION_OUT_OF_ORDER', true);
      return undefined;
    }
    const local = { address: this.#options.mediaAddress, port, sessionId: String(randomInt(1e9, 2e9)), version: 1 };
    const call: Call = {
      channel,
      media,
      application,
      local,
      agreed: undefined,
      dialog: undefined,
      isAnswerDue: false,
      isDialled: false,
    };
    const refusal = this.#answerOffer(call, incoming.request);
    if (refusal === undefined) return call;
    this.#options.log.info({ channel: channel.uuid, reason: refusal }, 'offer refused');
    incoming.respond(488);
    channel.hangup('INCOMPATIBLE_DESTINATION', true);
    return undefined;
  }

  /** Sets rtp_local_sdp_str. A string is the reason why the offer is refused; then nothing has changed. */
  #answerOffer(call: Call, request: SipRequest): string | undefined {
    const { channel, local } = call;
    if (request.body.length === 0) {
      call.isAnswerDue = true;
      setLocal(channel, local, offerSdp(local));
      return undefined;
    }
    const type = request.headers.get('Content-Type') ?? SDP_TYPE;
    if (!type.toLowerCase().startsWith(SDP_TYPE)) return 'the body is not SDP';
    const offer = request.body.toString('utf8');
    const result = answerSdp(offer, local);
    if (result.kind === 'refused') return result.reason;
    setLocal(channel, local, result.sdp);
    this.#agreed(call, result.agreed, offer);
    return undefined;
  }

  #agreed(call: Call, agreed: AgreedMedia, remoteSdp: string): void {
    const { channel, media } = call;
    const { variables } = channel;
    call.agreed = agreed;
    variables.set('switch_r_sdp', remoteSdp);
    variables.set('remote_media_ip', agreed.remoteAddress);
    variables.set('remote_media_port', String(agreed.remotePort));
    variables.set('read_codec', agreed.codec);
    variables.set('write_codec', agreed.codec);
    variables.set('rtp_use_codec_name', agreed.codec);
    variables.set('rtp_use_codec_string', 'PCMU,PCMA');
    variables.set('rtp_use_codec_rate', '8000');
    variables.set('rtp_use_codec_ptime', '20');
    variables.set('dtmf_type', agreed.eventPayloadType === undefined ? 'info' : 'rfc2833');
    const mediaSource = variables.get('sip_h_X-Media-Source');
    const isSending = agreed.direction === 'sendrecv' || agreed.direction === 'sendonly';
    media.setRemote({
      codec: agreed.codec,
      payloadType: agreed.payloadType,
      eventPayloadType: agreed.eventPayloadType,
      sendTo: isSending ? { address: agreed.remoteAddress, port: agreed.remotePort } : undefined,
      alsoFrom: mediaSource === undefined ? [] : mediaSource.split(/[\s,]+/).slice(0, 4),
      isReceiving: agreed.direction === 'sendrecv' || agreed.direction === 'recvonly',
    });
  }

  #reinvited(incoming: IncomingRequest, dialog: Dialog): void {
    const call = this.#calls.get(dialog.key);
    if (call === undefined) return void incoming.respond(481);
    call.local = { ...call.local, version: call.local.version + 1 };
    const refusal = this.#answerOffer(call, incoming.request);
    if (refusal !== undefined) {
      // The session goes on as it was, RFC 3261 14.2.
      this.#options.log.info({ channel: call.channel.uuid, reason: refusal }, 'offer refused');
      return void incoming.respond(488);
    }
    incoming.respond(200, {
      headers: new Headers().add('Content-Type', SDP_TYPE).add('Allow', ALLOW),
      body: Buffer.from(call.channel.variables.get('rtp_local_sdp_str') ?? ''),
    });
  }

  #acknowledged(dialog: Dialog, ack: SipRequest): void {
    const call = this.#calls.get(dialog.key);
    if (call === undefined || call.channel.state === 'hungUp') return;
    if (call.isAnswerDue && !this.#takeAnswer(call, ack)) return;
    if (call.isDialled) return;
    call.isDialled = true;
    this.#options.dialler.dial(call.channel, call.application, this.#options.context);
  }

  #takeAnswer(call: Call, ack: SipRequest): boolean {
    call.isAnswerDue = false;
    const answer = ack.body.toString('utf8');
    const result = readAnswer(answer, call.local);
    if (result.kind === 'agreed') {
      this.#agreed(call, result.agreed, answer);
      return true;
    }
    this.#options.log.warn({ channel: call.channel.uuid, reason: result.reason }, 'answer refused');
    call.channel.hangup('INCOMPATIBLE_DESTINATION');
    return false;
  }

  #informed(incoming: IncomingRequest): void {
    const call = incoming.dialog === undefined ? undefined : this.#calls.get(incoming.dialog.key);
    if (call === undefined) return void incoming.respond(481);
    const digit = readInfoDigit(
      incoming.request.headers.get('Content-Type') ?? '',
      incoming.request.body.toString('utf8'),
    );
    if (digit === undefined) return void incoming.respond(415, { headers: new Headers().add('Accept', INFO_TYPES) });
    incoming.respond(200);
    call.channel.heardDigit({ ...digit, source: 'ENDPOINT' });
  }

  #newChannel(uuid: string, request: SipRequest): { channel: Channel; media: LegMedia } {
    const { context, applications, log } = this.#options;
    const events: LegMediaEvents = {
      digitHeard: ({ digit, durationSamples, ssrc, timestamp }) =>
        channel.heardDigit({ digit, durationSamples, ssrc, timestamp, source: 'RTP' }),
      silent: (silentMs) => {
        mediaSilent(channel, silentMs);
        context.switchboard.attendanceOf(channel)?.phoneSilent(silentMs);
      },
      failed: (reason) => {
        log.error({ channel: uuid, reason }, 'media failed');
        channel.hangup('MEDIA_TIMEOUT');
      },
    };
    const media = new LegMedia(this.#options.pickWorker(), uuid, events);
    const destination = parseUri(request.uri)?.user ?? '';
    const channel: Channel = context.switchboard.add({
      uuid,
      name: `sofia/drachtio_mrf/${destination}`,
      media,
      applications,
      variables: variablesOf(request),
      destination,
      onHangup: (cause, byRemote) => this.#hungUp(uuid, cause, byRemote),
    });
    return { channel, media };
  }

  #hungUp(uuid: string, cause: string, byRemote: boolean): void {
    for (const [key, call] of this.#calls) {
      if (call.channel.uuid !== uuid) continue;
      this.#calls.delete(key);
      if (!byRemote)
        call.dialog?.bye({ headers: new Headers().add('Reason', `Q.850;cause=${q850(cause)};text="${cause}"`) });
      return;
    }
  }
}

const INFO_TYPES = 'application/dtmf-relay, application/dtmf';

function setLocal(channel: Channel, local: LocalMedia, sdp: string): void {
  channel.variables.set('rtp_local_sdp_str', sdp);
  channel.variables.set('local_media_ip', local.address);
  channel.variables.set('local_media_port', String(local.port));
}

/** FreeSWITCH's media_timeout (ms) hangs up; without it the application is only told. */
function mediaSilent(channel: Channel, silentMs: number): void {
  channel.publish(
    'CUSTOM',
    {},
    { subclass: 'wardline::media_timeout', body: JSON.stringify({ channel: channel.uuid, silentMs }) },
  );
  const limitMs = Number(channel.variables.get('media_timeout') ?? 0);
  if (limitMs > 0 && silentMs >= limitMs) channel.hangup('MEDIA_TIMEOUT');
}

/** The variables FreeSWITCH makes of an INVITE. */
function variablesOf(request: SipRequest): ReadonlyMap<string, string> {
  const { headers } = request;
  const variables = new Map<string, string>([
    ['direction', 'inbound'],
    ['sip_call_id', callIdOf(request)],
    ['sip_user_agent', headers.get('User-Agent') ?? ''],
    ['sip_req_uri', request.uri.replace(/^sips?:/, '')],
    ['playback_terminators', 'none'],
    ['hangup_after_bridge', 'false'],
    ['park_after_bridge', 'true'],
  ]);
  for (const which of ['From', 'To'] as const) {
    const address = parseNameAddr(headers.get(which) ?? '');
    const uri = address === undefined ? undefined : parseUri(address.uri);
    variables.set(`sip_${which.toLowerCase()}_user`, uri?.user ?? '');
    variables.set(`sip_${which.toLowerCase()}_host`, uri?.host ?? '');
    variables.set(`sip_${which.toLowerCase()}_uri`, address?.uri.replace(/^sips?:/, '') ?? '');
  }
  headers.forEach((name, value) => {
    if (/^x-/i.test(name) && variables.size < 100) variables.set(`sip_h_${name}`, value);
  });
  return variables;
}

/** Of the causes we use, ITU-T Q.850; anything else is normal clearing. */
function q850(cause: string): number {
  const numbers: Readonly<Record<string, number>> = {
    NO_ROUTE_DESTINATION: 3,
    NORMAL_CLEARING: 16,
    USER_BUSY: 17,
    NO_ANSWER: 19,
    CALL_REJECTED: 21,
    DESTINATION_OUT_OF_ORDER: 27,
    NORMAL_TEMPORARY_FAILURE: 41,
    INCOMPATIBLE_DESTINATION: 88,
    RECOVERY_ON_TIMER_EXPIRE: 102,
  };
  return numbers[cause] ?? 16;
}
