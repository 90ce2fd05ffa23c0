/**
 * One leg as the event socket sees it: variables, a queue of applications, at most one of them running.
 *
 *   arriving --answer--> answered --hangup--> hungUp        answered: parked, running an application, and perhaps bridged
 *
 * On hang-up every application that was sent is completed with an event, because the clients' promises hang on it.
 */
import type { EventHeaders } from '../event-socket/framing.ts';
import type { LegMedia, PlayEvents, PlayResult, Running } from '../media/leg-media.ts';
import type { PlayItem } from '../media/messages.ts';
import { INSTANT_APPLICATIONS, NO_RESPONSE } from './applications/application.ts';
import type { EventBus } from './events.ts';

export type ChannelState = 'arriving' | 'answered' | 'hungUp';

/** FreeSWITCH's names of Q.850 causes. */
export type HangupCause = string;

/** Where a digit came from, in FreeSWITCH's words. */
export type DigitSource = 'RTP' | 'ENDPOINT' | 'APP';

export interface HeardDigit {
  readonly digit: string;
  readonly durationSamples: number;
  readonly source: DigitSource;
  readonly ssrc?: number;
  readonly timestamp?: number;
}

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
  readonly now?: () => number;
}

interface QueuedCall {
  readonly application: string;
  readonly arguments: string;
  readonly eventUuid: string;
}

const MAX_QUEUED = 1000;
const MAX_VARIABLES = 500;
const MAX_VARIABLE_BYTES = 16_384;
/** A key pressed once may arrive both as RTP and as INFO. */
const SAME_PRESS_MS = 250;
/** A disk that does not answer must not keep a channel for ever. */
const MAX_ENDING_MS = 5000;

export class Channel {
  readonly uuid: string;
  readonly name: string;
  readonly media: LegMedia;
  readonly variables = new Map<string, string>();
  readonly #options: ChannelOptions;
  readonly #now: () => number;
  readonly #createdAtMs: number;
  readonly #queue: QueuedCall[] = [];
  readonly #digitListeners = new Set<(digit: string) => void>();
  #state: ChannelState = 'arriving';
  #running: { readonly call: QueuedCall; readonly abort: AbortController } | undefined;
  #peer: Channel | undefined;
  #callUuid: string;
  #lastDigit: { digit: string; source: DigitSource; atMs: number } | undefined;

  constructor(options: ChannelOptions) {
    this.uuid = options.uuid;
    this.#callUuid = options.uuid;
    this.name = options.name;
    this.media = options.media;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#createdAtMs = this.#now();
    for (const [name, value] of options.variables) this.variables.set(name, value);
    this.variables.set('uuid', options.uuid);
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
    return this.#running === undefined && this.#queue.length === 0 && this.#peer === undefined;
  }

  get runningApplication(): string | undefined {
    return this.#running?.call.application;
  }

  get createdAtMs(): number {
    return this.#createdAtMs;
  }

