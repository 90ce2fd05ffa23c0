import { parseNameAddr } from '../message/name-addr.ts';
import type { SipRequest, SipResponse } from '../message/sip-message.ts';
import { parseUri, serialiseUri } from '../message/uri.ts';

/** The URI of the first Contact, if it is one we can address, without the headers it may try to put into our requests. */
export function contactUri(message: SipRequest | SipResponse): string | undefined {
  const contact = message.headers.list('Contact')[0];
  const uri = contact === undefined ? undefined : parseNameAddr(contact)?.uri;
  const parsed = uri === undefined ? undefined : parseUri(uri);
  if (parsed === undefined) return undefined;
  return parsed.headers === undefined ? uri : serialiseUri({ ...parsed, headers: undefined });
}
