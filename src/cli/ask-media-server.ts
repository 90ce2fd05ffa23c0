import modesl from 'modesl';

export type MediaServerAnswer =
  /** `says`: the first line of `status`, such as "UP 0 years, 0 days, …". */
  { readonly kind: 'answers'; readonly says: string } | { readonly kind: 'silent'; readonly why: string };

export type MediaServerAnswers =
  /** What it said to each command, in their order. */
  { readonly kind: 'answers'; readonly said: readonly string[] } | { readonly kind: 'silent'; readonly why: string };

/** Asks for `status`, as `askForAll`. */
export async function askMediaServer(
  host: string,
  port: number,
  secret: string,
  withinMs: number,
): Promise<MediaServerAnswer> {
  const answer = await askForAll({ host, port }, secret, ['status'], withinMs);
  if (answer.kind === 'silent') return answer;
  return { kind: 'answers', says: answer.said[0]?.split('\n')[0]?.slice(0, 200) ?? '' };
}

/**
 * Connects to an event socket, authenticates, and sends `api` commands, one after the other. One try: a media server that
 * is asked again and again with a wrong secret has better things to do. Never rejects, and is over after `withinMs`.
 */
export function askForAll(
  { host, port }: { readonly host: string; readonly port: number },
  secret: string,
  commands: readonly string[],
  withinMs: number,
): Promise<MediaServerAnswers> {
  return new Promise((resolve) => {
    const said: string[] = [];
    const askNext = (): void => {
      const command = commands[said.length];
      if (command === undefined) return end({ kind: 'answers', said });
      connection.api(command, (reply) => {
        said.push(reply.getBody() ?? '');
        askNext();
      });
    };
    const connection = new modesl.Connection(host, port, secret, askNext);
    // modesl lets go of its socket when the other end closes; it has to be closed all the same.
    const { socket } = connection;
    const end = (answer: MediaServerAnswers): void => {
      clearTimeout(timer);
      socket?.destroy();
      resolve(answer);
    };
    const fail = (why: string): void => end({ kind: 'silent', why });
    const timer = setTimeout(() => fail(`no answer within ${withinMs} ms`), withinMs);
    // What comes after the end must still be listened for: an event emitter throws errors that nobody listens for.
    connection.on('error', (error: Error) => fail(error.message));
    connection.on('esl::event::auth::fail', () => fail('it does not take our secret'));
    connection.on('esl::end', () => fail('it closed the connection'));
    connection.on('esl::event::raw::text/rude-rejection', () => fail('its access list does not let us in'));
  });
}
