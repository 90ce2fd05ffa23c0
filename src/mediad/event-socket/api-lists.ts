/** What the event socket tells about the server and its channels as a whole, in FreeSWITCH's layout. */
import { splitArguments } from '../channel/applications/application.ts';
import type { Channel } from '../channel/channel.ts';
import { VERSION, type Switchboard } from '../channel/switchboard.ts';

/** `sofia status` */
export function sofiaStatus(switchboard: Switchboard): string {
  const line = '='.repeat(97);
  const { profile } = switchboard.options;
  const tls = switchboard.options.tlsAddress();
  const row = (name: string, type: string, data: string, state: string) =>
    `${name.padStart(25)}\t${type}\t  ${data.padStart(40)}\t${state}\n`;
  return (
    row('Name', '   Type', 'Data', 'State') +
    `${line}\n` +
    [[switchboard.options.sipAddress(), ''], ...(tls === undefined ? [] : [[`${tls};transport=tls`, ' (TLS)']])]
      .map(([address, secured]) =>
        row(profile, 'profile', `sip:mod_sofia@${address}`, `RUNNING (${switchboard.count})${secured}`),
      )
      .join('') +
    `${line}\n1 profile 0 aliases\n\n`
  );
}

/** `status` */
export function status(switchboard: Switchboard): string {
  const seconds = Math.floor(switchboard.upMs / 1000);
  const minutes = Math.floor(seconds / 60);
  return (
    `UP 0 years, ${Math.floor(minutes / 1440)} days, ${Math.floor(minutes / 60) % 24} hours, ${minutes % 60} minutes, ${seconds % 60} seconds\n` +
    `FreeSWITCH (Version ${VERSION}) is ready\n` +
    `${switchboard.created} session(s) since startup\n` +
    `${switchboard.count} session(s) - peak ${switchboard.count}\n` +
    `${switchboard.options.maxChannels} session(s) max\n`
  );
}

/** `show channels|calls [count|as json]` */
export function show(args: string, switchboard: Switchboard): string {
  const [what, ...rest] = splitArguments(args);
  if (what !== 'channels' && what !== 'calls') return '-USAGE: show channels [count|as json]\n';
  const { channels } = switchboard;
  if (rest[0] === 'count') return `\n${channels.length} total.\n`;
  const rows = channels.map(channelRow);
  if (rest.join(' ') === 'as json') {
    return JSON.stringify({ row_count: rows.length, ...(rows.length > 0 && { rows }) });
  }
  const names = Object.keys(channelRow(undefined));
  const lines = rows.map((row) => Object.values(row).join(','));
  return rows.length === 0 ? '\n0 total.\n' : `${names.join(',')}\n${lines.join('\n')}\n\n${rows.length} total.\n`;
}

function channelRow(channel: Channel | undefined): Readonly<Record<string, string>> {
  return {
    uuid: channel?.uuid ?? '',
    direction: 'inbound',
    created_epoch: String(Math.floor((channel?.createdAtMs ?? 0) / 1000)),
    name: channel?.name ?? '',
    state: channel?.state === 'hungUp' ? 'CS_HANGUP' : 'CS_EXECUTE',
    application: channel?.runningApplication ?? '',
    context: 'mrf',
    read_codec: channel?.variables.get('read_codec') ?? '',
    callstate: channel?.state === 'answered' ? 'ACTIVE' : 'RINGING',
    call_uuid: channel?.callUuid ?? '',
  };
}
