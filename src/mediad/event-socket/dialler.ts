/** Opens event sockets to applications, one per channel: what FreeSWITCH's `socket` application does. */
import { connect } from 'node:net';
import type { Channel } from '../channel/channel.ts';
import type { Log } from '../log.ts';
import type { ApiContext } from './api-commands.ts';
import { Session } from './session.ts';

const DIAL_WAIT_MS = 4000;

export class Dialler {
  readonly #hosts: readonly string[];
  readonly #log: Log;
  readonly #sessions = new Set<Session>();

  constructor(hosts: readonly string[], log: Log) {
    this.#hosts = hosts;
    this.#log = log;
  }

  /** Why mediad will not dial there; undefined if it will. */
  refusal(target: string): string | undefined {
    const place = readTarget(target);
    if (place === undefined) return 'X-esl-outbound is not host:port';
    return this.#hosts.includes(place.host) ? undefined : `${place.host} is not among eventSocket.outboundHosts`;
  }

  /** Returns the refusal, if any. If the application cannot be reached and nobody else attends, the channel is hung up. */
  dial(channel: Channel, target: string, context: ApiContext): string | undefined {
    const refusal = this.refusal(target);
    const place = readTarget(target);
    if (refusal !== undefined || place === undefined) return refusal;
    const socket = connect({ ...place, timeout: DIAL_WAIT_MS });
    const attendance = context.switchboard.attendanceOf(channel);
    let isOpen = false;
    socket.once('timeout', () => {
      if (!isOpen) socket.destroy(new Error('timeout'));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (isOpen) return;
      this.#log.warn({ channel: channel.uuid, reason: error.code ?? error.message }, 'application not reached');
      if (channel.isIdle && attendance?.isAttended !== true) channel.hangup('NORMAL_TEMPORARY_FAILURE');
    });
    socket.once('connect', () => {
      isOpen = true;
      socket.setTimeout(0);
      socket.setKeepAlive(true, 10_000);
      const session = new Session({
        socket,
        context,
        role: { kind: 'outbound', channel },
        onClosed: () => {
          this.#sessions.delete(session);
          attendance?.left();
        },
      });
      this.#sessions.add(session);
      attendance?.attended();
    });
    return undefined;
  }

  close(): void {
    for (const session of this.#sessions) session.close();
  }
}

function readTarget(target: string): { host: string; port: number } | undefined {
  const [, host, port] = /^(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})$/.exec(target.trim()) ?? [];
  if (host === undefined || Number(port) === 0 || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}
