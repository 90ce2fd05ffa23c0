/**
 * One leg as the event socket sees it: variables, a queue of applications, at most one of them running.
 *
 *   arriving --answer--> answered --hangup--> hungUp        answered: parked, running an application, and perhaps bridged
 *
 * On hang-up every application that was sent is completed with an event, because the clients' promises hang on it.
 */
import type { EventHeaders } from '../event-socket/framing.ts';
import type { LegMedia } from '../media/leg-media.ts';
import type { PlayEvents, PlayLimits, PlayResult, Running } from '../media/requests.ts';
import type { LegReport, PlayItem } from '../media/messages.ts';
import { ApplicationQueue, type QueuedCall } from './application-queue.ts';
import {
  applicationHeaders,
  BARE_EVENTS,
  bridgeHeaders,
  type ChannelState,
  profileHeaders,
} from './channel-headers.ts';
import type { EventBus } from './events.ts';
import { setMediaVariables } from './media-variables.ts';
import type { DigitSource, HangupCause, HeardDigit } from './channel-types.ts';

export type * from './channel-types.ts';

/** Resolves with the Application-Response: `_none_`, `FILE PLAYED`, `FILE NOT FOUND`, `-ERR reason`. */
export type Application = (call: ApplicationCall) => Promise<string>;

export interface ApplicationCall {
  readonly channel: Channel;
  /** As sent: nothing is ever expanded in it. */
  readonly arguments: string;
  /** Aborted by a break, a bridge and a hang-up; the application then ends soon. */
  readonly signal: AbortSignal;
}

export interface ChannelOptions {
  readonly uuid: string;
  readonly name: string;
  readonly bus: EventBus;
  readonly media: LegMedia;
  readonly applications: ReadonlyMap<string, Application>;
  /** Variables that stand from the start. */
  readonly variables: ReadonlyMap<string, string>;
  readonly destination: string;
  /** Called once; the cause is for the BYE. `byRemote`: the other side has hung up already. */
  readonly onHangup: (cause: HangupCause, byRemote: boolean) => void;
  /** The last event is out. */
  readonly onEnded: () => void;
  /** The channel has become busy or idle, bridged or not. */
  readonly onActivity: () => void;
  /** The other side of the bridge has hung up. */
  readonly onPartnerHungUp: () => void;
  /** For what comes a moment after something else; never goes back. */
  readonly monotonicMs?: () => number;
}

const MAX_VARIABLES = 500;
const MAX_VARIABLE_BYTES = 16_384;
/** A key pressed once may arrive both as RTP and as INFO. */
const SAME_PRESS_MS = 250;

export class Channel {
  readonly uuid: string;
  readonly name: string;
  readonly media: LegMedia;
  readonly variables = new Map<string, string>();
  readonly #options: ChannelOptions;
  readonly #monotonicMs: () => number;
  readonly #createdAtMs = Date.now();
  #answeredAtMs = 0;
  readonly #applications: ApplicationQueue;
  readonly #digitListeners = new Set<(digit: string) => void>();
  #state: ChannelState = 'arriving';
  /** Of an end that is being told. */
  #stage: 'reporting' | 'destroyed' | undefined;
  #peer: Channel | undefined;
  #callUuid: string;
  #lastDigit: { digit: string; source: DigitSource; atMs: number } | undefined;

