import type { ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import type { Question } from './hang-watch.ts';
import type { AppMessage, DaemonPlan, DaemonRecord, SupervisorMessage } from './launch-plan.ts';

/** Over the connection by which the app steers the daemon. */
export function questionFor({ watch }: DaemonPlan, { ready }: DaemonRecord): Question | null {
  if (watch === null) return null;
  const at = ready[watch.ready] as { host: string; port: number };
  return overTcp(at, watch);
}

/** From parent to child and back, through the event loop that also serves the calls. */
export function questionForApp(child: ChildProcess): Question {
  let answered = (): void => {};
  const listen = (message: unknown): void => {
    if ((message as AppMessage).type === 'here') answered();
  };
  child.on('message', listen);
  return {
    ask(then) {
      answered = then;
      if (child.connected) child.send({ type: 'areYouThere' } satisfies SupervisorMessage, () => {});
    },
    close: () => child.off('message', listen),
  };
}

/** Whatever comes back is a sign of life: a daemon that hangs says nothing. */
function overTcp(
  { host, port }: { host: string; port: number },
  { hello, question }: { hello: string; question: string },
): Question {
  let socket: Socket | null = null;
  let answered = (): void => {};
  const open = (): Socket => {
    const made = connect({ host, port });
    made.on('error', () => {});
    made.on('close', () => {
      if (socket === made) socket = null;
    });
    made.on('data', () => answered());
    made.write(hello);
    return made;
  };
  return {
    ask(then) {
      answered = then;
      socket ??= open();
      socket.write(question);
    },
    close() {
      answered = () => {};
      socket?.destroy();
    },
  };
}
