/** The `api` and `bgapi` commands, with FreeSWITCH's answers. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { splitArguments, wholeNumber } from '../channel/applications/application.ts';
import type { Channel } from '../channel/channel.ts';
import type { SessionRecordings } from '../channel/applications/record-session.ts';
import { VERSION, type Switchboard } from '../channel/switchboard.ts';
import { show, sofiaStatus, status } from './api-lists.ts';
import { runConferenceCommand, type ConferenceContext } from './conference-commands.ts';
import { setMediaStats, setVariable, setVariables, uuidDump } from './api-variables.ts';

export interface ApiContext extends ConferenceContext {
  readonly switchboard: Switchboard;
  readonly sessions: SessionRecordings;
  /** Opens a further event socket for a channel; a string is the reason why not. */
  readonly dial: (channel: Channel, target: string) => string | undefined;
  /** Lends a sealed recording to a channel: the word to play it by, or why not. */
  readonly lend: (channel: Channel, file: string, key: Uint8Array) => Promise<{ word: string } | { refused: string }>;
}

type ApiCommand = (args: string, context: ApiContext) => string | Promise<string>;
type ChannelCommand = (channel: Channel, words: readonly string[], context: ApiContext) => string | Promise<string>;

const OK = '+OK\n';
const NO_CHANNEL = '-ERR No such channel!\n';

/** Runs `name args`; unknown names are answered as FreeSWITCH does. */
export async function runApiCommand(text: string, context: ApiContext): Promise<string> {
  const [, name = '', args = ''] = /^(\S+)\s*(.*)$/s.exec(text.trim()) ?? [];
  const plain = COMMANDS.get(name);
  if (plain !== undefined) return plain(args, context);
  const onChannel = CHANNEL_COMMANDS.get(name);
  return onChannel === undefined ? `-ERR ${name} Command not found!\n` : runOnChannel(onChannel, args, context);
}

function runOnChannel(command: OnChannel, args: string, context: ApiContext): string | Promise<string> {
  const [uuid = '', ...words] = splitArguments(args);
  if (uuid === '' || words.length < command.needs) return `-USAGE: ${command.usage}\n`;
  const channel = context.switchboard.find(uuid);
  if (channel === undefined || channel.state === 'hungUp') return (command.absent ?? NO_CHANNEL).replace('%', uuid);
  return command.run(channel, words, context);
}

interface OnChannel {
  readonly usage: string;
  /** Words behind the uuid without which the usage is the answer. */
  readonly needs: number;
  /** The answer when there is no such channel; % stands for the uuid. */
  readonly absent?: string;
  readonly run: ChannelCommand;
}

/** FreeSWITCH's modules whose work is done here. */
const MODULES = new Set([
  'mod_commands',
  'mod_conference',
  'mod_dialplan_xml',
  'mod_dptools',
  'mod_event_socket',
  'mod_local_stream',
  'mod_sndfile',
  'mod_sofia',
  'mod_tone_stream',
]);

const COMMANDS: ReadonlyMap<string, ApiCommand> = new Map<string, ApiCommand>([
  [
    'sofia',
    (args, { switchboard }) =>
      args.trim() === 'status' ? sofiaStatus(switchboard) : '-ERR only sofia status is supported\n',
  ],
  ['status', (_, { switchboard }) => status(switchboard)],
  ['version', (args) => (args.trim() === 'short' ? `${VERSION}\n` : `FreeSWITCH Version ${VERSION}\n`)],
  ['hostname', () => hostname()],
  ['echo', (args) => args],
  ['strepoch', () => String(Math.floor(Date.now() / 1000))],
  ['uptime', (_, { switchboard }) => `${Math.floor(switchboard.upMs / 1000)}\n`],
  ['global_getvar', (args, { switchboard }) => (args.trim() === 'core_uuid' ? switchboard.bus.coreUuid : '')],
  ['module_exists', (args) => (args.trim() === '' ? '' : String(MODULES.has(args.trim())))],
  ['create_uuid', () => randomUUID()],
  ['conference', runConferenceCommand],
  ['show', (args, { switchboard }) => show(args, switchboard)],
  ['uuid_exists', (args, { switchboard }) => String(isAlive(switchboard.find(args.trim())))],
  [
    'hupall',
    (args, { switchboard }) => {
      const cause = args.trim() || 'MANAGER_REQUEST';
      for (const channel of switchboard.channels) channel.hangup(cause);
      return `+OK hangup all channels with cause ${cause}\n`;
    },
  ],
]);

