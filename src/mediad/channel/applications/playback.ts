/** playback, endless_playback: prompts one after the other, ended by a break, a terminator or a time limit. */
import type { Application, ApplicationCall, Channel } from '../channel.ts';
import { waitFor, wholeNumber } from './application.ts';
import type { PromptFinder } from './prompts.ts';

export function playbackApplications(prompts: PromptFinder): ReadonlyMap<string, Application> {
  return new Map<string, Application>([
    ['playback', (call) => playback(call, prompts, false)],
    ['endless_playback', (call) => playback(call, prompts, true)],
  ]);
}

async function playback(
  { channel, arguments: args, signal }: ApplicationCall,
  prompts: PromptFinder,
  isEndless: boolean,
) {
  const found = await prompts.find(args, channel.variables.get('playback_delimiter') ?? '', channel.uuid);
  if (found.kind === 'refused') return 'FILE NOT FOUND';
  if (signal.aborted) return 'FILE PLAYED';
  const running = channel.play(found.items, isEndless);
  const stop = () => running.stop();
  signal.addEventListener('abort', stop, { once: true });
  const stopListening = stopAtTerminator(channel, stop);
  const limitSecs = wholeNumber(channel.variables.get('playback_timeout_sec'), 0, { min: 0, max: 86_400 });
  const limit = new AbortController();
  if (limitSecs > 0) void waitFor(limitSecs * 1000, limit.signal).then(stop);
  const result = await running.done;
  limit.abort();
  stopListening();
  signal.removeEventListener('abort', stop);
  if (result.kind === 'refused') return 'FILE NOT FOUND';
  setPlayedVariables(channel, result.samples, result.lastItemSamples);
  return 'FILE PLAYED';
}

export function setPlayedVariables(channel: Channel, samples: number, lastItemSamples: number): void {
  channel.variables.set('playback_seconds', String(Math.floor(samples / 8000)));
  channel.variables.set('playback_ms', String(Math.floor(samples / 8)));
  channel.variables.set('playback_samples', String(samples));
  channel.variables.set('playback_last_offset_pos', String(lastItemSamples));
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
