import { type CompiledPlan, type PlanSource, statNumbers } from '../../core/dialplan/index.ts';
import type { Work } from '../../core/steps/index.ts';
import { systemClock } from '../../engine/index.ts';
import { controlTls, readSecret, type Telephony, type TelephonyOptions } from '../../telephony/index.ts';
import { serverNameOf } from '../../telephony/options.ts';
import type { Closing } from './closing.ts';
import { SideLine } from './side-line.ts';

const everyMs = 500;
/** The most that a server takes; further ones are served like all others. */
const mostNumbers = 20_000;

/** Tells every signalling server which numbers of the plan in force are STAT, and how late we are. */
export function openSideLines(
  parts: {
    readonly options: TelephonyOptions['signalling'];
    readonly telephony: Pick<Telephony, 'lateMs'>;
    readonly plan: () => CompiledPlan;
  },
  closing: Pick<Closing, 'add'>,
): void {
  let read: PlanSource | null = null;
  let numbers: readonly string[] | null = null;
  let timer: { cancel(): void } | null = null;
  let isClosed = false;

  async function look(): Promise<void> {
    const { source } = parts.plan();
    if (source !== read) {
      const stat = await littleByLittle(statNumbers(source), () => isClosed);
      if (stat === null) return;
      numbers = stat.slice(0, mostNumbers);
      read = source;
    }
    if (!isClosed) timer = systemClock.after(everyMs, () => void look());
  }

  void look();
  const lines = parts.options.servers.map((server) => {
    const name = serverNameOf(server);
    const { host, port } = server;
    const about = { numbers: () => numbers, lateMs: () => parts.telephony.lateMs(name) };
    return new SideLine(
      { host, port, tls: controlTls(server) },
      readSecret(`signalling server ${name}`, server),
      about,
    );
  });
  closing.add('side lines to signalling servers', async () => {
    isClosed = true;
    timer?.cancel();
    for (const line of lines) line.close();
  });
}

/** Calls are decided in between. null: it was given up. */
async function littleByLittle<T>(work: Work<T>, isGivenUp: () => boolean): Promise<T | null> {
  for (;;) {
    if (isGivenUp()) return null;
    const next = work.next();
    if (next.done) return next.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