const NO_SESSION = '-ERR Cannot locate session!\n';

const CHANNEL_COMMANDS: ReadonlyMap<string, OnChannel> = new Map<string, OnChannel>([
  ['wardline_lend', { usage: '<uuid> <file> <key>', needs: 2, run: lend }],
  [
    'uuid_kill',
    { usage: '<uuid> [cause]', needs: 0, run: (channel, [cause]) => (channel.hangup(cause ?? 'NORMAL_CLEARING'), OK) },
  ],
  ['uuid_bridge', { usage: '<uuid> <other_uuid>', needs: 1, absent: '-ERR Invalid uuid\n', run: uuidBridge }],
  [
    'uuid_break',
    { usage: '<uuid> [all]', needs: 0, run: (channel, words) => (channel.break(words.includes('all')), OK) },
  ],
  [
    'uuid_transfer',
    { usage: '<uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]', needs: 1, run: uuidTransfer },
  ],
  ['uuid_park', { usage: '<uuid>', needs: 0, run: (channel) => (park(channel), OK) }],
  ['uuid_dump', { usage: '<uuid> [format]', needs: 0, run: uuidDump }],
  [
    'uuid_getvar',
    { usage: '<uuid> <var>', needs: 1, run: (channel, [name]) => channel.variables.get(name ?? '') ?? '_undef_' },
  ],
  [
    'uuid_setvar',
    {
      usage: '<uuid> <var> [value]',
      needs: 1,
      run: (channel, [name, ...value]) => setVariable(channel, name, value.join(' ')),
    },
  ],
  [
    'uuid_setvar_multi',
    {
      usage: '<uuid> <var>=<value>;<var>=<value>...',
      needs: 1,
      run: (channel, words) => setVariables(channel, words.join(' ')),
    },
  ],
  ['uuid_set_media_stats', { usage: '<uuid>', needs: 0, absent: '-ERR No such channel %!\n', run: setMediaStats }],
  [
    'uuid_record',
    {
      usage: '<uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]',
      needs: 2,
      absent: NO_SESSION,
      run: uuidRecord,
    },
  ],
  [
    'uuid_recv_dtmf',
    {
      usage: '<uuid> <dtmf_data>',
      needs: 1,
      absent: NO_SESSION,
      run: (channel, [digits = '']) => receiveDigits(channel, digits),
    },
  ],
  [
    'uuid_send_dtmf',
    {
      usage: '<uuid> <dtmf_data>',
      needs: 1,
      absent: NO_SESSION,
      run: (channel, [digits = '']) => sendDigits(channel, digits),
    },
  ],
  // Digits are heard by who asks at that moment; none is ever kept for later.
  ['uuid_flush_dtmf', { usage: '<uuid>', needs: 0, absent: '-ERR No such session\n', run: () => OK }],
  [
    'uuid_broadcast',
    { usage: '<uuid> <path> [aleg|bleg|holdb|both]', needs: 1, absent: '-ERR invalid uuid\n', run: broadcast },
  ],
  ['uuid_audio', { usage: '<uuid> [start [read|write] [mute|level <level>]|stop]', needs: 1, run: uuidAudio }],
  // Legs are answered when they arrive, by the profile.
  ['uuid_answer', { usage: '<uuid>', needs: 0, absent: '-ERROR\n', run: () => OK }],
  ['uuid_pre_answer', { usage: '<uuid>', needs: 0, absent: '-ERROR\n', run: () => OK }],
  [
    'uuid_media_chain',
    { usage: '<uuid>', needs: 0, run: async (channel) => `${(await channel.media.report())?.chain ?? 'closed'}\n` },
  ],
]);

function isAlive(channel: Channel | undefined): boolean {
  return channel !== undefined && channel.state !== 'hungUp';
}

/** `wardline_lend uuid file key`: the file may be played once, as sealed://<word of the answer>. The key is base64url. */
async function lend(channel: Channel, [file = '', text = '']: readonly string[], context: ApiContext): Promise<string> {
  const key = Buffer.from(text, 'base64url');
  if (file === '' || key.length !== 32) return '-ERR wardline_lend needs a channel, a file and a key of 32 bytes\n';
  const lent = await context.lend(channel, file, key);
  return 'word' in lent ? `+OK ${lent.word}\n` : `-ERR ${lent.refused}\n`;
}

