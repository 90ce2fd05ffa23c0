import { callIdOf, fromTagOf, type SipRequest, toTagOf } from '../message/sip-message.ts';
import { type Dialog, dialogKey } from './dialog.ts';
import type { DialogEnding } from './dialog-ending.ts';

/** The living dialogs of an endpoint. */
export class DialogTable {
  readonly #dialogs = new Map<string, Dialog>();
  readonly #onEnded: (dialog: Dialog, ending: DialogEnding) => void;

  /** `onEnded`: told once for each dialog that ends; not for one that is forgotten. */
  constructor(onEnded: (dialog: Dialog, ending: DialogEnding) => void) {
    this.#onEnded = onEnded;
  }

  get size(): number {
    return this.#dialogs.size;
  }

  add(dialog: Dialog): Dialog {
    this.#dialogs.set(dialog.key, dialog);
    return dialog;
  }

  find(key: string): Dialog | undefined {
    return this.#dialogs.get(key);
  }

  /** The dialog that a request of the peer belongs to. */
  ofRequest(request: SipRequest): Dialog | undefined {
    return this.#dialogs.get(dialogKey(callIdOf(request), toTagOf(request), fromTagOf(request)));
  }

  /** One that came to nothing. */
  forget(dialog: Dialog): void {
    dialog.stop();
    this.#dialogs.delete(dialog.key);
  }

  /** May be called twice. */
  end(dialog: Dialog, ending: DialogEnding): void {
    if (dialog.state === 'ended') return;
    this.forget(dialog);
    this.#onEnded(dialog, ending);
  }

  /** Forgets all of them without a word. */
  close(): void {
    for (const dialog of this.#dialogs.values()) dialog.stop();
    this.#dialogs.clear();
  }
}
