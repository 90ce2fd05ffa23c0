import type { Dialog, SipRequest } from '../sip/index.ts';
import { callIdOf, fromTagOf } from '../sip/index.ts';
import type { Owner } from './app-registry.ts';

/** A dialog and the app that made or accepted it. */
export interface OwnedDialog {
  readonly dialog: Dialog;
  readonly owner: Owner;
  /** Early dialogs of other branches of the same INVITE, the newest first. */
  readonly forks: readonly Dialog[];
}

/** Dialogs by the id apps know them by: Call-ID and the From tag of the request that created them. */
export class DialogBook {
  readonly #entries = new Map<string, OwnedDialog>();
  readonly #changed = new Set<Dialog>();
  #onChanged: ((dialog: Dialog, owner: Owner | undefined) => void) | undefined;

  get size(): number {
    return this.#entries.size;
  }

  find(id: string): OwnedDialog | undefined {
    return this.#entries.get(id);
  }

  /** The owner stays the same for the life of a dialog, unless it is gone. */
  own(dialog: Dialog, owner: Owner): void {
    this.touch(dialog);
    const id = idOfDialog(dialog);
    const known = this.#entries.get(id);
    if (known?.dialog === dialog && known.owner.isOpen) return;
    // Forked early dialogs share an id; the newest has it, and the one that is answered keeps it.
    const forks = known === undefined || known.dialog === dialog ? [] : [known.dialog, ...known.forks];
    this.#entries.set(id, {
      dialog,
      owner: known?.owner.isOpen === true ? known.owner : owner,
      forks: dialog.state === 'early' ? forks.filter((fork) => fork !== dialog && fork.state === 'early') : [],
    });
  }

  /** The branch whose provisional response a PRACK acknowledges. */
  findForPrack(id: string, rseq: number): Dialog | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    return [entry.dialog, ...entry.forks].find((dialog) => dialog.unacknowledgedRseq === rseq);
  }

  /** Tells whoever keeps them that a dialog has changed; in a later turn, and once for all changes of this one. */
  touch(dialog: Dialog): void {
    if (this.#onChanged === undefined) return;
    if (this.#changed.size === 0) setImmediate(() => this.#tellChanges());
    this.#changed.add(dialog);
  }

  drop(dialog: Dialog): OwnedDialog | undefined {
    const id = idOfDialog(dialog);
    const entry = this.#entries.get(id);
    if (entry?.dialog !== dialog) return undefined;
    this.#entries.delete(id);
    this.touch(dialog);
    return entry;
  }

  /** `listener` gets the owner, or undefined for a dialog that is over. */
  watch(listener: (dialog: Dialog, owner: Owner | undefined) => void): void {
    this.#onChanged = listener;
  }

  #tellChanges(): void {
    for (const dialog of this.#changed) {
      const entry = this.find(idOfDialog(dialog));
      this.#onChanged?.(dialog, entry?.dialog === dialog ? entry.owner : undefined);
    }
    this.#changed.clear();
  }

  all(): Iterable<OwnedDialog> {
    return this.#entries.values();
  }
}

export function idOfDialog(dialog: Dialog): string {
  return `${dialog.callId};from-tag=${dialog.initiatorTag}`;
}

/** The id a request gives its dialog; '' for a request that makes none. */
export function idOfCreator(request: SipRequest): string {
  const creates = request.method === 'INVITE' || request.method === 'SUBSCRIBE';
  return creates ? `${callIdOf(request)};from-tag=${fromTagOf(request)}` : '';
}
