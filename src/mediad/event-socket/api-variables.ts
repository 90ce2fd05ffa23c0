/** The variables of a channel, as the event socket reads and writes them. */
import type { Channel } from '../channel/channel.ts';
import { headerBlock } from './framing.ts';

const OK = '+OK\n';

/** `uuid_dump u [json]` */
export async function uuidDump(channel: Channel, [format]: readonly string[]): Promise<string> {
  const headers = { ...channel.profileHeaders(), ...channel.variableHeaders() };
  return format === 'json' ? JSON.stringify(headers) : headerBlock(headers);
}

/** Without a value it is deleted. */
export function setVariable(channel: Channel, name: string | undefined, value: string): string {
  if (name === undefined) return '-ERR No variable specified\n';
  if (value === '') channel.variables.delete(name);
  else if (!channel.set(name, value)) return '-ERR the variable is too large, or there are too many\n';
  return OK;
}

/** `name=value;name=value…` */
export function setVariables(channel: Channel, text: string): string {
  for (const assignment of text.split(';')) {
    const equals = assignment.indexOf('=');
    const answer = setVariable(channel, assignment.slice(0, equals).trim(), assignment.slice(equals + 1));
    if (answer !== OK) return answer;
  }
  return OK;
}

/** FreeSWITCH's names for what was counted. */
export async function setMediaStats(channel: Channel): Promise<string> {
  const report = await channel.media.report();
  if (report === undefined) return '-ERR No such channel!\n';
  const { counters } = report;
  const values: Readonly<Record<string, number>> = {
    in_raw_bytes: counters.bytesIn,
    in_media_bytes: counters.bytesIn - counters.packetsIn * 12,
    in_packet_count: counters.packetsIn,
    in_media_packet_count: counters.packetsIn - counters.digitPacketsIn,
    in_skip_packet_count: counters.lostIn,
    in_dtmf_packet_count: counters.digitPacketsIn,
    in_foreign_packet_count: counters.foreignIn,
    in_broken_packet_count: counters.brokenIn,
    in_unauthentic_packet_count: counters.unauthenticIn,
    out_raw_bytes: counters.bytesOut,
    out_media_bytes: counters.bytesOut - counters.packetsOut * 12,
    out_packet_count: counters.packetsOut,
    out_media_packet_count: counters.packetsOut,
  };
  for (const [name, value] of Object.entries(values)) channel.variables.set(`rtp_audio_${name}`, String(value));
  channel.variables.set('rtp_audio_in_jitter_ms', counters.jitterInMs.toFixed(2));
  return '+OK:\n';
}
