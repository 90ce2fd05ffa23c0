import type { IncomingRequest, SipRequest } from '../sip/index.ts';
import { idOfCreator } from './dialog-book.ts';

/** A phone behind a connection that wants to be reached through it. */
export function tellsWhereItIs({ method, headers }: SipRequest): boolean {
  return method === 'REGISTER' || (method === 'SUBSCRIBE' && headers.has('Expires'));
}

/** An INVITE that waited for its app again has an early dialog already; it is shown as new, because to the app it is. */
export function isOutside({ dialog, request }: IncomingRequest): boolean {
  return dialog === undefined || (dialog.state === 'early' && idOfCreator(request) !== '');
}
