import type { Lookups } from '../engine/ports.ts';
import { HttpPosts } from './http-posts.ts';

type Question = Parameters<Lookups['ask']>[0];
type Answer = Awaited<ReturnType<Lookups['ask']>>;

/** Asks over HTTP: a POST with a JSON object, answered with 200 and `{"answer": "cardiology"}`. */
export class HttpLookups implements Lookups {
  readonly #posts: HttpPosts;

  /** Throws TypeError for an `allow` that is no network. */
  constructor(parts: ConstructorParameters<typeof HttpPosts>[0]) {
    this.#posts = new HttpPosts(parts);
  }

  async ask({ url, waitMs, told, caller }: Question): Promise<Answer> {
    const posted = await this.#posts.post(
      url,
      { ...told, ...(caller === null ? {} : { caller: caller.reveal() }) },
      waitMs,
    );
    if (posted.kind === 'failed') return failed(posted.why);
    if (posted.status !== 200) return failed(`it answered with status ${posted.status}`);
    const answer: unknown = answerIn(posted.text);
    const isWord = typeof answer === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(answer);
    return isWord ? { kind: 'answered', answer } : failed('its answer is not {"answer": "a-word"}');
  }
}

function answerIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { answer?: unknown } | null)?.answer;
  } catch {
    return null;
  }
}

function failed(why: string): Answer {
  return { kind: 'failed', why };
}
