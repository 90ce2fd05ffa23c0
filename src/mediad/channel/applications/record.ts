/**
 * record path [limitSecs] [silenceLevel] [silenceSecs]: what the leg says, as a sealed container and never otherwise.
 *
 * A path outside the recordings folder, or nobody to seal for, is refused with `-ERR` and record_ms 0; FreeSWITCH would hang up, which loses the
 * caller.
 */
import type { Log } from '../../log.ts';
import type { RecordOutcome } from '../../media/requests.ts';
import type { RecordEnding, RecordLimits } from '../../media/messages.ts';
import type { Application, Channel } from '../channel.ts';
import { NO_RESPONSE, splitArguments, wholeNumber } from './application.ts';
import { stopAtTerminator } from './playback.ts';
import type { SessionRecordings } from './record-session.ts';
import { prepareRecording, type RecordSettings } from './recording-request.ts';

const DAY_SECS = 86_400;

export function recordApplications(
  settings: RecordSettings,
  sessions: SessionRecordings,
): ReadonlyMap<string, Application> {
  const running = new Map<string, () => void>();
  return new Map<string, Application>([
    ['record', (call) => record(call.channel, call.arguments, call.signal, settings, running)],
    [
      'stop_record_session',
      async ({ channel, arguments: path }) => {
        running.get(path.trim())?.();
        sessions.stop(channel, path.trim());
        return NO_RESPONSE;
      },
    ],
    ['record_session', sessions.application],
  ]);
}

async function record(
  channel: Channel,
  args: string,
  signal: AbortSignal,
  settings: RecordSettings,
  running: Map<string, () => void>,
): Promise<string> {
  const [given = '', limitSecs, silenceLevel, silenceSecs] = splitArguments(args);
  const prepared = await prepareRecording(given, channel.variables, settings);
  if (prepared.kind === 'refused') return refused(channel, settings.log, prepared.reason);
  if (signal.aborted) return NO_RESPONSE;
  const about = { 'Record-File-Path': given };
  const recording = channel.media.record(
    {
      path: prepared.path,
      recipients: prepared.recipients,
      metadata: { ...prepared.metadata, channel: channel.uuid },
      limits: limitsOf(limitSecs, silenceLevel, silenceSecs),
    },
    () => channel.publish('RECORD_START', about),
  );
  const stop = () => recording.stop();
  running.set(given, stop);
  const unlisten = stopAtTerminator(channel, stop);
  signal.addEventListener('abort', stop, { once: true });
  const outcome = await recording.done;
  signal.removeEventListener('abort', stop);
  unlisten();
  running.delete(given);
  setVariables(channel, outcome);
  if (outcome.ending === 'failed' && outcome.samples === 0) return refused(channel, settings.log, outcome.reason);
  if (outcome.ending === 'failed') {
    // What was sealed before the disk was full is a message all the same.
    settings.log.error({ channel: channel.uuid, reason: outcome.reason }, 'recording ended early');
    return `-ERR recording ended early: ${outcome.reason}`;
  }
  channel.publish('RECORD_STOP', { ...about, 'Record-Completion-Cause': completionCause(channel, outcome.ending) });
  return NO_RESPONSE;
}

/** Silence is looked for only with a level; FreeSWITCH's hits are seconds here as there. */
function limitsOf(
  limitSecs: string | undefined,
  level: string | undefined,
  silenceSecs: string | undefined,
): RecordLimits {
  const limit = wholeNumber(limitSecs, 0, { min: 0, max: DAY_SECS });
  return {
    maxMs: (limit === 0 ? DAY_SECS : limit) * 1000,
    silenceLevel: wholeNumber(level, 0, { min: 0, max: 32_767 }),
    silenceMs: wholeNumber(silenceSecs, 3, { min: 1, max: DAY_SECS }) * 1000,
  };
}

function setVariables(channel: Channel, outcome: RecordOutcome): void {
  const { samples } = outcome;
  channel.variables.set('record_seconds', String(Math.floor(samples / 8000)));
  channel.variables.set('record_ms', String(Math.floor(samples / 8)));
  channel.variables.set('record_samples', String(samples));
  channel.variables.set('record_completion_cause', completionCause(channel, outcome.ending));
}

function completionCause(channel: Channel, ending: RecordEnding): string {
  switch (ending) {
    case 'stopped':
      return channel.variables.has('playback_terminator_used') ? 'success-terminator' : 'success';
    case 'timeLimit':
      return 'success-maxtime';
    case 'silence':
      return 'success-silence';
    case 'legClosed':
      return 'success-hangup';
    case 'failed':
      return 'failure';
  }
}

function refused(channel: Channel, log: Log, reason: string): string {
  log.error({ channel: channel.uuid, reason }, 'recording refused');
  channel.variables.set('record_ms', '0');
  channel.variables.set('record_seconds', '0');
  channel.variables.set('record_samples', '0');
  channel.variables.set('record_completion_cause', 'failure');
  return `-ERR recording refused: ${reason}`;
}