  constructor(options: ChannelOptions) {
    this.uuid = options.uuid;
    this.#callUuid = options.uuid;
    this.name = options.name;
    this.media = options.media;
    this.#options = options;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#applications = new ApplicationQueue({
      run: (call, signal) => this.#run(call, signal),
      onStarted: (call, isBeside) => {
        if (!isBeside) this.variables.set('current_application', call.application);
        if (!isBeside) this.variables.set('current_application_data', call.arguments);
        this.publish('CHANNEL_EXECUTE', applicationHeaders(call));
      },
      onCompleted: (call, response) =>
        this.publish('CHANNEL_EXECUTE_COMPLETE', { ...applicationHeaders(call), 'Application-Response': response }),
      onActivity: () => options.onActivity(),
    });
    for (const [name, value] of options.variables) this.variables.set(name, value);
    this.variables.set('uuid', options.uuid);
    this.variables.set('call_uuid', options.uuid);
    this.variables.set('channel_name', options.name);
    this.publish('CHANNEL_CREATE');
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** One for both legs of a bridge: that of the leg which was told to bridge. Alone its own. */
  get callUuid(): string {
    return this.#callUuid;
  }

  get peer(): Channel | undefined {
    return this.#peer;
  }

  /** Neither bridged nor running or waiting for an application. */
  get isIdle(): boolean {
    return this.#applications.isIdle && this.#peer === undefined;
  }

  get runningApplication(): string | undefined {
    return this.#applications.running;
  }

  /** 0: not yet. */
  get answeredAtMs(): number {
    return this.#answeredAtMs;
  }

  get createdAtMs(): number {
    return this.#createdAtMs;
  }

  answered(): void {
    if (this.#state !== 'arriving') return;
    this.#state = 'answered';
    this.#answeredAtMs = Date.now();
    this.variables.set('endpoint_disposition', 'ANSWER');
    this.publish('CHANNEL_ANSWER');
    this.#publishCallState('RINGING');
    this.publish('CHANNEL_PARK');
  }

  /** False if the variable or the number of variables is too large. */
  set(name: string, value: string): boolean {
    if (name === '' || name.length > 256 || Buffer.byteLength(value) > MAX_VARIABLE_BYTES) return false;
    if (!this.variables.has(name) && this.variables.size >= MAX_VARIABLES) return false;
    this.variables.set(name, value);
    return true;
  }

  /** Queues an application; the completion comes as an event. False when too many wait or the channel has ended. */
  execute(application: string, args: string, eventUuid: string): boolean {
    return this.#state !== 'hungUp' && this.#applications.execute({ application, arguments: args, eventUuid });
  }

  /** Ends the running application; with `all` also those that wait. */
  break(all: boolean): void {
    if (all) this.#applications.dropWaiting();
    this.#applications.interrupt();
  }

  /** A digit from the phone. Applications hear it, and so does the event socket. */
  heardDigit(heard: HeardDigit): void {
    if (this.#state === 'hungUp') return;
    const last = this.#lastDigit;
    const atMs = this.#monotonicMs();
    const isSamePress =
      last !== undefined &&
      last.digit === heard.digit &&
      last.source !== heard.source &&
      atMs - last.atMs < SAME_PRESS_MS;
    if (isSamePress) return;
    this.#lastDigit = { digit: heard.digit, source: heard.source, atMs };
    this.publish('DTMF', {
      'DTMF-Digit': heard.digit,
      'DTMF-Duration': String(heard.durationSamples),
      'DTMF-Source': heard.source,
      ...(heard.ssrc !== undefined && { 'DTMF-SSRC': heard.ssrc.toString(16) }),
      ...(heard.timestamp !== undefined && { 'DTMF-Timestamp': String(heard.timestamp) }),
    });
    for (const listener of this.#digitListeners) listener(heard.digit);
    // Digits in RTP and in the sound pass the bridge by themselves.
    if (heard.source !== 'RTP' && heard.source !== 'INBAND_AUDIO')
      this.#peer?.media.sendDigits(heard.digit, heard.durationSamples);
  }

  /** The function it returns ends it. */
  onDigit(listener: (digit: string) => void): () => void {
    this.#digitListeners.add(listener);
    return () => this.#digitListeners.delete(listener);
  }

  /** Plays, with the events FreeSWITCH has for it. */
  play(items: readonly PlayItem[], limits: PlayLimits = {}): Running<PlayResult> {
    const about = (name: string) => ({ 'Playback-File-Path': name, 'Playback-File-Type': 'file' });
    let isBroken = false;
    const events: PlayEvents = {
      itemStarted: (name) => this.publish('PLAYBACK_START', about(name)),
      itemStopped: (name) =>
        this.publish('PLAYBACK_STOP', { ...about(name), 'Playback-Status': isBroken ? 'break' : 'done' }),
    };
    const playing = this.media.play(items, limits, events);
    const stop = () => {
      isBroken = true;
      playing.stop();
    };
    return { done: playing.done, stop };
  }

  /** Both must be answered. Running applications of both end first. */
  bridge(other: Channel): void {
    this.unbridge();
    other.unbridge();
    this.#applications.interrupt();
    other.#applications.interrupt();
    this.#peer = other;
    other.#peer = this;
    other.#callUuid = this.uuid;
    other.variables.set('call_uuid', this.uuid);
    this.media.bridge(other.media);
    for (const [a, b] of [
      [this, other],
      [other, this],
    ] as const) {
      a.variables.set('bridge_uuid', b.uuid);
      a.variables.set('last_bridge_to', b.uuid);
      a.variables.set('signal_bond', b.uuid);
    }
    this.publish('CHANNEL_UNPARK');
    other.publish('CHANNEL_UNPARK');
    // As FreeSWITCH: of the leg alone that was told to bridge.
    this.publish('CHANNEL_BRIDGE', bridgeHeaders(this, other));
    this.#options.onActivity();
    other.#options.onActivity();
  }

  /** Both legs park. Nothing happens without a bridge. */
  unbridge(): void {
    const other = this.#peer;
    if (other === undefined) return;
    this.media.unbridge();
    other.media.unbridge();
    const [first, second] = this.#callUuid === this.uuid ? [this, other] : [other, this];
    first.publish('CHANNEL_UNBRIDGE', bridgeHeaders(first, second));
    this.#peer = undefined;
    other.#peer = undefined;
    other.#callUuid = other.uuid;
    this.#callUuid = this.uuid;
    for (const a of [this, other]) {
      a.variables.set('call_uuid', a.uuid);
      a.variables.delete('bridge_uuid');
      a.variables.delete('signal_bond');
      if (a.#state === 'answered') a.publish('CHANNEL_PARK');
      a.#options.onActivity();
    }
  }

  /** The first cause counts. The events come when the running application has ended, which may have a file to finish. */
  hangup(cause: HangupCause, byRemote = false): void {
    if (this.#state === 'hungUp') return;
    this.#state = 'hungUp';
    this.variables.set('hangup_cause', cause);
    this.#digitListeners.clear();
    const partner = this.#peer;
    this.unbridge();
    // Who hears the BYE finds the leg gone: its numbers are fetched first, which takes no longer than a tick of the media thread.
    const closed = this.media.close().then((report) => {
      this.#options.onHangup(cause, byRemote);
      return report;
    });
    if (partner !== undefined) partner.#options.onPartnerHungUp();
    this.#applications.close(() => void closed.then((report) => this.#ended(report)));
  }

  publish(name: string, headers: EventHeaders = {}, options: { subclass?: string; body?: string } = {}): void {
    const variables = BARE_EVENTS.has(name) ? {} : this.variableHeaders();
    this.#options.bus.publish(name, { ...this.profileHeaders(), ...variables, ...headers }, options);
  }

  profileHeaders(): EventHeaders {
    return profileHeaders(this, this.#options.destination, this.#stage ?? this.#state);
  }

  variableHeaders(): EventHeaders {
    return Object.fromEntries([...this.variables].map(([name, value]) => [`variable_${name}`, value]));
  }

  #publishCallState(before: 'RINGING' | 'ACTIVE', headers: EventHeaders = {}): void {
    this.publish('CHANNEL_CALLSTATE', { 'Original-Channel-Call-State': before, ...headers });
  }

  async #run(call: QueuedCall, signal: AbortSignal): Promise<string> {
    const application = this.#options.applications.get(call.application);
    // FreeSWITCH hangs up here. A caller must not be lost to a spelling mistake, so ours says so and goes on.
    if (application === undefined) return `-ERR application ${call.application} is not supported`;
    const run: ApplicationCall = { channel: this, arguments: call.arguments, signal };
    return application(run);
  }

  #ended(report: LegReport | undefined): void {
    if (report !== undefined) setMediaVariables(this, report);
    const about = { 'Hangup-Cause': this.variables.get('hangup_cause') ?? '' };
    this.publish('CHANNEL_STATE', about);
    this.#publishCallState('ACTIVE', about);
    this.publish('CHANNEL_HANGUP', about);
    this.#stage = 'reporting';
    this.publish('CHANNEL_STATE', about);
    this.publish('CHANNEL_HANGUP_COMPLETE', about);
    this.publish('CHANNEL_DESTROY', about);
    this.#stage = 'destroyed';
    this.publish('CHANNEL_STATE', about);
    this.#options.onEnded();
  }
}
