import { askControlPort, type ControlPort } from './ask-control-port.ts';

export type SignallingServerAnswer =
  /** `serves`: "udp/192.0.2.7:5060". */
  | { readonly kind: 'answers'; readonly version: string; readonly serves: readonly string[] }
  | { readonly kind: 'silent'; readonly why: string };

/** What is more is not the control protocol. */
const maxBytes = 65_536;

/** Logs in and reads what the server says of itself. Never rejects, and is over after `withinMs`. */
export async function askSignallingServer(
  to: ControlPort,
  secret: string,
  withinMs: number,
): Promise<SignallingServerAnswer> {
  const answer = await askControlPort(to, secret, { asks: [], withinMs, maxBytes });
  if (answer.kind === 'silent') return answer;
  const [, serves = '', version = ''] = answer.replies[0]?.says.split('|') ?? [];
  return { kind: 'answers', serves: serves.split(',').filter(Boolean), version };
}
