/**
 * Every work-around for the client libraries lives in this folder, each with the version it is for and a test
 * (test/unit/client-libraries.test.ts, telephony-dialogs.test.ts). docs/engines.md lists what they do and where it is met.
 */
export { answerCaller } from './answer-caller.ts';
export { cleanArgument } from './clean-argument.ts';
export { headerLines } from './header-lines.ts';
export { leanSrf } from './lean-srf.ts';
export { type Endpoint, type EslEvent, LiveEndpoint } from './live-endpoint.ts';
export { MediaClient } from './media-client.ts';
export { askForOffer, asError, modifyDialog, sipStatusOf } from './modify-dialog.ts';
export { probeMediaServer, profileFault } from './probe-media-server.ts';
export { probeListen } from './probe-port.ts';
export { type DialogMark, markOf, restoreDialog } from './restore-dialog.ts';
export { type OnFault, safely } from './safely.ts';
export { sendable } from './sendable.ts';
export {
  askOptions,
  byeFromMemory,
  connectSrf,
  createSrf,
  disconnectSrf,
  dropConnection,
  endById,
  failUnfinished,
  findUnknown,
  guardWire,
  isConnected,
  isUnknownDialog,
  isUnknownRequest,
  ping,
  rehome,
  requestById,
  type Unfinished,
  type Unknown,
  unfinishedOf,
  writeTogether,
} from './signalling-client.ts';
export { slimDialog } from './slim-dialog.ts';
export type * from './srf-types.ts';
export { notify, takeSubscription } from './subscriptions.ts';
