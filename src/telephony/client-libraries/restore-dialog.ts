import Srf from 'drachtio-srf';
import { agentOf } from './signalling-client.ts';
import type { SrfClient, SrfDialog } from './srf-types.ts';

/** What has to be remembered of a dialog so that another process can go on with it. No name or number of anybody. */
export interface DialogMark {
  /** As the signalling server knows it. */
  readonly id: string;
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** Our own Contact. */
  readonly contact: string;
}

export function markOf(dialog: SrfDialog): DialogMark {
  const { callId, localTag, remoteTag } = dialog.sip;
  return { id: dialog.id, role: dialog.type, callId, localTag, remoteTag, contact: dialog.local.contact ?? '' };
}

/**
 * A dialog of a process before this one: what comes in it is told by its events, and requests can be sent. Call between
 * `connectSrf` and the first connection. drachtio-srf 5.0.29 makes dialogs of the messages that began them; these
 * held the names of people, so they are stood in for by what it takes from them. Sent before the client is
 * connected, requests of it reject; `rehome` gives it the connection.
 */
export function restoreDialog(srf: SrfClient, mark: DialogMark): SrfDialog {
  const { id, role, callId, localTag, remoteTag, contact } = mark;
  const [from, to] = role === 'uac' ? [localTag, remoteTag] : [remoteTag, localTag];
  const parsed = { from: { params: { tag: from } }, to: { params: { tag: to } }, contact: [{ uri: '' }] } as const;
  const message = {
    method: 'INVITE',
    uri: contact,
    body: '',
    agent: agentOf(srf),
    stackDialogId: id,
    get: (name: string) => (name === 'Call-ID' ? callId : contact),
    getParsedHeader: (name: string) => parsed[name.toLowerCase() as keyof typeof parsed],
  };
  const { Dialog } = Srf as unknown as { Dialog: new (srf: SrfClient, role: string, made: object) => SrfDialog };
  const dialog = new Dialog(srf, role, { req: { ...message }, res: { ...message }, sent: message });
  (srf as SrfClient & { addDialog(dialog: SrfDialog): void }).addDialog(dialog);
  return dialog;
}
