/**
 * Applications that listen: start_dtmf, tone_detect, spandsp_start_tone_detect, wait_for_silence, detect_silence, detect_audio, and our own
 * wardline_answer_hint. What they hear is told as FreeSWITCH tells it: DTMF, DETECTED_TONE, variables.
 */
import type { HeardSound, ListenWish } from '../../media/hearing/detector.ts';
import type { Application, ApplicationCall, Channel } from '../channel.ts';
import { NO_RESPONSE, splitArguments, waitFor, wholeNumber } from './application.ts';

const MAX_LISTENING = 8;
const MAX_MS = 3_600_000;
const ON = { min: 1, max: 100_000 };

/** What runs beside the applications of a channel, by its name. */
class Listening {
  readonly #of = new WeakMap<Channel, Map<string, () => void>>();

  /** False when too much is listened for. */
  start(channel: Channel, name: string, wish: ListenWish, heard: (sound: HeardSound) => void): boolean {
    const running = this.#of.get(channel) ?? new Map<string, () => void>();
    this.#of.set(channel, running);
    running.get(name)?.();
    if (running.size >= MAX_LISTENING && !running.has(name)) return false;
    running.set(name, channel.media.listen(wish, heard));
    return true;
  }

  stop(channel: Channel, isMeant: (name: string) => boolean): void {
    for (const [name, stop] of this.#of.get(channel) ?? []) {
      if (!isMeant(name)) continue;
      stop();
      this.#of.get(channel)?.delete(name);
    }
  }
}

export function hearingApplications(): ReadonlyMap<string, Application> {
  const listening = new Listening();
  const startDtmf: Application = async ({ channel }) => {
    const heard = (sound: HeardSound) => {
      if (sound.kind !== 'digit') return;
      channel.heardDigit({ digit: sound.digit, durationSamples: sound.durationMs * 8, source: 'INBAND_AUDIO' });
    };
    return listening.start(channel, 'dtmf', { kind: 'dtmf' }, heard) ? NO_RESPONSE : TOO_MUCH;
  };
  const stopDtmf: Application = async ({ channel }) => stopped(listening, channel, (name) => name === 'dtmf');
  const stopTones: Application = async ({ channel, arguments: key }) =>
    stopped(listening, channel, (name) => name.startsWith('tone ') && [name, 'tone '].includes(`tone ${key.trim()}`));
  return new Map<string, Application>([
    ['start_dtmf', startDtmf],
    ['stop_dtmf', stopDtmf],
    ['spandsp_start_dtmf', startDtmf],
    ['spandsp_stop_dtmf', stopDtmf],
    ['tone_detect', (call) => toneDetect(call, listening)],
    ['stop_tone_detect', stopTones],
    ['spandsp_start_tone_detect', (call) => progress(call, listening)],
    ['spandsp_stop_tone_detect', stopTones],
    ['wait_for_silence', waitForSilence],
    ['detect_silence', (call) => detect(call, 'silence')],
    ['detect_audio', (call) => detect(call, 'audio')],
    ['wardline_answer_hint', (call) => answerHint(call, listening)],
  ]);
}

const TOO_MUCH = `-ERR more than ${MAX_LISTENING} things to listen for`;

function stopped(listening: Listening, channel: Channel, isMeant: (name: string) => boolean): string {
  listening.stop(channel, isMeant);
  return NO_RESPONSE;
}

