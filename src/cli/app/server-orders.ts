import { systemClock } from '../../engine/index.ts';
import type { ServerKind } from '../../engine/ports.ts';
import type { Telephony, TelephonyOptions } from '../../telephony/index.ts';
import { serverNameOf } from '../../telephony/options.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';

/** Whoever types `wardline servers drain` waits for it. */
const EVERY_MS = 500;
const KINDS: readonly ServerKind[] = ['signalling', 'media'];

/**
 * Drains servers as `wardline servers` says, from the first call on and while the house runs. A server of which nothing
 * was said is as the configuration has it.
 */
export function followServerOrders(
  parts: {
    readonly foundation: Pick<Foundation, 'store' | 'log' | 'terminal'>;
    readonly telephony: Pick<Telephony, 'drain'>;
    readonly options: TelephonyOptions;
  },
  closing: Pick<Closing, 'add'>,
): void {
  const { foundation, telephony, options } = parts;
  const { store, log, terminal } = foundation;
  const isDraining = new Map<string, boolean>();
  for (const kind of KINDS) {
    for (const server of options[kind].servers) isDraining.set(`${kind} ${serverNameOf(server)}`, server.draining);
  }
  let isUnread = false;
  let timer: { cancel(): void } | null = null;

  function look(): void {
    try {
      for (const { kind, server, isDraining: drains, author } of store.servers.newest()) {
        const name = `${kind} ${server}`;
        // A server that is in the configuration no more is nobody's business until it is there again.
        if (isDraining.get(name) === drains || !telephony.drain(kind, server, drains)) continue;
        isDraining.set(name, drains);
        log.info({ kind, server, by: author }, drains ? 'server drained' : 'server gets calls again');
        terminal(`${name}: ${drains ? 'no new calls' : 'gets calls again'} (${author})`);
      }
      isUnread = false;
    } catch (error) {
      if (!isUnread) log.error({ err: error }, 'orders about servers cannot be read: those known before stay in force');
      isUnread = true;
    }
    timer = systemClock.after(EVERY_MS, look);
  }

  look();
  closing.add('orders about servers', async () => timer?.cancel());
}
