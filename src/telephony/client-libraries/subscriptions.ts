import type { Headers, SrfClient, SrfDialog, SrfRequest, SrfResponse } from './srf-types.ts';

/** Takes a SUBSCRIBE that begins a dialog. `done` gets the dialog, or what was in the way. */
export function takeSubscription(
  srf: SrfClient,
  request: SrfRequest,
  response: SrfResponse,
  seconds: number,
  done: (error: unknown, dialog?: SrfDialog) => void,
): void {
  // RFC 6665 4.2.1.1: the answer says how long it lasts.
  srf.createUAS(request, response, { localSdp: '', headers: { Expires: String(seconds) } }, done);
}

/** NOTIFY out of any dialog. `done` is told the final status; null when it could not be sent; not at all without an answer. */
export function notify(
  srf: SrfClient,
  uri: string,
  proxy: string | null,
  { headers, body }: { readonly headers: Headers; readonly body: string },
  done: (status: number | null) => void,
): void {
  try {
    const to = proxy === null ? {} : { proxy };
    srf.request(uri, { method: 'NOTIFY', headers, body, ...to }, (error, request) => {
      if (error) done(null);
      request?.on('response', ({ status }) => status >= 200 && done(status));
    });
  } catch {
    done(null);
  }
}
