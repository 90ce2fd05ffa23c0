import type { Log, Mailboxes } from '../../engine/ports.ts';
import type { Store } from '../../storage/index.ts';

/** The mailboxes of the store, as calls see them. */
export function mailboxesOf(store: Store, log: Log): Mailboxes {
  return {
    count(mailbox) {
      try {
        const { fresh, saved } = store.messages.count(mailbox);
        return fresh + saved;
      } catch (error) {
        // Nobody is turned away because a disk is slow.
        log.error({ mailbox, error }, 'messages could not be counted');
        return 0;
      }
    },
  };
}
