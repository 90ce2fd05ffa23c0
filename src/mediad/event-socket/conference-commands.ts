/** `conference <name> <command> …`: the commands of a conference as a whole, with FreeSWITCH's answers. */
import type { Conference } from '../channel/conference/conference.ts';
import type { Conferences } from '../channel/conference/conferences.ts';
import type { PromptFinder } from '../channel/applications/prompts.ts';
import { prepareRecording, type RecordSettings } from '../channel/applications/recording-request.ts';
import { conferencesAsJson, conferencesAsText, memberLines, prettyLines } from './conference-lists.ts';
import { eachMember, memberUsages } from './conference-member-commands.ts';

export interface ConferenceContext {
  readonly conferences: Conferences;
  readonly prompts: PromptFinder;
  readonly recording: RecordSettings;
}

/** undefined: the words are wrong, and its usage is the answer. */
type Answer = string | undefined | Promise<string | undefined>;
type OnConference = (conference: Conference, words: readonly string[], context: ConferenceContext) => Answer;

/** Runs what stands behind `conference`. */
export async function runConferenceCommand(args: string, context: ConferenceContext): Promise<string> {
  const words = args.split(' ').filter((word) => word !== '');
  const [name = '', command = '', ...rest] = words;
  const { conferences } = context;
  const conference = conferences.find(name);
  if (conference === undefined) return withoutConference(words, conferences);
  if (command === '') return "Conference command, not specified.\nTry 'help'\n";
  const key = command.toLowerCase();
  const ofMember = eachMember(key, conference, rest);
  if (ofMember !== undefined) return ofMember;
  const onConference = CONFERENCE_COMMANDS.get(key);
  if (onConference === undefined) return `-ERR Conference command '${command}' not found.\n`;
  return (await onConference[1](conference, rest, context)) ?? `${key} ${onConference[0]}`;
}

function withoutConference(words: readonly string[], conferences: Conferences): string {
  const [first = ''] = words;
  switch (first.toLowerCase()) {
    case '':
    case 'help':
    case 'commands':
      return `${usageLines().join('\n')}\n`;
    case 'list':
      return conferencesAsText(conferences.all, words.slice(1));
    case 'count':
      return String(conferences.all.length);
    case 'json_list':
      return conferencesAsJson(conferences.all, words[1] === 'compact');
    default:
      return `-ERR Conference ${first} not found\n`;
  }
}

function usageLines(): string[] {
  const ofConferences = [...CONFERENCE_COMMANDS].map(([name, [usage]]) => `${name} ${usage}`);
  return [...memberUsages(), ...ofConferences].map((line) => `conference <confname> ${line.trim()}`);
}

/** With the words of its usage. */
const CONFERENCE_COMMANDS: ReadonlyMap<string, readonly [string, OnConference]> = new Map<
  string,
  readonly [string, OnConference]
>([
  ['list', ['[delim <string>]|[count]', list]],
  ['count', ['', (conference) => String(conference.members.size)]],
  ['json_list', ['[compact]', (conference, [how]) => conferencesAsJson([conference], how === 'compact')]],
  ['play', ['<file_path> [async|<member_id> [nomux]]', play]],
  ['stop', ['<[current|all|async|last]> [<member_id>]', stop]],
  ['lock', ['', (conference) => lock(conference, true)]],
  ['unlock', ['', (conference) => lock(conference, false)]],
  ['pin', ['<pin#>', (conference, [pin]) => setPin(conference, pin ?? '')]],
  ['nopin', ['', (conference) => setPin(conference, '')]],
  ['get', ['<parameter-name>', (conference, [name]) => PARAMETERS.get(name ?? '')?.(conference)]],
  [
    'set',
    ['<max_members|sound_prefix|caller_id_name|caller_id_number|endconference_grace_time> <value>', setParameter],
  ],
  ['record', ['<filename>', (conference, [file], context) => record(conference, file, context)]],
  ['norecord', ['<[filename|all]>', (conference, [file]) => stopRecording(conference, file)]],
  ['chkrecord', ['<confname>', (conference) => checkRecording(conference)]],
  ['pause', ['<filename>', (conference, [file]) => pauseRecording(conference, file, 'pause')]],
  ['resume', ['<filename>', (conference, [file]) => pauseRecording(conference, file, 'resume')]],
  ['recording', ['[start|stop|check|pause|resume] [<filename>|all]', recording]],
  ['transfer', ['<conference_name> <member id> [...<member id>]', transfer]],
  ['getvar', ['<varname>', (conference, [name]) => conferenceVariable(conference, name)]],
]);