  answered(): void {
    if (this.#state !== 'arriving') return;
    this.#state = 'answered';
    this.publish('CHANNEL_ANSWER');
    this.#publishCallState();
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
    if (this.#state === 'hungUp' || this.#queue.length >= MAX_QUEUED) return false;
    const call = { application, arguments: args, eventUuid };
    if (this.#mayOvertake(application)) this.#runBeside(call);
    else this.#queue.push(call);
    this.#runNext();
    return true;
  }

  /** Ends the running application; with `all` also those that wait. */
  break(all: boolean): void {
    const waiting = all ? this.#queue.splice(0) : [];
    for (const call of waiting) this.#completed(call, NO_RESPONSE);
    this.#running?.abort.abort();
  }

  /** A digit from the phone. Applications hear it, and so does the event socket. */
  heardDigit(heard: HeardDigit): void {
    if (this.#state === 'hungUp') return;
    const last = this.#lastDigit;
    const atMs = this.#now();
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
    // Digits in RTP pass the bridge by themselves.
    if (heard.source !== 'RTP') this.#peer?.media.sendDigits(heard.digit, heard.durationSamples);
  }

  /** The function it returns ends it. */
  onDigit(listener: (digit: string) => void): () => void {
    this.#digitListeners.add(listener);
    return () => this.#digitListeners.delete(listener);
  }

  /** Plays, with the events FreeSWITCH has for it. */
  play(items: readonly PlayItem[], isEndless: boolean): Running<PlayResult> {
    const about = (name: string) => ({ 'Playback-File-Path': name, 'Playback-File-Type': 'file' });
    const events: PlayEvents = {
      itemStarted: (name) => this.publish('PLAYBACK_START', about(name)),
      itemStopped: (name) => this.publish('PLAYBACK_STOP', { ...about(name), 'Playback-Status': 'done' }),
    };
    return this.media.play(items, isEndless, events);
  }

  /** Both must be answered. Running applications of both end first. */
  bridge(other: Channel): void {
    this.unbridge();
    other.unbridge();
    this.#running?.abort.abort();
    other.#running?.abort.abort();
    this.#peer = other;
    other.#peer = this;
    other.#callUuid = this.uuid;
    this.media.bridge(other.media);
    for (const [a, b] of [
      [this, other],
      [other, this],
    ] as const) {
      a.variables.set('bridge_uuid', b.uuid);
      a.variables.set('last_bridge_to', b.uuid);
      a.variables.set('signal_bond', b.uuid);
    }
    const legs = { 'Bridge-A-Unique-ID': this.uuid, 'Bridge-B-Unique-ID': other.uuid };
    this.publish('CHANNEL_BRIDGE', { ...legs, 'Other-Leg-Unique-ID': other.uuid });
    other.publish('CHANNEL_BRIDGE', { ...legs, 'Other-Leg-Unique-ID': this.uuid });
    this.#options.onActivity();
    other.#options.onActivity();
  }

  /** Both legs park. Nothing happens without a bridge. */
  unbridge(): void {
    const other = this.#peer;
    if (other === undefined) return;
    this.media.unbridge();
    other.media.unbridge();
    this.#peer = undefined;
    other.#peer = undefined;
    other.#callUuid = other.uuid;
    this.#callUuid = this.uuid;
    for (const [a, b] of [
      [this, other],
      [other, this],
    ] as const) {
      a.variables.delete('bridge_uuid');
      a.variables.delete('signal_bond');
      a.publish('CHANNEL_UNBRIDGE', { 'Other-Leg-Unique-ID': b.uuid });
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
    this.media.close();
    this.#options.onHangup(cause, byRemote);
    if (partner !== undefined) partner.#options.onPartnerHungUp();
    if (this.#running === undefined) return this.#ended();
    this.#running.abort.abort();
    setTimeout(() => this.#giveUpRunning(), MAX_ENDING_MS).unref();
  }

  publish(name: string, headers: EventHeaders = {}, options: { subclass?: string; body?: string } = {}): void {
    // FreeSWITCH leaves the variables out of these two.
    const variables = name === 'DTMF' || name === 'CHANNEL_CALLSTATE' ? {} : this.variableHeaders();
    this.#options.bus.publish(name, { ...this.profileHeaders(), ...variables, ...headers }, options);
  }

  profileHeaders(): EventHeaders {
    const isAnswered = this.#state === 'answered';
    return {
      'Channel-State': this.#state === 'hungUp' ? 'CS_HANGUP' : 'CS_EXECUTE',
      'Channel-Call-State': isAnswered ? 'ACTIVE' : this.#state === 'hungUp' ? 'HANGUP' : 'RINGING',
      'Channel-State-Number': this.#state === 'hungUp' ? '10' : '4',
      'Channel-Name': this.name,
      'Channel-Unique-ID': this.uuid,
      'Unique-ID': this.uuid,
      'Call-Direction': 'inbound',
      'Presence-Call-Direction': 'inbound',
      'Answer-State': isAnswered ? 'answered' : this.#state === 'hungUp' ? 'hangup' : 'ringing',
      'Channel-Read-Codec-Name': this.variables.get('read_codec') ?? '',
      'Channel-Read-Codec-Rate': '8000',
      'Channel-Write-Codec-Name': this.variables.get('write_codec') ?? '',
      'Channel-Write-Codec-Rate': '8000',
      'Caller-Direction': 'inbound',
      'Caller-Dialplan': 'XML',
      'Caller-Context': 'mrf',
      'Caller-Source': 'mod_sofia',
      'Caller-Destination-Number': this.#options.destination,
      'Caller-Unique-ID': this.uuid,
      'Caller-Channel-Name': this.name,
      'Caller-Channel-Created-Time': String(this.#createdAtMs * 1000),
      ...(this.#peer !== undefined && { 'Other-Leg-Unique-ID': this.#peer.uuid }),
    };
  }

  variableHeaders(): EventHeaders {
    return Object.fromEntries([...this.variables].map(([name, value]) => [`variable_${name}`, value]));
  }

  #publishCallState(headers: EventHeaders = {}): void {
    this.publish('CHANNEL_CALLSTATE', { 'Original-Channel-Call-State': 'RINGING', ...headers });
  }

  #runNext(): void {
    if (this.#running !== undefined || this.#state === 'hungUp') return;
    const call = this.#queue.shift();
    if (call === undefined) return this.#options.onActivity();
    const abort = new AbortController();
    this.#running = { call, abort };
    this.variables.set('current_application', call.application);
    this.publish('CHANNEL_EXECUTE', applicationHeaders(call));
    this.#options.onActivity();
    this.#run(call, abort.signal).then(
      (response) => this.#finished(call, response),
      (error: unknown) => this.#finished(call, failureOf(error)),
    );
  }

  async #run(call: QueuedCall, signal: AbortSignal): Promise<string> {
    const application = this.#options.applications.get(call.application);
    // FreeSWITCH hangs up here. A caller must not be lost to a spelling mistake, so ours says so and goes on.
    if (application === undefined) return `-ERR application ${call.application} is not supported`;
    const run: ApplicationCall = { channel: this, arguments: call.arguments, signal };
    return application(run);
  }

  #finished(call: QueuedCall, response: string): void {
    if (this.#running?.call !== call) return;
    this.#running = undefined;
    this.#completed(call, response);
    if (this.#state === 'hungUp') this.#ended();
    else this.#runNext();
  }

  /**
   * As in FreeSWITCH, what takes no time does not wait for a prompt that may never end; and nothing makes a hang-up wait.
   * It still never overtakes what was sent before it and has not begun.
   */
  #mayOvertake(application: string): boolean {
    if (application === 'hangup') return true;
    return this.#running !== undefined && this.#queue.length === 0 && INSTANT_APPLICATIONS.has(application);
  }

  #runBeside(call: QueuedCall): void {
    this.publish('CHANNEL_EXECUTE', applicationHeaders(call));
    const done = (response: string) => this.#completed(call, response);
    this.#run(call, new AbortController().signal).then(done, (error: unknown) => done(failureOf(error)));
  }

  #giveUpRunning(): void {
    if (this.#running !== undefined) this.#finished(this.#running.call, NO_RESPONSE);
  }

  #ended(): void {
    for (const call of this.#queue.splice(0)) this.#completed(call, NO_RESPONSE);
    const about = { 'Hangup-Cause': this.variables.get('hangup_cause') ?? '' };
    this.#publishCallState(about);
    this.publish('CHANNEL_HANGUP', about);
    this.publish('CHANNEL_HANGUP_COMPLETE', about);
    this.publish('CHANNEL_DESTROY', about);
    this.#options.onEnded();
  }

  #completed(call: QueuedCall, response: string): void {
    this.publish('CHANNEL_EXECUTE_COMPLETE', { ...applicationHeaders(call), 'Application-Response': response });
  }
}

function failureOf(error: unknown): string {
  return `-ERR ${error instanceof Error ? error.message : String(error)}`;
}

function applicationHeaders(call: QueuedCall): EventHeaders {
  return {
    Application: call.application,
    'Application-Data': call.arguments,
    'Application-UUID': call.eventUuid,
  };
}
