export { openSealed, SealedWriter, SealError } from './container.ts';
export type {
  AudioEncoding,
  AudioFormat,
  Metadata,
  OpenResult,
  RefusalReason,
  SealedSink,
  SealErrorCode,
  SealOptions,
} from './container.ts';
export { openMessage } from './message.ts';
export { phiSealer } from './phi-sealer.ts';
export type { PhiSealer } from './phi-sealer.ts';
export { PlainRecording } from './plain-recording.ts';
export { SealedFile } from './sealed-file.ts';
export { ensureSecrets } from './secrets.ts';
export type { Secrets } from './secrets.ts';
export { exportWav } from './wav.ts';
