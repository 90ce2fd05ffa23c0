import {
  asError,
  type SrfDialog,
  type SrfRequest,
  type SrfResponseIn,
  sipStatusOf,
  type UacOptions,
} from './client-libraries/index.ts';
import { guarded } from './guarded.ts';
import type { Shell } from './shell.ts';
import type { SignallingLink } from './signalling-link.ts';

export interface BranchEvents {
  rang(sipStatus: number): void;
  answered(dialog: SrfDialog): void;
  /** Final status of the far end; 503 when the INVITE could not even be sent. */
  failed(sipStatus: number): void;
}

/** One INVITE to one place. It tells `answered` or `failed` exactly once; an answer after `abandon` is hung up unheard. */
export class Branch {
  readonly #shell: Shell;
  readonly #link: SignallingLink;
  readonly #events: BranchEvents;
  #request: SrfRequest | null = null;
  #cancelReason: string | null | undefined;
  #isDone = false;
  #isAbandoned = false;

  constructor(shell: Shell, link: SignallingLink, uri: string, options: UacOptions, events: BranchEvents) {
    this.#shell = shell;
    this.#link = link;
    this.#events = events;
    const progress = {
      cbRequest: guarded(shell.log, 'INVITE sent', (_: unknown, request?: SrfRequest) => {
        if (!request) return;
        // Sent again with a password it is another transaction.
        link.openInvites.over(this.#request?.stackTxnId);
        this.#request = request;
        link.openInvites.began('ours', request.stackTxnId);
        if (this.#cancelReason !== undefined) this.#sendCancel();
      }),
      cbProvisional: guarded(shell.log, 'provisional', ({ status }: SrfResponseIn) => {
        if (status > 100 && !this.#isDone && !this.#isAbandoned) events.rang(status);
      }),
    };
    const final = guarded(shell.log, 'final answer', (error: unknown, dialog?: SrfDialog) =>
      this.#final(error, dialog),
    );
    try {
      link.srf.createUAC(uri, options, progress, final);
    } catch (error) {
      // Not connected to the signalling server: told in a later turn, like every other outcome.
      setImmediate(() => this.#final(error));
    }
  }

  /** CANCEL; the outcome is still told, and may be an answer that crossed it. */
  cancel(reason: string | null): void {
    if (this.#isDone || this.#cancelReason !== undefined) return;
    this.#cancelReason = reason;
    if (this.#request) this.#sendCancel();
  }

  /** CANCEL, and nothing is told any more. */
  abandon(reason: string | null): void {
    this.#isAbandoned = true;
    this.cancel(reason);
  }

  #sendCancel(): void {
    const headers = this.#cancelReason ? { headers: { Reason: this.#cancelReason } } : {};
    try {
      this.#request?.cancel(headers, () => {});
    } catch (error) {
      this.#shell.log.warn({ err: asError(error) }, 'CANCEL not sent');
    }
  }

  #final(error: unknown, dialog?: SrfDialog): void {
    this.#link.openInvites.over(this.#request?.stackTxnId);
    this.#request = null;
    if (dialog && (this.#isDone || this.#isAbandoned)) return void dialog.destroy({}, () => {});
    if (this.#isDone) return;
    this.#isDone = true;
    if (this.#isAbandoned) return;
    if (dialog) return this.#events.answered(dialog);
    const status = sipStatusOf(error);
    if (status === null) this.#shell.log.warn({ err: asError(error) }, 'INVITE not sent');
    this.#events.failed(status ?? 503);
  }
}
