/** Every work-around of the client libraries lives in this folder, each with the version it is for and a test. */
export { answerCaller } from './answer-caller.ts';
export { cleanArgument } from './clean-argument.ts';
export { headerLines } from './header-lines.ts';
export { connectMrf, type Endpoint, type EslEvent, mediaSilent, type MediaServer } from './media-client.ts';
export { askForOffer, asError, modifyDialog, sipStatusOf } from './modify-dialog.ts';
export { probeMediaServer } from './probe-media-server.ts';
export { probeListen } from './probe-port.ts';
export { type OnFault, safely } from './safely.ts';
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
  ping,
  rehome,
  requestById,
  type Unfinished,
  type Unknown,
  unfinishedOf,
  writeTogether,
} from './signalling-client.ts';
export type * from './srf-types.ts';
