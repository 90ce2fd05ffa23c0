import modesl from 'modesl';

export type MediaServerAnswer =
  /** `says`: the first line of `status`, such as "UP 0 years, 0 days, …". */
  { readonly kind: 'answers'; readonly says: string } | { readonly kind: 'silent'; readonly why: string };

/**
 * Connects to an event socket, authenticates, asks for `status`. One try: a media server that is asked again and again
 * with a wrong secret has better things to do. Never rejects, and is over after `withinMs`.
 */
export function askMediaServer(
  host: string,
  port: number,
  secret: string,
  withinMs: number,
): Promise<MediaServerAnswer> {
  return new Promise((resolve) => {
    const connection = new modesl.Connection(host, port, secret, () => {
      connection.api('status', (reply) => {
        end({ kind: 'answers', says: reply.getBody()?.split('\n')[0]?.slice(0, 200) ?? '' });
      });
    });
    // modesl lets go of its socket when the other end closes; it has to be closed all the same.
    const { socket } = connection;
    const end = (answer: MediaServerAnswer): void => {
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
  });
}
