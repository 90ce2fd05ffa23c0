/**
 * record path [limitSecs] [silenceLevel] [silenceSecs]: what the leg says, as a sealed container and never otherwise.
 *
 * Recipients come from channel variable wardline_seal_to (age1…, separated by blanks or commas), else from the options; wardline_seal_metadata is a
 * flat JSON object to be sealed along. A path outside the
 * recordings folder, or nobody to seal for, is refused with `-ERR` and record_ms 0; FreeSWITCH would hang up, which loses the caller.
 */
import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, resolve, sep } from 'node:path';
import { z } from 'zod';
import type { Metadata } from '../../../vault/index.ts';
import type { Log } from '../../log.ts';
import type { RecordOutcome } from '../../media/leg-media.ts';
import type { RecordEnding, RecordLimits } from '../../media/messages.ts';
import type { Application, Channel } from '../channel.ts';
import { NO_RESPONSE, splitArguments, wholeNumber } from './application.ts';
import { stopAtTerminator } from './playback.ts';

export interface RecordSettings {
  readonly folder: string | undefined;
  readonly sealTo: readonly string[];
  readonly log: Log;
}

const DAY_SECS = 86_400;
const MAX_RECIPIENTS = 16;

export function recordApplications(settings: RecordSettings): ReadonlyMap<string, Application> {
  const running = new Map<string, () => void>();
  return new Map<string, Application>([
    ['record', (call) => record(call.channel, call.arguments, call.signal, settings, running)],
    [
      'stop_record_session',
      async ({ arguments: path }) => {
        running.get(path.trim())?.();
        return NO_RESPONSE;
      },
    ],
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
  const place = await findPlace(given, settings.folder);
  const recipients = recipientsOf(channel, settings.sealTo);
  if (place.kind === 'refused') return refused(channel, settings.log, place.reason);
  if (recipients.length === 0)
    return refused(channel, settings.log, 'no recipients; set wardline_seal_to or the option sealTo');
  const metadata = readMetadata(channel.variables.get('wardline_seal_metadata'));
  if (metadata === undefined) return refused(channel, settings.log, 'wardline_seal_metadata is not a flat JSON object');
  if (signal.aborted) return NO_RESPONSE;
  const about = { 'Record-File-Path': given };
  const recording = channel.media.record(
    {
      path: place.path,
      recipients,
      metadata: { ...metadata, channel: channel.uuid, startedAt: new Date().toISOString() },
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
  if (outcome.ending === 'failed') return refused(channel, settings.log, outcome.reason);
  channel.publish('RECORD_STOP', { ...about, 'Record-Completion-Cause': completionCause(channel, outcome.ending) });
  return NO_RESPONSE;
}

type Place = { readonly kind: 'found'; readonly path: string } | { readonly kind: 'refused'; readonly reason: string };

/** The folder may be made, the file must lie below it also after following links. */
export async function findPlace(given: string, folder: string | undefined): Promise<Place> {
  if (folder === undefined)
    return { kind: 'refused', reason: 'no recordings folder is configured (option recordingsFolder)' };
  if (given === '') return { kind: 'refused', reason: 'record needs a path' };
  const wanted = isAbsolute(given) ? resolve(given) : resolve(folder, given);
  const outside: Place = { kind: 'refused', reason: 'the path is outside the recordings folder' };
  if (!wanted.startsWith(resolve(folder) + sep)) return outside;
  try {
    await mkdir(dirname(wanted), { recursive: true, mode: 0o700 });
    const root = await realpath(folder);
    const parent = await realpath(dirname(wanted));
    if (parent !== root && !parent.startsWith(root + sep)) return outside;
    return { kind: 'found', path: resolve(parent, basename(wanted)) };
  } catch (error) {
    return {
      kind: 'refused',
      reason: `the recordings folder cannot be used: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`,
    };
  }
}

function recipientsOf(channel: Channel, fallback: readonly string[]): readonly string[] {
  const own = (channel.variables.get('wardline_seal_to') ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return (own.length > 0 ? own : fallback).slice(0, MAX_RECIPIENTS);
}

/** What the application wants to find inside the container again; it may name patients, so it is sealed with the audio. */
const metadataSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

function readMetadata(text: string | undefined): Metadata | undefined {
  if (text === undefined) return {};
  try {
    return metadataSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
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
