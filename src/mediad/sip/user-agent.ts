/**
 * The SIP side, FreeSWITCH's profile drachtio_mrf: every INVITE that names an application (X-esl-outbound) becomes a channel.
 *
 *   INVITE with SDP     -> 200 with the answer -> ACK           -> dial the application
 *   INVITE without SDP  -> 200 with our offer  -> ACK + answer  -> dial the application
 *
 * The application is dialled only after the ACK: its client library loses calls whose socket comes before the 200.
 */
import { randomUUID } from 'node:crypto';
import type { Application, Channel } from '../channel/channel.ts';
import { publishQuality, publishRtcp } from '../channel/media-variables.ts';
import type { ApiContext } from '../event-socket/api-commands.ts';
import type { Dialler } from '../event-socket/dialler.ts';
import type { Log } from '../log.ts';
import { LegMedia, type LegMediaEvents } from '../media/leg-media.ts';
import type { MediaWorkers } from '../media/media-workers.ts';
import type { LegPlace } from '../media/messages.ts';
import {
  callIdOf,
  Headers,
  parseUri,
  SipEndpoint,
  type Dialog,
  type IncomingRequest,
  type SipRequest,
  type TlsCredentials,
} from '../../sip/index.ts';
import type { AgreedMedia, CodecChoice } from '../sdp/negotiate.ts';
import { Call, SDP_TYPE } from './call.ts';
import { readInfoDigit } from './info-digit.ts';
import { inviteVariables } from './invite-variables.ts';
import { reasonHeader } from './reason-header.ts';

export interface UserAgentOptions {
  readonly host: string;
  readonly port: number;
  readonly advertisedHost: string | undefined;
  /** Written into SDP. */
  readonly mediaAddress: string;
  readonly codecs: CodecChoice;
  readonly tls: { readonly port: number; readonly credentials: TlsCredentials } | undefined;
  readonly applications: ReadonlyMap<string, Application>;
  readonly context: ApiContext;
  readonly dialler: Dialler;
  readonly log: Log;
  readonly workers: MediaWorkers;
}

const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO';

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
    const { tls, host } = options;
    // With port 0 the two would differ; the profile is one address, and drachtio comes over UDP.
    const plain = options.port === 0 ? listen.slice(0, 1) : listen;
    agent.#endpoint = await SipEndpoint.open({
      listen: tls === undefined ? plain : [...plain, { protocol: 'tls', host, port: tls.port }],
      tls: tls?.credentials,
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

  /** undefined: no TLS. */
  get tlsPort(): number | undefined {
    return this.#endpoint.addresses.find(({ protocol }) => protocol === 'tls')?.port;
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
    const response = respondWithSdp(incoming, call);
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
    let place: LegPlace;
    try {
      place = await media.open();
    } catch (error) {
      this.#options.log.error({ reason: (error as Error).message }, 'no media');
      incoming.respond(503);
      channel.hangup('DESTINATION_OUT_OF_ORDER', true);
      return undefined;
    }
    const { mediaAddress: address, codecs } = this.#options;
    const call = new Call({
      channel,
      media,
      application,
      at: { ...place, address },
      codecs,
      cipher: wishedCipher(incoming),
      unsecured: (reason) => this.#unsecured(channel, reason),
    });
    const refusal = call.answerOffer(incoming.request);
    if (refusal === undefined) return call;
    this.#options.log.info({ channel: channel.uuid, reason: refusal }, 'offer refused');
    incoming.respond(488);
    channel.hangup('INCOMPATIBLE_DESTINATION', true);
    return undefined;
  }

  #reinvited(incoming: IncomingRequest, dialog: Dialog): void {
    const call = this.#calls.get(dialog.key);
    if (call === undefined) return void incoming.respond(481);
    const refusal = call.answerChange(incoming.request);
    if (refusal !== undefined) {
      // The session goes on as it was, RFC 3261 14.2.
      this.#options.log.info({ channel: call.channel.uuid, reason: refusal }, 'offer refused');
      return void incoming.respond(488);
    }
    respondWithSdp(incoming, call);
  }

  #acknowledged(dialog: Dialog, ack: SipRequest): void {
    const call = this.#calls.get(dialog.key);
    if (call === undefined || call.channel.state === 'hungUp') return;
    const refusal = call.takeAnswer(ack);
    if (refusal !== undefined) {
      this.#options.log.warn({ channel: call.channel.uuid, reason: refusal }, 'answer refused');
      return call.channel.hangup('INCOMPATIBLE_DESTINATION');
    }
    if (call.isDialled) return;
    call.isDialled = true;
    this.#options.dialler.dial(call.channel, call.application, this.#options.context);
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
      measured: (quality) => publishQuality(channel, quality),
      reported: (news) => publishRtcp(channel, news),
      failed: (reason) => {
        log.error({ channel: uuid, reason }, 'media failed');
        channel.hangup('MEDIA_TIMEOUT');
      },
    };
    const call = callNameOf(request);
    const media = new LegMedia(this.#options.workers.pick(call), uuid, events);
    const destination = parseUri(request.uri)?.user ?? '';
    const channel: Channel = context.switchboard.add({
      uuid,
      name: `sofia/${context.switchboard.options.profile}/${destination}`,
      media,
      applications,
      variables: inviteVariables(request),
      destination,
      onHangup: (cause, byRemote) => {
        if (call !== undefined) this.#options.workers.leave(call);
        this.#hungUp(uuid, cause, byRemote);
      },
    });
    return { channel, media };
  }

  /** Somebody else may be at the other end, and nobody hears anything: the call is over. */
  #unsecured(channel: Channel, reason: string): void {
    if (channel.state === 'hungUp') return;
    this.#options.log.error({ channel: channel.uuid, reason }, 'sound not secured');
    const body = JSON.stringify({ channel: channel.uuid, reason });
    channel.publish('CUSTOM', {}, { subclass: 'wardline::sound_not_secured', body });
    channel.hangup('INCOMPATIBLE_DESTINATION');
  }

  #hungUp(uuid: string, cause: string, byRemote: boolean): void {
    for (const [key, call] of this.#calls) {
      if (call.channel.uuid !== uuid) continue;
      this.#calls.delete(key);
      if (!byRemote) call.dialog?.bye({ headers: new Headers().add('Reason', reasonHeader(cause)) });
      return;
    }
  }
}

const INFO_TYPES = 'application/dtmf-relay, application/dtmf';

function respondWithSdp(incoming: IncomingRequest, call: Call) {
  const headers = new Headers().add('Content-Type', SDP_TYPE).add('Allow', ALLOW);
  return incoming.respond(200, { headers, body: call.localSdp });
}

/** An app that names its legs CALL.LEG by their Call-ID tells which belong together; undefined: it does not. */
function callNameOf(request: SipRequest): string | undefined {
  const [call, ...more] = callIdOf(request).split('.');
  return more.length === 1 && call !== '' ? call : undefined;
}

/** `true` as drachtio-fsmrf asks; FreeSWITCH's drachtio configuration makes rtp_secure_media of it. `dtls` for browsers is ours. */
function wishedCipher({ request }: IncomingRequest): AgreedMedia['cipher'] {
  const wish = request.headers.get('X-Secure-RTP')?.trim();
  return wish === 'true' ? 'sdes' : wish === 'dtls' ? 'dtls' : 'none';
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