function uuidBridge(channel: Channel, [other = '']: readonly string[], { switchboard }: ApiContext): string {
  const peer = switchboard.find(other);
  if (peer === undefined || peer === channel) return '-ERR Invalid uuid\n';
  if (peer.state !== 'answered' || channel.state !== 'answered') return '-ERR Channels not ready\n';
  channel.bridge(peer);
  return `+OK ${peer.uuid}\n`;
}

/** `uuid_transfer u [-bleg|-both] park inline` and `… 'socket:host:port async full' inline`. */
function uuidTransfer(channel: Channel, words: readonly string[], context: ApiContext): string {
  const flag = words[0]?.startsWith('-') ? words[0] : '';
  const [destination = '', dialplan = ''] = flag === '' ? words : words.slice(1);
  if (dialplan !== 'inline') return '-ERR only inline transfers to park and socket are supported\n';
  const legs = [
    ...(flag === '-bleg' ? [] : [channel]),
    ...(flag === '' || channel.peer === undefined ? [] : [channel.peer]),
  ];
  if (destination === 'park') {
    for (const leg of legs) park(leg);
    return OK;
  }
  const target = /^socket:(\S+)/.exec(destination)?.[1];
  if (target === undefined) return '-ERR only inline transfers to park and socket are supported\n';
  const refusals = legs.map((leg) => context.dial(leg, target)).filter((refusal) => refusal !== undefined);
  return refusals.length === 0 ? OK : `-ERR ${refusals[0]}\n`;
}

/** `uuid_record u start|stop|mask|unmask path [limitSecs]` */
async function uuidRecord(channel: Channel, words: readonly string[], { sessions }: ApiContext): Promise<string> {
  const [action = '', path = '', limit] = words;
  const done = (isDone: boolean) => (isDone ? '+OK Success\n' : `-ERR Cannot ${action} record session!\n`);
  switch (action) {
    case 'start': {
      const refusal = await sessions.start(channel, path, wholeNumber(limit, 0, { min: 0, max: 86_400 }));
      return refusal === undefined ? '+OK Success\n' : `-ERR recording refused: ${refusal}\n`;
    }
    case 'stop':
      return done(sessions.stop(channel, path));
    case 'mask':
      return done(sessions.mask(channel, path, true));
    case 'unmask':
      return done(sessions.mask(channel, path, false));
    default:
      return '-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n';
  }
}

function park(channel: Channel): void {
  channel.unbridge();
  channel.break(true);
}

/** `<uuid> <file>` or `<uuid> <application>::<arguments>`: behind what runs already. */
function broadcast(channel: Channel, [what = '', side = 'aleg']: readonly string[]): string {
  const [, application = 'playback', args = what] = /^(\w+)::(.*)$/.exec(what) ?? [];
  const legs = [
    ...(side === 'bleg' ? [] : [channel]),
    ...(side === 'aleg' || channel.peer === undefined ? [] : [channel.peer]),
  ];
  const areQueued = legs.every((leg) => leg.execute(application, args, randomUUID()));
  return areQueued ? '+OK Message sent\n' : '-ERR too many applications are waiting\n';
}

/** Mutes one way, or ends what was begun. Levels are not changed here: a conference has volumes. */
function uuidAudio(channel: Channel, [action, way, what, level]: readonly string[]): string {
  if (action === 'stop') {
    channel.media.mute('read', false);
    channel.media.mute('write', false);
    return OK;
  }
  if (action !== 'start' || (way !== 'read' && way !== 'write') || what !== 'mute' || level === undefined)
    return '-USAGE: <uuid> [start [read|write] [mute|level <level>]|stop]\n';
  channel.media.mute(way, level !== '0');
  return OK;
}

function sendDigits(channel: Channel, digits: string): string {
  channel.media.sendDigits(digits.split('@')[0] ?? '', 2000);
  return `+OK ${channel.uuid} sent DTMF ${digits}.\n`;
}

function receiveDigits(channel: Channel, digits: string): string {
  for (const digit of digits.slice(0, 128)) channel.heardDigit({ digit, durationSamples: 2000, source: 'APP' });
  return `+OK ${channel.uuid} received DTMF ${digits}.\n`;
}
