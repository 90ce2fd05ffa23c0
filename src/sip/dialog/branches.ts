import { type SipResponse, toTagOf } from '../message/sip-message.ts';
import type { Dialog } from './dialog.ts';
import { rseqOf } from './outgoing-request.ts';

/** Whoever rings or answers under ever new tags does not fill our memory: the further ones make no dialog. */
const maxBranches = 32;

/** Whom an INVITE of ours has reached: proxies on the way may have made several of it. */
export class Branches {
  /** The dialog that the INVITE has ended up with, so that a 2xx of another branch is recognised. */
  winner: Dialog | undefined;
  /** Also those that are over. */
  readonly #dialogs = new Set<Dialog>();
  /** The last RSeq of each branch, by its tag. */
  readonly #lastRseqs = new Map<string, number>();

  get isFull(): boolean {
    return this.#dialogs.size >= maxBranches;
  }

  get isSomebodyRinging(): boolean {
    return [...this.#dialogs].some(({ state }) => state === 'early');
  }

  add(dialog: Dialog): Dialog {
    this.#dialogs.add(dialog);
    return dialog;
  }

  losers(): readonly Dialog[] {
    return [...this.#dialogs].filter((dialog) => dialog !== this.winner);
  }

  /** RFC 3262 4: a reliable response that comes again, or before the one it follows, is not processed. */
  isNews(response: SipResponse): boolean {
    const rseq = rseqOf(response);
    if (rseq === undefined) return true;
    const last = this.#lastRseqs.get(toTagOf(response));
    if (last === undefined ? this.#lastRseqs.size >= maxBranches : rseq !== last + 1) return false;
    this.#lastRseqs.set(toTagOf(response), rseq);
    return true;
  }

  /** A 2xx came that has been dealt with. True if its ACK was at hand and has been repeated. */
  repeatAck(key: string, response: SipResponse): boolean {
    return [...this.#dialogs].some((dialog) => dialog.key === key && dialog.repeatAck(response));
  }
}
