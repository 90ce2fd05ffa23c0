import type { SrfDialog } from './srf-types.ts';

interface Lock {
  count: number;
  admitOne: (() => void)[];
}

/**
 * re-INVITE with a new description; resolves with the answer.
 *
 * drachtio-srf 5.0.29: `Dialog.modify` keeps its lock after any final answer but 200, so the next modify would wait
 * for ever. A rejection with a SIP status therefore releases it here. (A local failure releases it by itself.)
 */
export function modifyDialog(dialog: SrfDialog, sdp: string): Promise<string> {
  return new Promise((resolve, reject) => {
    dialog.modify(sdp, {}, (error, answer) => {
      if (error === null || error === undefined) return resolve(answer ?? '');
      if (sipStatusOf(error) !== null) releaseLock(dialog);
      reject(asError(error));
    });
  });
}

/** re-INVITE without a description: resolves with the far end's offer and how to answer it (RFC 3261 14.1). */
export function askForOffer(dialog: SrfDialog): Promise<{ offer: string; answer: (sdp: string) => void }> {
  return new Promise((resolve, reject) => {
    dialog.modify({ noAck: true }, (error, offer, ack) => {
      if (error !== null && error !== undefined) {
        if (sipStatusOf(error) !== null) releaseLock(dialog);
        return reject(asError(error));
      }
      if (offer === undefined || ack === undefined) return reject(new Error('no offer in the answer'));
      resolve({ offer, answer: ack });
    });
  });
}

/** Final status that the far end refused with; null for a failure on our side of the wire. */
export function sipStatusOf(error: unknown): number | null {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' ? status : null;
}

/** drachtio-srf 5.0.29 gives some callbacks the server's words instead of an Error. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function releaseLock(dialog: SrfDialog): void {
  const lock = (dialog as SrfDialog & { _reinvitesInProgress?: Lock })._reinvitesInProgress;
  if (!lock) return;
  lock.count = Math.max(0, lock.count - 1);
  const next = lock.admitOne.shift();
  if (next) setImmediate(next);
}
