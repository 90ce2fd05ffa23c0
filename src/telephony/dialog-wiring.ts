import {
  askForOffer,
  modifyDialog,
  sendable,
  type SrfDialog,
  type SrfRequest,
  type SrfResponse,
  sipStatusOf,
} from './client-libraries/index.ts';
import { dtmfKeys } from './dtmf-info.ts';
import { isDowngrade } from './media-cipher.ts';
import { sdpFacts } from './sdp.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import { guarded } from './guarded.ts';
import type { Shell } from './shell.ts';

/** Requests a phone sends inside a call that we do not do; said clearly, or the client library would answer 200. */
const refused = ['refer', 'message', 'notify', 'publish', 'subscribe'] as const;

/**
 * A dialog whose media ends at our media server: hold and new addresses go there, keys by INFO too. `now`: the endpoint
 * at this moment; null while it is moved from one media server to another.
 */
export function wireToEndpoint(shell: Shell, dialog: SrfDialog, now: () => MediaEndpoint | null): void {
  const change = guarded(shell.log, 're-INVITE', (request: SrfRequest, response: SrfResponse) => {
    const endpoint = now();
    // RFC 3261 14.2: we are about to change the session ourselves.
    if (endpoint === null) return response.send(491, undefined, {});
    if (request.body === '') return offerOurs(dialog, response, endpoint);
    endpoint.modify(request.body).then(
      (answer) => sendAnswer(dialog, response, answer),
      (error: unknown) => response.send(sendable(sipStatusOf(error)), undefined, {}),
    );
  });
  dialog.on('modify', change);
  dialog.on('update', onUpdate(shell, change));
  dialog.on(
    'info',
    guarded(shell.log, 'INFO', (request: SrfRequest, response: SrfResponse) => {
      const keys = dtmfKeys(request.get('Content-Type') ?? '', request.body);
      if (keys === null) return response.send(415, undefined, { headers: { Accept: 'application/dtmf-relay' } });
      response.send(200, undefined, {});
      if (keys !== '') now()?.pressKeys(keys);
    }),
  );
  refuseOthers(shell, dialog);
}

/** Two dialogs whose media runs directly between the phones: what one asks, the other is asked. */
export function wireTogether(shell: Shell, one: SrfDialog, other: SrfDialog): void {
  relay(shell, one, other);
  relay(shell, other, one);
}

function relay(shell: Shell, from: SrfDialog, to: SrfDialog): void {
  const { cipher } = sdpFacts(from.remote.sdp);
  const change = guarded(shell.log, 're-INVITE', (request: SrfRequest, response: SrfResponse) => {
    if (request.body !== '' && isDowngrade(cipher, sdpFacts(request.body).cipher))
      return response.send(488, 'SRTP required', {});
    const work =
      request.body === ''
        ? askForOffer(to).then(({ offer, answer }) =>
            response.send(200, undefined, answered(from, offer), undefined, (ack) => answer(ack.body)),
          )
        : modifyDialog(to, request.body).then((answer) => sendAnswer(from, response, answer));
    work.catch((error: unknown) => response.send(sendable(sipStatusOf(error)), undefined, {}));
  });
  from.on('modify', change);
  from.on('update', onUpdate(shell, change));
  from.on(
    'info',
    guarded(shell.log, 'INFO', (request: SrfRequest, response: SrfResponse) => {
      const headers = { 'Content-Type': request.get('Content-Type') ?? 'application/octet-stream' };
      to.request({ method: 'INFO', body: request.body, ...(request.body === '' ? {} : { headers }) }, (error, answer) =>
        response.send(sendable(answer?.status ?? sipStatusOf(error)), undefined, {}),
      );
    }),
  );
  refuseOthers(shell, from);
}

function onUpdate(shell: Shell, change: (request: SrfRequest, response: SrfResponse) => void) {
  return guarded(shell.log, 'UPDATE', (request: SrfRequest, response: SrfResponse) => {
    // Without a description it only refreshes the session (RFC 4028 7.4).
    if (request.body === '') response.send(200, undefined, {});
    else change(request, response);
  });
}

/** The same for every dialog. */
const refusals = new WeakMap<Shell['log'], (request: SrfRequest, response: SrfResponse) => void>();

function refuseOthers({ log }: Shell, dialog: SrfDialog): void {
  let refuse = refusals.get(log);
  if (refuse === undefined) {
    refuse = guarded(log, 'what is refused', (_: SrfRequest, response: SrfResponse) =>
      response.send(501, undefined, {}),
    );
    refusals.set(log, refuse);
  }
  for (const method of refused) dialog.on(method, refuse);
}

/** The phone asks us to offer: our description as it is; its answer comes with the ACK (RFC 3261 14.2). */
function offerOurs(dialog: SrfDialog, response: SrfResponse, endpoint: MediaEndpoint): void {
  response.send(200, undefined, answered(dialog, dialog.local.sdp), undefined, (ack) => {
    if (ack.body !== '') endpoint.modify(ack.body).catch(() => {});
  });
}

function sendAnswer(dialog: SrfDialog, response: SrfResponse, sdp: string): void {
  dialog.local.sdp = sdp;
  response.send(200, undefined, answered(dialog, sdp));
}

function answered(dialog: SrfDialog, sdp: string): { body: string; headers: Record<string, string> } {
  const contact = dialog.local.contact;
  return { body: sdp, headers: { 'Content-Type': 'application/sdp', ...(contact ? { Contact: contact } : {}) } };
}
