import { asError } from './modify-dialog.ts';
import type { SrfClient, SrfDialog, SrfRequest, SrfResponse } from './srf-types.ts';

/**
 * 200 to an INVITE; `done` runs once, in the same turn in which the dialog exists, so that no BYE is missed.
 *
 * drachtio-srf 5.0.29: without Contact in the request `createUAS` reports an error and still sends the 200, so that is
 * refused before; and a CANCEL makes it call back twice, with words instead of an Error.
 */
export function answerCaller(
  srf: SrfClient,
  request: SrfRequest,
  response: SrfResponse,
  options: { localSdp: string; headers: Record<string, string> },
  done: (error: Error | null, dialog?: SrfDialog) => void,
): void {
  let isDone = false;
  const once = (error: Error | null, dialog?: SrfDialog): void => {
    // An answer nobody waits for any more is ended.
    if (isDone) return void dialog?.destroy({}, () => {});
    isDone = true;
    done(error, dialog);
  };
  if (!request.has('Contact')) return once(new Error('the INVITE has no Contact'));
  try {
    srf.createUAS(request, response, options, (error, dialog) => {
      if (dialog) once(null, dialog);
      else once(asError(error));
    });
  } catch (error) {
    once(asError(error));
  }
}
