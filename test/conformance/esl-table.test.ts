/**
 * The event socket, command by command: what FreeSWITCH 1.10.12 answers, and mediad after it. Runs on mediad; with `npm run test:real` on FreeSWITCH.
 * Where a row has two answers, the second is mediad's, and its reason stands in docs/engines.md.
 */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { EslClient } from '../support/esl-client.ts';
import { aServer } from '../support/esl-server.ts';
import { freeswitch } from '../support/freeswitch.ts';
import { until } from '../support/processes.ts';

/** `$A` is a leg that is there; a text is the whole answer (of an api command, its body). */
type Row = readonly [command: string, answer: string | RegExp, ofMediad?: string | RegExp];

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

const inbound: readonly Row[] = [
  ['event json HEARTBEAT', '+OK event listener enabled json'],
  ['event plain ALL', '+OK event listener enabled plain'],
  ['event xml HEARTBEAT', '+OK event listener enabled xml', /^-ERR xml events are not supported/],
  ['event json', '-ERR no keywords supplied'],
  ['event json NONSENSE', '-ERR no keywords supplied'],
  ['event NONSENSE', '-ERR no keywords supplied'],
  ['event', '-ERR no keywords supplied'],
  ['event json CUSTOM x::y', '+OK event listener enabled json'],
  ['nixevent HEARTBEAT', '+OK events nixed'],
  ['nixevent', '-ERR no keywords supplied'],
  ['noevents', '+OK no longer listening for events'],
  ['filter Unique-ID abc', '+OK filter added. [Unique-ID]=[abc]'],
  ['filter Unique-ID', '-ERR invalid syntax'],
  ['filter', '-ERR command not found'],
  ['filter delete Unique-ID abc', '+OK filter deleted. [Unique-ID][abc]'],
  ['filter delete Unique-ID', '+OK filter deleted. [Unique-ID][]'],
  ['filter delete all', '+OK filter deleted. [all][]'],
  ['log 1', '+OK log level 1 [1]'],
  ['nolog', '+OK no longer logging'],
  ['linger', '-ERR not controlling a session'],
  ['nolinger', '-ERR not controlling a session'],
  ['divert_events on', '-ERR not controlling a session.'],
  ['getvar x', '-ERR command not found'],
  ['myevents', '-ERR command not found'],
  ['resume', '-ERR command not found'],
  ['sendevent CUSTOM', /^\+OK [0-9a-f-]{36}$/],
  ['sendmsg', '-ERR invalid session id []'],
  ['sendmsg abc', '-ERR invalid session id [abc]'],
  ['nonsense', '-ERR command not found'],
  ['api', '-ERR command not found'],
  ['bgapi', '-ERR command not found'],
  ['bgapi status', /^\+OK Job-UUID: [0-9a-f-]{36}$/],
  ['bgapi status\nJob-UUID: abc', '+OK Job-UUID: abc'],
];

