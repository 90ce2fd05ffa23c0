/** playback, endless_playback, speak: prompts one after the other, ended by a break, a terminator or a time limit. */
import type { Application, ApplicationCall, Channel } from '../channel.ts';
import type { PlayItem } from '../../media/messages.ts';
import type { PlayLimits, PlayResult } from '../../media/requests.ts';
import type { Log } from '../../log.ts';
import { readWording } from '../../speech/wording.ts';
import { NO_RESPONSE, wholeNumber } from './application.ts';
import type { PromptFinder } from './prompts.ts';

export function playbackApplications(prompts: PromptFinder, log: Log): ReadonlyMap<string, Application> {
  return new Map<string, Application>([
    ['playback', (call) => playback(call, prompts, log, false)],
    ['speak', (call) => speak(call, prompts)],
    ['endless_playback', (call) => playback(call, prompts, log, true)],
  ]);
}

async function playback(
  { channel, arguments: args, signal }: ApplicationCall,
  prompts: PromptFinder,
  log: Log,
  isEndless: boolean,
) {
  const found = await prompts.find(args, channel.variables.get('playback_delimiter') ?? '', channel);
  if (found.kind === 'refused') return unplayable(channel, log, found.reason);
  if (signal.aborted) return 'FILE PLAYED';
  const limitSecs = wholeNumber(channel.variables.get('playback_timeout_sec'), 0, { min: 0, max: 86_400 });
  const maxMs = limitSecs === 0 ? Infinity : limitSecs * 1000;
  const result = await playToEnd(channel, signal, found.items, { isEndless, maxMs });
  if (result.kind === 'refused') return unplayable(channel, log, result.reason);
  setPlayedVariables(channel, result, found.items);
  return 'FILE PLAYED';
}

async function speak({ channel, arguments: args, signal }: ApplicationCall, prompts: PromptFinder): Promise<string> {
  const item = await prompts.speak(readWording(args, channel.variables), channel);
  if (typeof item === 'string') return `-ERR ${item}`;
  if (signal.aborted) return NO_RESPONSE;
  const result = await playToEnd(channel, signal, [item], {});
  if (result.kind === 'refused') return `-ERR ${result.reason}`;
  setPlayedVariables(channel, result, [item]);
  return NO_RESPONSE;
}

/** FreeSWITCH's answer tells no reason; whoever keeps the prompts finds it here. */
export function unplayable(channel: Channel, log: Log, reason: string): string {
  log.warn({ channel: channel.uuid, reason }, 'prompt cannot be played');
  return 'FILE NOT FOUND';
}

/** Until it is over, or a break or a terminator ends it. */
export async function playToEnd(
  channel: Channel,
  signal: AbortSignal,
  items: readonly PlayItem[],
  limits: PlayLimits,
): Promise<PlayResult> {
  const running = channel.play(items, limits);
  const stop = () => running.stop();
  signal.addEventListener('abort', stop, { once: true });
  const stopListening = stopAtTerminator(channel, stop);
  const result = await running.done;
  stopListening();
  signal.removeEventListener('abort', stop);
  return result;
}

export function setPlayedVariables(
  channel: Channel,
  { samples, lastItemSamples }: { readonly samples: number; readonly lastItemSamples: number },
  items: readonly PlayItem[],
): void {
  const { variables } = channel;
  variables.set('playback_seconds', String(Math.floor(samples / 8000)));
  variables.set('playback_ms', String(Math.floor(samples / 8)));
  variables.set('playback_samples', String(samples));
  // As FreeSWITCH counts: from where it began, in samples of the leg. Of a list nobody can tell which item that was.
  const [only] = items;
  const begin = items.length === 1 && only?.kind === 'file' ? only.offsetSamples : 0;
  const rate = Number(variables.get('read_rate') ?? 8000);
  variables.set('playback_last_offset_pos', String(begin + Math.round((lastItemSamples * rate) / 8000)));
}

/** Digits that end a playback or a recording: channel variable playback_terminators, `none` unless set. */
export function stopAtTerminator(channel: Channel, stop: () => void): () => void {
  const terminators = channel.variables.get('playback_terminators') ?? 'none';
  channel.variables.delete('playback_terminator_used');
  if (terminators === 'none') return () => {};
  const digits = terminators === 'any' ? '0123456789*#ABCD' : terminators;
  return channel.onDigit((digit) => {
    if (!digits.includes(digit)) return;
    channel.variables.set('playback_terminator_used', digit);
    stop();
  });
}
