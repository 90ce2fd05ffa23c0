import { AsyncLocalStorage } from 'node:async_hooks';
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Question {
  readonly id: number;
  readonly args: readonly string[];
}

const self = fileURLToPath(import.meta.url);
let child: ChildProcess | undefined;
let lastId = 0;
const waiting = new Map<number, (result: CliResult) => void>();

/**
 * Runs a `wardline` command in a process that has the command's code loaded already: the same command line, without the
 * second that a new process costs. Several at once are fine. The process ends with the test file.
 */
export function warmCli(args: readonly string[]): Promise<CliResult> {
  child ??= startChild();
  const id = ++lastId;
  const answered = new Promise<CliResult>((resolve) => waiting.set(id, resolve));
  child.ref();
  child.channel?.ref();
  child.send({ id, args } satisfies Question);
  return answered;
}

function startChild(): ChildProcess {
  const started = fork(self, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  started.on('message', ({ id, ...result }: CliResult & { id: number }) => {
    waiting.get(id)?.(result);
    waiting.delete(id);
    // It must not keep the test file alive; its own end follows from the channel's.
    if (waiting.size === 0) {
      started.unref();
      started.channel?.unref();
    }
  });
  return started;
}

/** The other side: what a command prints is collected for whoever asked. */
async function serve(): Promise<void> {
  const { run } = await import('../../src/cli/program.ts');
  const said = new AsyncLocalStorage<{ out: string; err: string }>();
  for (const [name, stream] of [
    ['out', process.stdout],
    ['err', process.stderr],
  ] as const) {
    stream.setMaxListeners(0);
    stream.write = (text: string | Uint8Array) => {
      const collected = said.getStore();
      if (collected) collected[name] += String(text);
      return true;
    };
  }
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ id, args }: Question) => {
    const collected = { out: '', err: '' };
    void said.run(collected, async () => {
      const code = await run(args).catch((error: unknown) => {
        collected.err += String(error instanceof Error ? error.stack : error);
        return 70;
      });
      process.send?.({ id, code, ...collected });
    });
  });
}

if (process.argv[1] === self) await serve();