/** key frequency[,frequency…] [r] [+timeoutMs] [app] [arguments] [hits]; only what is heard, and no application of its own. */
async function toneDetect({ channel, arguments: args }: ApplicationCall, listening: Listening): Promise<string> {
  const [key = '', spec = '', flags = 'r', timeout = '', application = '', , hits] = splitArguments(args);
  const frequenciesHz = spec.split(',').map(Number);
  const areHeard = frequenciesHz.every((hz) => hz >= 100 && hz <= 3900) && frequenciesHz.length <= 4;
  if (!/^[\w-]{1,64}$/.test(key) || !areHeard)
    return '-ERR tone_detect <key> <frequency>[,<frequency>…], 100 to 3900 Hz';
  if (flags.includes('w')) return '-ERR tone_detect listens to what the leg says (r) only';
  if (application !== '') return '-ERR tone_detect runs no application; wait for DETECTED_TONE';
  const name = `tone ${key}`;
  const wish = { kind: 'tone', name: key, frequenciesHz, hits: wholeNumber(hits, 1, ON) } as const;
  const isStarted = listening.start(channel, name, wish, (sound) => {
    if (sound.kind === 'tone') channel.publish('DETECTED_TONE', { 'Detected-Tone': sound.name });
  });
  if (!isStarted) return TOO_MUCH;
  const [, ms] = /^\+(\d{1,7})$/.exec(timeout) ?? [];
  if (ms !== undefined) setTimeout(() => listening.stop(channel, (other) => other === name), Number(ms)).unref();
  return NO_RESPONSE;
}

async function progress({ channel }: ApplicationCall, listening: Listening): Promise<string> {
  const heard = (sound: HeardSound) => {
    if (sound.kind === 'tone') channel.publish('DETECTED_TONE', { 'Detected-Tone': sound.name });
  };
  return listening.start(channel, 'tone progress', { kind: 'progress' }, heard) ? NO_RESPONSE : TOO_MUCH;
}

/** silenceThreshold silenceHits listenHits timeoutMs; hits are frames of 20 ms. */
async function waitForSilence(call: ApplicationCall): Promise<string> {
  const [threshold, silenceHits, listenHits, timeoutMs, file] = splitArguments(call.arguments);
  if (listenHits === undefined || file !== undefined)
    return '-ERR wait_for_silence <silence_thresh> <silence_hits> <listen_hits> [<timeout_ms>]';
  const wish = levelWish('silence', threshold, silenceHits, wholeNumber(listenHits, 0, { min: 0, max: ON.max }));
  return waitedFor(call, wish, timeoutMs, 'wait_for_silence_timeout');
}

/** threshold hits timeoutMs */
async function detect(call: ApplicationCall, wanted: 'silence' | 'audio'): Promise<string> {
  const [threshold, hits, timeoutMs, file] = splitArguments(call.arguments);
  if (timeoutMs === undefined || file !== undefined)
    return `-ERR detect_${wanted} <threshold> <${wanted}_hits> <timeout_ms>`;
  return waitedFor(call, levelWish(wanted, threshold, hits, 0), timeoutMs, `detect_${wanted}_timeout`);
}

function levelWish(
  wanted: 'silence' | 'audio',
  threshold: string | undefined,
  hits: string | undefined,
  afterLoud: number,
): ListenWish {
  const level = wholeNumber(threshold, 200, { min: 1, max: 32_767 });
  return { kind: 'level', wanted, threshold: level, frames: wholeNumber(hits, 25, ON), afterLoud };
}

async function waitedFor(
  { channel, signal }: ApplicationCall,
  wish: ListenWish,
  timeoutMs: string | undefined,
  variable: string,
): Promise<string> {
  const isHeard = new AbortController();
  const stop = channel.media.listen(wish, () => isHeard.abort());
  await waitFor(
    wholeNumber(timeoutMs, 0, { min: 0, max: MAX_MS }) || MAX_MS,
    AbortSignal.any([signal, isHeard.signal]),
  );
  stop();
  if (!signal.aborted) channel.variables.set(variable, isHeard.signal.aborted ? 'false' : 'true');
  return NO_RESPONSE;
}

/** Told once, as a hint and no more, in a CUSTOM event wardline::answer_hint. */
async function answerHint({ channel }: ApplicationCall, listening: Listening): Promise<string> {
  const isStarted = listening.start(channel, 'answer', { kind: 'answer' }, (sound) => {
    if (sound.kind !== 'answer') return;
    const { hint, speechMs, pauseMs } = sound;
    const body = JSON.stringify({ channel: channel.uuid, hint, speechMs, pauseMs });
    channel.publish('CUSTOM', {}, { subclass: 'wardline::answer_hint', body });
    listening.stop(channel, (name) => name === 'answer');
  });
  return isStarted ? NO_RESPONSE : TOO_MUCH;
}
