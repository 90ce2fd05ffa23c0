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
