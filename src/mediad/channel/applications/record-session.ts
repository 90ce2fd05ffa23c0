/**
 * record_session path [+limitSecs]: what a leg says and what it hears, until it is stopped or the leg hangs up; the leg goes on with other things.
 * Sealed like every recording. RECORD_STEREO keeps the two apart (RECORD_STEREO_SWAP the other way round), RECORD_READ_ONLY and RECORD_WRITE_ONLY
 * leave one out. uuid_record does the same from outside, and masks what nobody may hear again.
 */
import type { SessionWays } from '../../media/messages.ts';
import type { Recording, RecordOutcome } from '../../media/requests.ts';
import type { Application, Channel } from '../channel.ts';
import { NO_RESPONSE, splitArguments, wholeNumber } from './application.ts';
import { prepareRecording, type RecordSettings } from './recording-request.ts';

const DAY_SECS = 86_400;
const MAX_AT_ONCE = 16;

export class SessionRecordings {
  readonly #settings: RecordSettings;
  /** By channel, then by the path as it was given. */
  readonly #running = new Map<string, Map<string, Recording<RecordOutcome>>>();

  constructor(settings: RecordSettings) {
    this.#settings = settings;
  }

  readonly application: Application = async ({ channel, arguments: args }) => {
    const [path = '', limit] = splitArguments(args);
    const refusal = await this.start(channel, path, wholeNumber(limit?.replace('+', ''), 0, { min: 0, max: DAY_SECS }));
    return refusal === undefined ? NO_RESPONSE : `-ERR recording refused: ${refusal}`;
  };

  /** Returns why not, or undefined once it runs. `limitSecs` 0: none but a day. */
  async start(channel: Channel, given: string, limitSecs: number): Promise<string | undefined> {
    const prepared = await prepareRecording(given, channel.variables, this.#settings);
    if (prepared.kind === 'refused') {
      this.#settings.log.error({ channel: channel.uuid, reason: prepared.reason }, 'recording refused');
      return prepared.reason;
    }
    // Only now: while the folder was looked at, another one may have begun.
    const ofChannel = this.#running.get(channel.uuid) ?? new Map<string, Recording<RecordOutcome>>();
    if (ofChannel.has(given)) return 'it is being recorded to this path already';
    if (ofChannel.size >= MAX_AT_ONCE) return `it is being recorded ${MAX_AT_ONCE} times already`;
    const about = { 'Record-File-Path': given };
    const { promise: started, resolve } = Promise.withResolvers<true>();
    const recording = channel.media.record(
      {
        path: prepared.path,
        recipients: prepared.recipients,
        metadata: { ...prepared.metadata, channel: channel.uuid },
        limits: { maxMs: (limitSecs === 0 ? DAY_SECS : limitSecs) * 1000, silenceLevel: 0, silenceMs: 0 },
        session: waysOf(channel),
      },
      () => {
        channel.publish('RECORD_START', about);
        resolve(true);
      },
    );
    ofChannel.set(given, recording);
    this.#running.set(channel.uuid, ofChannel);
    void recording.done.then((outcome) => {
      ofChannel.delete(given);
      if (ofChannel.size === 0) this.#running.delete(channel.uuid);
      if (outcome.ending === 'failed') return;
      channel.variables.set('record_ms', String(Math.floor(outcome.samples / 8)));
      channel.variables.set('record_seconds', String(Math.floor(outcome.samples / 8000)));
      channel.variables.set('record_samples', String(outcome.samples));
      channel.publish('RECORD_STOP', about);
    });
    const outcome = await Promise.race([started, recording.done]);
    return outcome === true || outcome.ending !== 'failed' ? undefined : outcome.reason;
  }

  /** False: there is no such recording. `all` stops every one of the channel. */
  stop(channel: Channel, given: string): boolean {
    return this.#each(channel, given, (recording) => recording.stop());
  }

  mask(channel: Channel, given: string, isMasked: boolean): boolean {
    return this.#each(channel, given, (recording) => recording.pause(isMasked));
  }

  #each(channel: Channel, given: string, act: (recording: Recording<RecordOutcome>) => void): boolean {
    const ofChannel = this.#running.get(channel.uuid) ?? new Map<string, Recording<RecordOutcome>>();
    const found = given === 'all' ? [...ofChannel.values()] : [ofChannel.get(given)].filter((one) => one !== undefined);
    for (const recording of found) act(recording);
    return found.length > 0;
  }
}

function waysOf({ variables }: Channel): SessionWays {
  const isOn = (name: string) => /^(true|yes|on|1)$/i.test(variables.get(name) ?? '');
  if (isOn('RECORD_STEREO')) return 'stereo';
  if (isOn('RECORD_STEREO_SWAP')) return 'stereoSwapped';
  if (isOn('RECORD_READ_ONLY')) return 'heard';
  return isOn('RECORD_WRITE_ONLY') ? 'said' : 'mixed';
}
