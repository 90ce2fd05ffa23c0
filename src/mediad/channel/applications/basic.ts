/** Applications that need a few lines each. */
import type { Application, ApplicationCall } from '../channel.ts';
import { NO_RESPONSE, splitArguments, waitFor, wholeNumber } from './application.ts';

const DAY_MS = 86_400_000;

export const basicApplications: ReadonlyMap<string, Application> = new Map<string, Application>([
  // Legs are answered when they arrive, by the profile.
  ['answer', async () => NO_RESPONSE],
  ['pre_answer', async () => NO_RESPONSE],
  // What was running has been ended by whoever sent it, or has ended; digits are heard by who asks at that moment.
  ['break', async () => NO_RESPONSE],
  ['flush_dtmf', async () => NO_RESPONSE],
  ['queue_dtmf', queueDtmf],
  ['event', publishEvent],
  ['set', async (call) => set(call, call.arguments)],
  ['export', async (call) => set(call, call.arguments)],
  ['unset', async ({ channel, arguments: name }) => (channel.variables.delete(name.trim()), NO_RESPONSE)],
  ['multiset', multiset],
  ['park', park],
  ['sleep', sleep],
  ['hangup', hangup],
  ['set_mute', setMute],
  ['send_dtmf', sendDtmf],
]);

function set({ channel }: ApplicationCall, assignment: string): string {
  const equals = assignment.indexOf('=');
  const name = (equals === -1 ? assignment : assignment.slice(0, equals)).trim();
  const value = equals === -1 ? '' : assignment.slice(equals + 1);
  if (value === '') {
    channel.variables.delete(name);
    return NO_RESPONSE;
  }
  return channel.set(name, value) ? NO_RESPONSE : '-ERR the variable is too large, or there are too many';
}

/** `^^<delimiter>a=b<delimiter>c=d`, or separated by blanks. */
async function multiset(call: ApplicationCall): Promise<string> {
  const text = call.arguments.trimStart();
  const assignments = text.startsWith('^^') ? text.slice(3).split(text[2] ?? ' ') : splitArguments(text);
  for (const assignment of assignments) {
    const response = set(call, assignment);
    if (response !== NO_RESPONSE) return response;
  }
  return NO_RESPONSE;
}

async function park({ channel, signal }: ApplicationCall): Promise<string> {
  channel.publish('CHANNEL_PARK');
  await waitFor(DAY_MS, signal);
  return NO_RESPONSE;
}

async function sleep({ arguments: args, signal }: ApplicationCall): Promise<string> {
  await waitFor(wholeNumber(args.trim(), 0, { min: 0, max: DAY_MS }), signal);
  return NO_RESPONSE;
}

async function hangup({ channel, arguments: cause }: ApplicationCall): Promise<string> {
  // After this application has been reported as complete.
  setImmediate(() => channel.hangup(cause.trim() || 'NORMAL_CLEARING'));
  return NO_RESPONSE;
}

async function setMute({ channel, arguments: args }: ApplicationCall): Promise<string> {
  const [way, isOn] = splitArguments(args);
  if (way !== 'read' && way !== 'write') return '-ERR set_mute read|write true|false';
  channel.media.mute(way, isOn === 'true');
  return NO_RESPONSE;
}

const MAX_EVENT_HEADERS = 50;

/** `Event-Name=CUSTOM,Event-Subclass=a::b,name=value…`, of the channel. */
async function publishEvent({ channel, arguments: args }: ApplicationCall): Promise<string> {
  const pairs = args.split(',').map((pair) => /^\s*([\w-]{1,64})=([^\r\n]*)$/.exec(pair));
  if (pairs.length > MAX_EVENT_HEADERS || pairs.includes(null)) return '-ERR event <name>=<value>,<name>=<value>…';
  const {
    'Event-Name': name = 'CHANNEL_APPLICATION',
    'Event-Subclass': subclass,
    ...headers
  } = Object.fromEntries(pairs.map((pair) => [pair![1]!, pair![2]!])) as Record<string, string>;
  if (name !== 'CUSTOM' && name !== 'CHANNEL_APPLICATION')
    return '-ERR event: only CUSTOM events are anybody’s to make';
  channel.publish(name, headers, subclass === undefined ? {} : { subclass });
  return NO_RESPONSE;
}

/** As if the phone had sent them. */
async function queueDtmf({ channel, arguments: args }: ApplicationCall): Promise<string> {
  const [digits = '', durationMs] = args.trim().split('@');
  const durationSamples = wholeNumber(durationMs, 250, { min: 40, max: 8000 }) * 8;
  for (const digit of digits.slice(0, 128)) channel.heardDigit({ digit, durationSamples, source: 'APP' });
  return NO_RESPONSE;
}

/** `digits[@durationMs]` */
async function sendDtmf({ channel, arguments: args }: ApplicationCall): Promise<string> {
  const [digits = '', durationMs] = args.trim().split('@');
  channel.media.sendDigits(digits, wholeNumber(durationMs, 250, { min: 40, max: 8000 }) * 8);
  return NO_RESPONSE;
}
