import { buffer } from 'node:stream/consumers';
import { PassThrough, type Writable } from 'node:stream';
import { pipedThrough } from '../../processes/index.ts';
import type { HttpPosts } from '../../webhooks/index.ts';
import type { TranscriptionOptions } from '../../webhooks/options.ts';

/** Makes text of what `feed` writes, a WAV file. Rejects with why there is none, in words that are nobody's. */
export type Transcriber = (feed: (to: Writable) => Promise<void>, stop: AbortSignal) => Promise<string>;

/** An hour of fast speech is half of it. */
const mostBytes = 256 * 1024;

/** null: the operator has named none. */
export function transcriberOf(options: TranscriptionOptions, posts: Pick<HttpPosts, 'send'>): Transcriber | null {
  const { command, url, waitSeconds } = options;
  const withinMs = waitSeconds * 1000;
  if (command.length > 0) return (feed, stop) => pipedThrough(command, feed, { withinMs, mostBytes, stop });
  if (url === '') return null;
  return async (feed) => {
    const wav = new PassThrough();
    const [body] = await Promise.all([buffer(wav), feed(wav)]);
    try {
      const answer = await posts.send(url, body, withinMs, { 'content-type': 'audio/wav' }, mostBytes);
      if (answer.kind === 'failed') throw new Error(answer.why);
      if (answer.status !== 200) throw new Error(`it answered with status ${answer.status}`);
      const text = textIn(answer.text);
      if (text === null) throw new Error('its answer is not {"text": "…"}');
      return text;
    } finally {
      body.fill(0);
    }
  };
}

function textIn(answer: string): string | null {
  try {
    const said = (JSON.parse(answer) as { text?: unknown } | null)?.text;
    return typeof said === 'string' ? said : null;
  } catch {
    return null;
  }
}