function list(conference: Conference, [how = '', delimiter = ';']: readonly string[]): string {
  if (how === 'count') return String(conference.members.size);
  if (how === 'pretty') return prettyLines(conference);
  return memberLines(conference, how === 'delim' ? delimiter.replaceAll('"', '') : ';');
}

async function play(
  conference: Conference,
  [file, to]: readonly string[],
  { prompts }: ConferenceContext,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const member = to === undefined || to === 'async' ? undefined : Number(to);
  if (member !== undefined && !conference.members.has(member)) return `-ERR Member: ${member} not found.\n`;
  const found = await prompts.find(file, '');
  if (found.kind === 'refused' || !conference.play(file, found.items, member, to === 'async'))
    return `-ERR (play) File: ${file} not found.\n`;
  return `+OK (play) Playing file ${file}${member === undefined ? '' : ` to member ${member}`}\n`;
}

function stop(conference: Conference, [which = 'all', to]: readonly string[]): string | undefined {
  if (which !== 'current' && which !== 'all' && which !== 'last' && which !== 'async') return undefined;
  const member = to === undefined ? undefined : Number(to);
  if (member !== undefined && !conference.members.has(member)) return `-ERR Member: ${to} not found.\n`;
  return `+OK Stopped ${conference.stopPlaying(which, member)} files.\n`;
}

function lock(conference: Conference, isLocked: boolean): string {
  conference.isLocked = isLocked;
  const word = isLocked ? 'lock' : 'unlock';
  conference.publish(word);
  return `+OK ${conference.name} ${word}ed\n`;
}

function setPin(conference: Conference, pin: string): string {
  conference.pin = pin.slice(0, 32);
  const { name } = conference;
  return pin === '' ? `+OK Pin for conference ${name} deleted\n` : `+OK Pin for conference ${name} set: ${pin}\n`;
}

const PARAMETERS: ReadonlyMap<string, (conference: Conference) => string> = new Map<string, (c: Conference) => string>([
  ['run_time', (conference) => String(conference.ageSecs)],
  ['count', ({ members }) => String(members.size)],
  ['count_ghosts', ({ ghosts }) => String(ghosts)],
  ['max_members', ({ maxMembers }) => String(maxMembers)],
  ['rate', () => '8000'],
  ['profile_name', ({ profile }) => profile],
  ['sound_prefix', ({ soundPrefix }) => soundPrefix],
  ['caller_id_name', ({ callerIdName }) => callerIdName],
  ['caller_id_number', ({ callerIdNumber }) => callerIdNumber],
  ['is_locked', ({ isLocked }) => (isLocked ? 'locked' : '')],
  ['endconference_grace_time', ({ graceSecs }) => String(graceSecs)],
  ['uuid', ({ uuid }) => uuid],
  ['wait_mod', () => ''],
]);

/** Answers with the value that held until now. */
function setParameter(conference: Conference, [name = '', value = '']: readonly string[]): string | undefined {
  const before = PARAMETERS.get(name)?.(conference);
  const number = /^\d{1,6}$/.test(value) ? Number(value) : undefined;
  switch (name) {
    case 'max_members':
      if (number === undefined) return undefined;
      conference.maxMembers = number;
      return before;
    case 'endconference_grace_time':
      if (number === undefined) return undefined;
      conference.graceSecs = number;
      return before;
    case 'sound_prefix':
      conference.soundPrefix = value;
      return before;
    case 'caller_id_name':
      conference.callerIdName = value;
      return before;
    case 'caller_id_number':
      conference.callerIdNumber = value;
      return before;
    default:
      return undefined;
  }
}

