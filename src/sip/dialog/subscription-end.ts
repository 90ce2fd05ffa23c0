import type { SipRequest } from '../message/sip-message.ts';
import type { Dialog } from './dialog.ts';

/** Whether this request is the NOTIFY that ends the subscription of its dialog, RFC 6665 4.4.1. */
export function isSubscriptionEnd(dialog: Dialog, request: SipRequest): boolean {
  if (request.method !== 'NOTIFY' || dialog.createdBy !== 'SUBSCRIBE') return false;
  const state = request.headers.get('Subscription-State') ?? '';
  return state.trim().toLowerCase().startsWith('terminated');
}
