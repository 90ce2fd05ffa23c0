import { isIP } from 'node:net';
import {
  byeFromMemory,
  type Headers,
  isUnknownDialog,
  modifyDialog,
  rehome,
  slimDialog,
  sipStatusOf,
  type SrfDialog,
} from './client-libraries/index.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import { guarded } from './guarded.ts';
import type { Shell } from './shell.ts';
import type { SignallingLink } from './signalling-link.ts';

export interface PhoneDialogEvents {
  /** BYE of the far end; told once, and not after our own hang-up. */
  hungUp(): void;
  /** The signalling server was started anew and does not know the dialog: a BYE of the far end will not reach us. */
  forgotten(): void;
}

/**
 * `dead`: the phone knows no such call. `silent`: no answer came; it may be gone, or the way to it. `over`: the
 * signalling server was never away and knows no such dialog; `hungUp` has been told.
 */
export type Life = 'alive' | 'dead' | 'silent' | 'forgotten' | 'over';

/** How long a phone may take to answer that it is there. */
const answersWithinMs = 4000;

const requestPending = 491;
const afterGlareMs = 2100;

/*
 *  up ── BYE ──▶ over      up ── hangUp() ──▶ over
 */

/** One answered dialog with a phone or trunk. */
export class PhoneDialog {
  readonly dialog: SrfDialog;
  readonly #shell: Shell;
  readonly #link: SignallingLink;
  readonly #events: PhoneDialogEvents;
  #isOver = false;
  #isForgotten = false;
  #isUnknown = false;
  #isAsked = false;

  /** `link`: where the dialog was made. */
  constructor(shell: Shell, link: SignallingLink, dialog: SrfDialog, events: PhoneDialogEvents) {
    this.#shell = shell;
    this.#link = link;
    this.dialog = dialog;
    this.#events = events;
    slimDialog(dialog);
    // A BYE that was read together with the message that made the dialog: its event is over before anybody listens.
    if (!dialog.connected) {
      setImmediate(() => this.#ended());
      return;
    }
    link.dialogs.set(dialog, {
      unknown: () => {
        this.#isUnknown = true;
      },
      forgotten: () => this.#forget(),
      ended: () => this.#ended(),
    });
    dialog.on(
      'destroy',
      guarded(shell.log, 'BYE', () => this.#ended()),
    );
  }

  get isUp(): boolean {
    return !this.#isOver && this.dialog.connected;
  }

  /** Asks the phone by an OPTIONS inside the dialog (RFC 3261 11.2); any answer but 408, 481 and 503 is a sign of life. */
  async probe(): Promise<Life> {
    if (!this.isUp) return 'dead';
    await this.#link.whenUp();
    return new Promise((resolve) => {
      const timer = this.#shell.clock.after(answersWithinMs, () => resolve('silent'));
      const settle = (life: Life): void => {
        timer.cancel();
        resolve(life);
      };
      this.dialog.request({ method: 'OPTIONS' }, (error, response) => {
        if (error) return settle(isUnknownDialog(error) ? this.#unknown() : 'silent');
        // 408 and 503 are also what the signalling server makes of no answer and of a lost connection.
        const { status } = response ?? { status: 408 };
        settle(status === 481 ? 'dead' : status === 408 || status === 503 ? 'silent' : 'alive');
      });
    });
  }

  /** Asks a phone that is not heard. null: it is there after all, has hung up, or is being asked already. */
  async missing(): Promise<'dead' | 'silent' | 'forgotten' | null> {
    if (this.#isAsked) return null;
    this.#isAsked = true;
    const life = await this.probe();
    this.#isAsked = false;
    return life === 'alive' || life === 'over' ? null : life;
  }

  /** re-INVITE with a new description; resolves with the phone's. Rejects when it cannot be changed. */
  async modify(sdp: string): Promise<string> {
    await this.#link.whenUp();
    if (!this.isUp) throw new Error('the phone is gone');
    try {
      return await modifyDialog(this.dialog, sdp);
    } catch (error) {
      if (sipStatusOf(error) !== requestPending) throw error;
    }
    // Both asked at once (RFC 3261 14.1): who made the dialog waits at least 2.1 s.
    await new Promise((resolve) => void this.#shell.clock.after(afterGlareMs, () => resolve(null)));
    if (!this.isUp) throw new Error('the phone is gone');
    return modifyDialog(this.dialog, sdp);
  }

  /** For the media server: which dialog an endpoint serves. */
  mark(endpoint: MediaEndpoint): void {
    endpoint.mark(this.#shell.options.signalling.appTag, this.dialog.id, this.#link.name);
  }

  /** BYE. May be called twice. */
  hangUp(reason: string | null): void {
    if (this.#isOver) return;
    this.#close();
    if (!this.dialog.connected) return;
    const options = reason === null ? {} : { headers: { Reason: reason } };
    this.dialog.destroy(options, (error) => {
      if (error && isUnknownDialog(error)) return this.#farewell(options.headers ?? {});
      // The connection was down: the phone must not sit in silence because of that.
      if (error) void this.#again(options);
    });
  }

  async #again(options: { headers?: Headers }): Promise<void> {
    await this.#link.whenUp();
    rehome(this.#link.srf, [this.dialog]);
    this.dialog.destroy(options, (error) => {
      if (error) this.#shell.log.warn({ err: error }, 'BYE not sent');
    });
  }

  #farewell(headers: Headers): void {
    if (this.#isUnknown) byeFromMemory(this.#link.srf, this.dialog, headers);
  }

  #unknown(): Life {
    if (this.#isForgotten) return 'forgotten';
    // Just connected again, and not yet decided what that means: whoever asked asks again.
    if (this.#isUnknown) return 'alive';
    // The BYE is on its way to us, or it came to a connection that was lost and drachtio-server 0.9.10 shows it to nobody.
    this.#ended();
    return 'over';
  }

  #forget(): void {
    if (this.#isOver || this.#isForgotten) return;
    this.#isForgotten = true;
    this.#events.forgotten();
  }

  #ended(): void {
    if (this.#isOver) return;
    this.#close();
    this.#events.hungUp();
  }

  #close(): void {
    this.#isOver = true;
    this.#link.dialogs.delete(this.dialog);
  }
}

/** The hosts a phone's sound may come from besides the one it names: those its signalling came from. */
export function mediaSource(hosts: readonly string[]): string {
  return [...new Set(hosts.filter((host) => isIP(host) === 4))].slice(0, 4).join(',');
}
