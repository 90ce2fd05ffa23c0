import { controlTls, readSecret, type Telephony, type TelephonyOptions } from '../../telephony/index.ts';
import { serverNameOf } from '../../telephony/options.ts';
import type { Closing } from './closing.ts';
import { SideLine } from './side-line.ts';
import type { StatNumbers } from './stat-numbers.ts';

/** Tells every signalling server which numbers of the plan in force are STAT, and how late we are. */
export function openSideLines(
  parts: {
    readonly options: TelephonyOptions['signalling'];
    readonly telephony: Pick<Telephony, 'lateness'>;
    readonly stat: Pick<StatNumbers, 'numbers'>;
  },
  closing: Pick<Closing, 'add'>,
): void {
  const lines = parts.options.servers.map((server) => {
    const name = serverNameOf(server);
    const { host, port } = server;
    const about = { numbers: () => parts.stat.numbers, lateness: () => parts.telephony.lateness(name) };
    return new SideLine(
      { host, port, tls: controlTls(server) },
      readSecret(`signalling server ${name}`, server),
      about,
    );
  });
  closing.add('side lines to signalling servers', async () => {
    for (const line of lines) line.close();
  });
}
