/** The variables of a channel, as the event socket reads and writes them. */
import type { Channel } from '../channel/channel.ts';
import { setMediaVariables } from '../channel/media-variables.ts';
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

export async function setMediaStats(channel: Channel): Promise<string> {
  const report = await channel.media.report();
  if (report === undefined) return '-ERR No such channel!\n';
  setMediaVariables(channel, report);
  return '+OK:\n';
}
