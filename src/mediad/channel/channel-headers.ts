import type { EventHeaders } from '../event-socket/framing.ts';

export type ChannelState = 'arriving' | 'answered' | 'hungUp';

export interface ChannelProfile {
  readonly uuid: string;
  readonly name: string;
  readonly state: ChannelState;
  readonly variables: ReadonlyMap<string, string>;
  readonly peer: { readonly uuid: string } | undefined;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
}

/** What FreeSWITCH says about a channel in nearly every event. */
export function profileHeaders(channel: ChannelProfile, destination: string): EventHeaders {
  const { uuid, name, variables, peer } = channel;
  const state = STATES[channel.state];
  return {
    'Channel-State': state.name,
    'Channel-Call-State': state.callState,
    'Channel-State-Number': state.number,
    'Channel-Name': name,
    'Channel-Unique-ID': uuid,
    'Unique-ID': uuid,
    'Call-Direction': 'inbound',
    'Presence-Call-Direction': 'inbound',
    'Answer-State': state.answerState,
    'Channel-Read-Codec-Name': variables.get('read_codec') ?? '',
    'Channel-Read-Codec-Rate': variables.get('read_rate') ?? '8000',
    'Channel-Write-Codec-Name': variables.get('write_codec') ?? '',
    'Channel-Write-Codec-Rate': variables.get('write_rate') ?? '8000',
    'Caller-Direction': 'inbound',
    'Caller-Dialplan': 'XML',
    'Caller-Context': 'mrf',
    'Caller-Source': 'mod_sofia',
    'Caller-Destination-Number': destination,
    'Caller-Unique-ID': uuid,
    'Caller-Channel-Name': name,
    'Caller-Channel-Created-Time': String(channel.createdAtMs * 1000),
    ...(peer !== undefined && { 'Other-Leg-Unique-ID': peer.uuid }),
  };
}

const STATES: Readonly<
  Record<ChannelState, Readonly<Record<'name' | 'number' | 'callState' | 'answerState', string>>>
> = {
  arriving: { name: 'CS_EXECUTE', number: '4', callState: 'RINGING', answerState: 'ringing' },
  answered: { name: 'CS_EXECUTE', number: '4', callState: 'ACTIVE', answerState: 'answered' },
  hungUp: { name: 'CS_HANGUP', number: '10', callState: 'HANGUP', answerState: 'hangup' },
};
