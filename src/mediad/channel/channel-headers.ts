import type { EventHeaders } from '../event-socket/framing.ts';
import type { QueuedCall } from './application-queue.ts';

export type ChannelState = 'arriving' | 'answered' | 'hungUp';

/** With those that its end goes through. */
export type ChannelStage = ChannelState | 'reporting' | 'destroyed';

export interface ChannelProfile {
  readonly uuid: string;
  readonly name: string;
  readonly state: ChannelState;
  readonly variables: ReadonlyMap<string, string>;
  readonly peer: { readonly uuid: string } | undefined;
  /** One for both legs of a bridge. */
  readonly callUuid: string;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** 0: not yet. */
  readonly answeredAtMs: number;
}

/** What FreeSWITCH says about a channel in nearly every event. */
export function profileHeaders(channel: ChannelProfile, destination: string, stage: ChannelStage): EventHeaders {
  const { uuid, name, variables, peer } = channel;
  const state = STATES[stage];
  return {
    'Channel-State': state.name,
    'Channel-Call-State': state.callState,
    'Channel-State-Number': state.number,
    'Channel-Name': name,
    'Channel-Unique-ID': uuid,
    'Channel-Call-UUID': channel.callUuid,
    'Channel-HIT-Dialplan': 'true',
    'Unique-ID': uuid,
    'Call-Direction': 'inbound',
    'Presence-Call-Direction': 'inbound',
    'Answer-State': state.answerState,
    'Channel-Read-Codec-Name': variables.get('read_codec') ?? '',
    'Channel-Read-Codec-Rate': variables.get('read_rate') ?? '8000',
    'Channel-Write-Codec-Name': variables.get('write_codec') ?? '',
    'Channel-Write-Codec-Rate': variables.get('write_rate') ?? '8000',
    'Caller-Direction': 'inbound',
    'Caller-Logical-Direction': 'inbound',
    'Caller-Dialplan': 'XML',
    'Caller-Context': 'mrf',
    'Caller-Source': 'mod_sofia',
    'Caller-Destination-Number': destination,
    'Caller-Unique-ID': uuid,
    'Caller-Channel-Name': name,
    'Caller-Channel-Created-Time': String(channel.createdAtMs * 1000),
    'Caller-Channel-Answered-Time': String(channel.answeredAtMs * 1000),
    ...(peer !== undefined && { 'Other-Leg-Unique-ID': peer.uuid }),
  };
}

const STATES: Readonly<
  Record<ChannelStage, Readonly<Record<'name' | 'number' | 'callState' | 'answerState', string>>>
> = {
  arriving: { name: 'CS_EXECUTE', number: '4', callState: 'RINGING', answerState: 'ringing' },
  answered: { name: 'CS_EXECUTE', number: '4', callState: 'ACTIVE', answerState: 'answered' },
  hungUp: { name: 'CS_HANGUP', number: '10', callState: 'HANGUP', answerState: 'hangup' },
  reporting: { name: 'CS_REPORTING', number: '11', callState: 'HANGUP', answerState: 'hangup' },
  destroyed: { name: 'CS_DESTROY', number: '12', callState: 'HANGUP', answerState: 'hangup' },
};

/** FreeSWITCH leaves the variables out of these. */
export const BARE_EVENTS: ReadonlySet<string> = new Set(['DTMF', 'CHANNEL_CALLSTATE', 'CHANNEL_STATE']);

/** `a` was told to bridge. */
export function bridgeHeaders(a: { uuid: string }, b: { uuid: string }): EventHeaders {
  return { 'Bridge-A-Unique-ID': a.uuid, 'Bridge-B-Unique-ID': b.uuid, 'Other-Leg-Unique-ID': b.uuid };
}

export function applicationHeaders(call: QueuedCall): EventHeaders {
  return {
    Application: call.application,
    'Application-Data': call.arguments,
    'Application-UUID': call.eventUuid,
  };
}
