import { ownText } from '../own-text.ts';
import type { SrfDialog } from './srf-types.ts';

interface Slimmed {
  req: object;
  res: object;
  sip: SrfDialog['sip'];
  local: SrfDialog['local'];
  remote: SrfDialog['remote'];
}

/**
 * drachtio-srf 5.0.29: a dialog keeps the two messages that made it as they came and in pieces, 4 KB, for as long as it lasts,
 * and what it takes from them are slices, each of which keeps the whole text. Of the messages it only looks at these
 * three properties once it is there. May be called twice.
 */
export function slimDialog(dialog: SrfDialog): void {
  const { srf, req, res, sip, local, remote } = dialog;
  const id = ownText(dialog.id);
  // The client finds it by its id, and its key would keep the frame that told it. One that is over already is not there.
  const isListed = srf.findDialogById(id) === dialog;
  if (isListed) srf.removeDialog(dialog);
  Object.assign(dialog satisfies Slimmed, {
    req: { method: req.method, socket: req.socket },
    res: { stackDialogId: id, socket: res.socket },
    sip: { callId: ownText(sip.callId), localTag: ownText(sip.localTag), remoteTag: ownText(sip.remoteTag) },
    local: { ...local, uri: ownText(local.uri), sdp: ownText(local.sdp) },
    remote: { ...remote, uri: ownText(remote.uri), sdp: ownText(remote.sdp) },
  });
  if (isListed) srf.addDialog(dialog);
  if (local.contact !== undefined) dialog.local.contact = ownText(local.contact);
}
