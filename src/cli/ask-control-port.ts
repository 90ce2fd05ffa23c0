import { connect } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

export interface ControlPort {
  readonly host: string;
  readonly port: number;
  /** null: in clear. */
  readonly tls: ConnectionOptions | null;
}

export type ControlAnswer =
  /** What follows the id of the question, "OK|…" or "NOK|…", up to the end of its line, and what stands below it. */
  | { readonly kind: 'answers'; readonly replies: readonly { readonly says: string; readonly body: string }[] }
  | { readonly kind: 'silent'; readonly why: string };

export const refusesSecret = 'it does not take our secret';
const noControl = 'it does not speak the control protocol';

/**
 * Connects to a control port, authenticates, and asks: one try. A port that is only open proves nothing: the kernel opens
 * it for a process that hangs. Never rejects, and is over after `withinMs`. More than `maxBytes` is not the control
 * protocol. The first reply is that to the login; one that is refused ends it all.
 */
export function askControlPort(
  { tls, ...at }: ControlPort,
  secret: string,
  {
    asks,
    withinMs,
    maxBytes,
  }: { readonly asks: readonly string[]; readonly withinMs: number; readonly maxBytes: number },
): Promise<ControlAnswer> {
  return new Promise((resolve) => {
    const socket = tls === null ? connect(at) : connectTls({ ...at, ...tls });
    const end = (answer: ControlAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const fail = (why: string): void => end({ kind: 'silent', why });
    const timer = setTimeout(() => fail(`no answer within ${withinMs} ms`), withinMs);
    const replies: { says: string; body: string }[] = [];
    const say = (text: string): void => void socket.write(controlFrame(text));
    let held: Buffer = Buffer.alloc(0);
    socket.on('error', (error: Error) => fail(error.message));
    socket.on('close', () => fail('it closed the connection'));
    socket.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      if (held.length > maxBytes || (held[0] ?? 0x30) < 0x30 || (held[0] ?? 0x30) > 0x39) return fail(noControl);
      for (let next = cutFrame(held); next !== null; next = cutFrame(held)) {
        held = next.rest;
        const reply = replyIn(next.payload);
        if (reply === null) continue;
        replies.push(reply);
        if (replies.length === 1 && !reply.says.startsWith('OK')) return fail(refusesSecret);
        const ask = asks[replies.length - 1];
        if (ask === undefined) return end({ kind: 'answers', replies });
        say(`cli|${ask}`);
      }
    });
    say(`cli|authenticate|${secret}|`);
  });
}

/** As the control protocol cuts its messages. */
export function controlFrame(text: string): string {
  return `${Buffer.byteLength(text)}#${text}`;
}

/** The first whole frame and what follows it; null while there is none. */
export function cutFrame(held: Buffer): { readonly payload: string; readonly rest: Buffer } | null {
  const head = /^(\d{1,7})#/.exec(held.toString('latin1', 0, 8));
  if (head === null) return null;
  const from = head[0].length;
  const to = from + Number(head[1]);
  return held.length < to ? null : { payload: held.toString('utf8', from, to), rest: held.subarray(to) };
}

/** Of "uuid|response|cli|OK|…", the answer to a message whose id was "cli"; null for anything that answers no question. */
export function replyIn(payload: string): { says: string; body: string } | null {
  const end = payload.indexOf('\r\n');
  const line = end < 0 ? payload : payload.slice(0, end);
  const says = /^[^|]*\|response\|cli\|(.*)$/s.exec(line)?.[1];
  return says === undefined ? null : { says, body: end < 0 ? '' : payload.slice(end + 2) };
}
