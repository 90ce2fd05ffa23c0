import { rulesOf, shredBecause } from '../../core/voicemail/index.ts';
import type { CompiledPlan } from '../../core/dialplan/index.ts';
import type { Clock } from '../../engine/ports.ts';
import { shredMessage } from '../shred-message.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';

const everyMs = 15 * 60_000;

/** Shreds what was deleted a day ago, and what its mailbox keeps no longer. */
export function watchRetention(
  { store, log, record }: Pick<Foundation, 'store' | 'log' | 'record'>,
  parts: { readonly plan: () => CompiledPlan; readonly clock: Clock },
  closing: Closing,
): void {
  const { plan, clock } = parts;
  let isClosed = false;
  let timer: { cancel(): void } | null = null;
  let sweeping: Promise<void> = Promise.resolve();

  const sweep = async (): Promise<void> => {
    for (const message of await store.messages.unshredded()) {
      if (isClosed) return;
      const { messageId, mailbox, at, deleted, held } = message;
      const kept = { messageId, mailbox, at, deletedAt: deleted?.at ?? null, isHeld: held !== null };
      const because = shredBecause(kept, rulesOf(plan(), mailbox).keepDays, clock.now());
      if (because === null) continue;
      const receipt = { because, reason: '', by: deleted?.by ?? 'system' };
      await shredMessage(message, receipt, { store, at: clock.now(), attest: record });
      log.info({ message: messageId, mailbox, because }, 'message shredded');
    }
  };
  const again = (): void => {
    sweeping = sweep().catch((error: unknown) => log.error({ err: error }, 'messages could not be shredded'));
    void sweeping.then(() => {
      if (!isClosed) timer = clock.after(everyMs, again);
    });
  };
  again();
  closing.add('retention', () => {
    isClosed = true;
    timer?.cancel();
    return sweeping;
  });
}