const calls: readonly Row[] = [
  ['nonsense', '-ERR nonsense Command not found!\n'],
  ['status', /^UP 0 years, 0 days, 0 hours, \d+ minutes?, \d+ seconds?[^]*\n\d+ session\(s\) since startup\n/],
  ['version', /^FreeSWITCH Version 1\.10\.12-/],
  ['version short', /^1\.10\.12-/],
  ['show channels count', '\n1 total.\n'],
  ['show channels as json', /^\{"row_count":1,"rows":\[\{"uuid":"\$A","direction":"inbound",/],
  ['module_exists mod_sofia', 'true'],
  ['module_exists nonsense', 'false'],
  ['module_exists', '-ERR no reply\n'],
  ['echo hello  world', 'hello  world'],
  ['global_getvar core_uuid', UUID],
  ['global_getvar nosuch', '-ERR no reply\n'],
  ['create_uuid', UUID],
  ['uptime', /^\d+\n/],
  ['strepoch', /^\d{10}$/],
  ['uuid_exists x', 'false'],
  ['uuid_exists $A', 'true'],
  ['uuid_kill x', '-ERR No such channel!\n'],
  ['uuid_kill', '-USAGE: <uuid> [cause]\n'],
  ['uuid_bridge a b', '-ERR Invalid uuid\n'],
  ['uuid_bridge $A', '-USAGE: <uuid> <other_uuid>\n'],
  ['uuid_bridge $A x', '-ERR Invalid uuid\n'],
  ['uuid_dump x', '-ERR No such channel!\n'],
  ['uuid_dump', '-USAGE: <uuid> [format]\n'],
  ['uuid_getvar $A uuid', '$A'],
  ['uuid_getvar $A nosuch', '_undef_'],
  ['uuid_getvar x y', '-ERR No such channel!\n'],
  ['uuid_getvar $A', '-USAGE: <uuid> <var>\n'],
  ['uuid_setvar $A foo bar baz', '+OK\n'],
  ['uuid_getvar $A foo', 'bar baz'],
  ['uuid_setvar $A foo', '+OK\n'],
  ['uuid_getvar $A foo', '_undef_'],
  ['uuid_setvar $A', '-USAGE: <uuid> <var> [value]\n'],
  ['uuid_setvar_multi $A a=1;b=2', '+OK\n'],
  ['uuid_getvar $A b', '2'],
  ['uuid_setvar_multi x a=1', /^-ERR No such channel!\n/],
  ['uuid_break $A all', '+OK\n'],
  ['uuid_break x', '-ERR No such channel!\n'],
  ['uuid_break', '-USAGE: <uuid> [all]\n'],
  ['uuid_transfer x park inline', '-ERR No such channel!\n'],
  ['uuid_transfer $A', '-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n'],
  ['uuid_recv_dtmf $A 1', '+OK $A received DTMF 1.\n'],
  ['uuid_recv_dtmf x 1', '-ERR Cannot locate session!\n'],
  ['uuid_recv_dtmf $A', '-USAGE: <uuid> <dtmf_data>\n'],
  ['uuid_send_dtmf $A 1', '+OK $A sent DTMF 1.\n'],
  ['uuid_send_dtmf x 1', '-ERR Cannot locate session!\n'],
  ['uuid_send_dtmf $A', '-USAGE: <uuid> <dtmf_data>\n'],
  ['uuid_flush_dtmf $A', '+OK\n'],
  ['uuid_flush_dtmf x', '-ERR No such session\n'],
  ['uuid_set_media_stats $A', '+OK:\n'],
  ['uuid_set_media_stats x', '-ERR No such channel x!\n'],
  ['uuid_record $A', '-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n'],
  ['uuid_record x start /tmp/x.wav', '-ERR Cannot locate session!\n'],
  ['uuid_record $A stop /tmp/x.wav', '-ERR Cannot stop record session!\n'],
  ['uuid_broadcast $A', '-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n'],
  ['uuid_broadcast x silence_stream://100', '-ERR invalid uuid\n'],
  ['uuid_broadcast $A silence_stream://100', '+OK Message sent\n'],
  ['uuid_audio $A', '-USAGE: <uuid> [start [read|write] [mute|level <level>]|stop]\n'],
  ['uuid_audio $A stop', '+OK\n'],
  ['uuid_audio x stop', '-ERR No such channel!\n'],
  ['uuid_answer $A', '+OK\n'],
  ['uuid_answer x', '-ERROR\n'],
  ['uuid_pre_answer $A', '+OK\n'],
  ['uuid_audio_fork $A start', '-ERR uuid_audio_fork Command not found!\n'],
  ['uuid_dub $A x', '-ERR uuid_dub Command not found!\n'],
  ['uuid_vad_detect $A start', '-ERR uuid_vad_detect Command not found!\n'],
  ['uuid_google_transcribe $A start', '-ERR uuid_google_transcribe Command not found!\n'],
  ['sofia status', /\n +drachtio_mrf\tprofile\t +sip:mod_sofia@127\.0\.0\.1:\d+\tRUNNING \(\d+\)\n/],
  ['conference list', '+OK No active conferences.\n'],
  ['conference count', '0'],
  ['conference json_list compact', '[]'],
  ['conference nobody list count', '-ERR Conference nobody not found\n'],
  ['conference nobody', '-ERR Conference nobody not found\n'],
];

/** In a conference of one, `$M`; each with the answer of FreeSWITCH's own mod_conference. */
const conferring: readonly Row[] = [
  ['conference room', "Conference command, not specified.\nTry 'help'\n"],
  ['conference room nonsense', "-ERR Conference command 'nonsense' not found.\n"],
  ['conference room count', '1'],
  ['conference room list count', '1'],
  ['conference  room  list', /^\$M;sofia\/drachtio_mrf\/[^;]*;\$A;[^;]*;[^;]*;hear\|speak[^;]*;0;0;100\n/],
  ['conference room mute $M', '+OK mute $M\n'],
  ['conference room unmute $M', '+OK unmute $M\n'],
  ['conference room tmute $M', '+OK mute $M\n'],
  ['conference room unmute all', '+OK unmute $M\n'],
  ['conference room deaf $M', '+OK deaf $M\n'],
  ['conference room undeaf last', '+OK undeaf $M\n'],
  ['conference room mute 9999', '-ERR Non-Existant ID 9999\n'],
  ['conference room mute uuid=$A', '+OK mute $M\n'],
  ['conference room unmute non_moderator', '+OK unmute $M\n'],
  ['conference room lock', '+OK room locked\n'],
  ['conference room get is_locked', 'locked'],
  ['conference room unlock', '+OK room unlocked\n'],
  ['conference room set max_members 7', '0'],
  ['conference room get max_members', '7'],
  ['conference room get uuid', /^[0-9a-f-]{36}/],
  ['conference room get count', '1'],
  ['conference room energy $M 300', 'Energy $M = 300\n'],
  ['conference room volume_in $M 2', '+OK Volume IN $M = 2\n'],
  ['conference room volume_out $M -9', '+OK Volume OUT $M = -4\n'],
  ['conference room pin 1234', '+OK Pin for conference room set: 1234\n'],
  ['conference room nopin', '+OK Pin for conference room deleted\n'],
  ['conference room dtmf $M 12', '+OK sent 12 to $M\n'],
  ['conference room chkRecord', '-ERR Conference is not being recorded.\n'],
  [
    'conference room recording stop nosuch.wav',
    "-ERR non-existant recording 'nosuch.wav'\n+OK Stopped recording 0 files\n",
  ],
  ['conference room play nosuch.wav', '-ERR (play) File: nosuch.wav not found.\n'],
  ['conference room play silence_stream://100', '+OK (play) Playing file silence_stream://100\n'],
  ['conference room play silence_stream://100 $M', '+OK (play) Playing file silence_stream://100 to member $M\n'],
  ['conference room stop all 9999', '-ERR Member: 9999 not found.\n'],
  ['conference room get-uuid $M', '$A'],
  ['conference room transfer other 9999', '-ERR No Member 9999 in conference room.\n'],
  ['conference room gettag x nomatch', "-ERR Conference command 'gettag' not found.\n"],
  ['conference room kick $M', '+OK kicked $M\n'],
];

const outbound: readonly Row[] = [
  ['getvar uuid', '$A'],
  ['linger 1', '+OK will linger 1 seconds'],
  ['linger', '+OK will linger'],
  ['nolinger', '+OK will not linger'],
  ['divert_events on', '+OK events diverted'],
  ['divert_events off', '+OK events not diverted'],
  ['myevents json', '+OK Events Enabled'],
  ['sendmsg\ncall-command: nonsense', '+OK', /^-ERR only call-command/],
];

/** What an application answers when it is over, and a variable that it leaves. */
type Done = readonly [application: string, args: string, response: string | RegExp, variables?: Record<string, string>];

const applications: readonly Done[] = [
  ['playback', 'silence_stream://100', 'FILE PLAYED'],
  ['playback', 'tone_stream://%(100,0,440)', 'FILE PLAYED'],
  ['playback', 'nosuch.wav', 'FILE NOT FOUND'],
  ['detect_audio', '500 5 200', '_none_', { detect_audio_timeout: 'true' }],
  ['detect_silence', '500 5 5000', '_none_', { detect_silence_timeout: 'false' }],
  ['wait_for_silence', '200 5 0 5000', '_none_', { wait_for_silence_timeout: 'false' }],
  ['wait_for_silence', '200 5 5 200', '_none_', { wait_for_silence_timeout: 'true' }],
  ['tone_detect', 'mine 1000 r', '_none_'],
  ['stop_tone_detect', '', '_none_'],
  ['start_dtmf', '', '_none_'],
  ['stop_dtmf', '', '_none_'],
  ['sleep', '10', '_none_'],
];

void t.test(`the event socket answers as FreeSWITCH does`, { skip: freeswitch?.kind === 'running' }, async (t) => {
  const server = await aServer(t);
  const { esl } = server;
  const leg = await server.leg();
  const names = new Map([['$A', leg.uuid]]);
  const told = (text: string) => [...names].reduce((line, [name, value]) => line.replaceAll(name, value), text);
  const untold = (text: string) => [...names].reduce((line, [name, value]) => line.replaceAll(value, name), text);
  const check = async (client: EslClient, [command, theirs, ours]: Row, isApi: boolean) => {
    const expected = freeswitch === undefined ? (ours ?? theirs) : theirs;
    const reply = await client.command(told(isApi ? `api ${command}` : command));
    const said = untold(isApi ? reply.body : (reply.headers['Reply-Text'] ?? ''));
    if (typeof expected === 'string') t.equal(said, expected, command);
    else t.match(said, expected, command);
  };
  // FreeSWITCH enters a channel into its list some time after it has parked it.
  await until('the channel to be in the list', async () => /^\s*1 total/.test(await esl.api('show channels count')));
  for (const row of inbound) await check(esl, row, false);
  for (const row of calls) await check(esl, row, true);
  for (const row of outbound) await check(leg.esl, row, false);

  await esl.command('event json CHANNEL_EXECUTE_COMPLETE CUSTOM conference::maintenance');
  for (const [name, args, response, variables = {}] of applications) {
    const id = randomUUID();
    const lines = [`execute-app-name: ${name}`, `execute-app-arg: ${args}`, `Event-UUID: ${id}`];
    await leg.esl.command(`sendmsg\ncall-command: execute\n${lines.join('\n')}`);
    const done = await esl.next((message) => message.event['Application-UUID'] === id);
    t.match(done.event, { Application: name, 'Application-Response': response }, `${name} ${args}`);
    for (const [variable, value] of Object.entries(variables))
      t.equal(done.event[`variable_${variable}`], value, `${name} ${args}: ${variable}`);
  }
  await leg.esl.command('sendmsg\ncall-command: execute\nexecute-app-name: conference\nexecute-app-arg: room');
  const { event } = await esl.next((message) => message.event['Action'] === 'add-member');
  t.match(event, {
    'Event-Subclass': 'conference::maintenance',
    'Conference-Name': 'room',
    'Conference-Size': '1',
    'Unique-ID': leg.uuid,
    Hear: 'true',
    Speak: 'true',
    'Member-Type': 'member',
  });
  const member = event['Member-ID'] ?? '';
  for (const [command, expected] of conferring) {
    const fill = (text: string) => told(text).replaceAll('$M', member);
    const said = await esl.api(fill(command));
    if (typeof expected === 'string') t.equal(said, fill(expected), command);
    else t.match(said, new RegExp(fill(expected.source.replaceAll('\\$', '$'))), command);
  }
  await esl.next((message) => message.event['Action'] === 'del-member');
  await esl.next((message) => message.event['Action'] === 'conference-destroy');
});