async function record(
  conference: Conference,
  file: string | undefined,
  { recording: settings }: ConferenceContext,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  if (conference.recordings.includes(file)) return `-ERR file [${file}] is already being used for recording.\n`;
  // Whom it is sealed for is told by a member's variables, as with its own recordings.
  const variables = [...conference.members.values()]
    .map((member) => member.channel.variables)
    .find((one) => one.has('wardline_seal_to'));
  const prepared = await prepareRecording(file, variables ?? new Map(), settings);
  const refusal =
    prepared.kind === 'refused'
      ? prepared.reason
      : await conference.record(file, {
          path: prepared.path,
          recipients: prepared.recipients,
          metadata: { ...prepared.metadata, conference: conference.uuid },
          limits: { maxMs: 86_400_000, silenceLevel: 0, silenceMs: 0 },
        });
  if (refusal === undefined) return `+OK Record file ${file}\n`;
  settings.log.error({ conference: conference.uuid, reason: refusal }, 'recording refused');
  return `-ERR recording refused: ${refusal}\n`;
}

function stopRecording(conference: Conference, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const chosen = file === 'all' ? conference.recordings : conference.recordings.filter((path) => path === file);
  const said = chosen.map((path) => {
    conference.changeRecording(path, 'stop');
    return `Stopped recording file ${path}\n`;
  });
  const none = chosen.length === 0 && file !== 'all' ? `-ERR non-existant recording '${file}'\n` : '';
  return `${said.join('')}${none}+OK Stopped recording ${chosen.length} file${chosen.length === 1 ? '' : 's'}\n`;
}

function checkRecording({ recordings }: Conference): string {
  if (recordings.length === 0) return '-ERR Conference is not being recorded.\n';
  return recordings.map((path) => `+OK Record file ${path}\n`).join('');
}

function pauseRecording(conference: Conference, file: string | undefined, change: 'pause' | 'resume') {
  if (file === undefined) return undefined;
  const said = `+OK ${change === 'pause' ? 'Pause' : 'Resume'} recording file ${file}\n`;
  return conference.changeRecording(file, change) ? said : `${said}-ERR non-existant recording '${file}'\n`;
}

function recording(conference: Conference, [action = '', file]: readonly string[], context: ConferenceContext): Answer {
  switch (action) {
    case 'start':
      return record(conference, file, context);
    case 'stop':
      return stopRecording(conference, file ?? 'all');
    case 'check':
      return checkRecording(conference);
    case 'pause':
    case 'resume':
      return pauseRecording(conference, file, action);
    default:
      return undefined;
  }
}

function transfer(
  conference: Conference,
  [to, ...ids]: readonly string[],
  { conferences }: ConferenceContext,
): string | undefined {
  if (to === undefined || ids.length === 0) return undefined;
  const [name = ''] = to.split('@');
  const said = ids.map((id) => {
    const member = conference.members.get(Number(id));
    if (member === undefined) return `-ERR No Member ${id} in conference ${conference.name}.\n`;
    const moved = conferences.move(member, name);
    if (typeof moved === 'string') return `-ERR ${moved}\n`;
    moved.publishOf('transfer', member, { 'Old-Conference-Name': conference.name, 'New-Conference-Name': to });
    return `+OK Member '${member.id}' sent to conference ${to}.\n`;
  });
  return said.join('');
}

function conferenceVariable(conference: Conference, name: string | undefined): string | undefined {
  return name === undefined ? undefined : (PARAMETERS.get(name)?.(conference) ?? '_undef_');
}
