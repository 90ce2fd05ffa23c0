export type SealErrorCode =
  | 'noRecipients'
  | 'badRecipient'
  | 'tooManyRecipients'
  | 'badFormat'
  | 'badMetadata'
  | 'tooLong'
  | 'sinkFailed'
  | 'sinkTooSlow';

export class SealError extends Error {
  readonly code: SealErrorCode;
  constructor(code: SealErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SealError';
    this.code = code;
  }
}
