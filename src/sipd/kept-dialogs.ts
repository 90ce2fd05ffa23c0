import type { Logger, SipEndpoint } from '../sip/index.ts';
import { DialogJournal, type StoredDialog } from './dialog-journal.ts';
import type { DialogBook } from './dialog-book.ts';

/** Goes on with the dialogs that are in the file, and keeps it up to date from now on. */
export function keepDialogs(parts: {
  readonly path: string;
  readonly secret: string;
  readonly endpoint: SipEndpoint;
  readonly dialogs: DialogBook;
  readonly now: () => number;
  readonly logger: Logger;
}): DialogJournal {
  const { endpoint, dialogs, now, logger } = parts;
  const all = function* (): Iterable<StoredDialog> {
    for (const { dialog, owner } of dialogs.all()) {
      if (isKept(dialog.state, owner.tag)) yield { tag: owner.tag, atMs: now(), dialog: dialog.snapshot() };
    }
  };
  const { journal, found } = DialogJournal.open({ ...parts, nowMs: now(), all });
  for (const { tag, dialog } of found) {
    const restored = endpoint.restore(dialog);
    if (restored !== undefined) dialogs.own(restored, { isOpen: false, tag });
  }
  if (found.length > 0) logger.info({ dialogs: dialogs.size, found: found.length }, 'dialogs restored');
  journal.rewrite();
  dialogs.watch((dialog, owner) => {
    if (owner !== undefined && isKept(dialog.state, owner.tag)) {
      journal.keep({ tag: owner.tag, atMs: now(), dialog: dialog.snapshot() });
    } else journal.forget(dialog);
  });
  return journal;
}

/** Without a tag nobody could come back for it, and a call that is not answered is placed again. */
function isKept(state: string, tag: string): boolean {
  return state === 'confirmed' && tag !== '';
}
