import type { EndCause, LegResult, MeasuredSound, MediaFacts } from '../core/call/index.ts';
import type { SrfRequest, SrfResponse } from './client-libraries/index.ts';
import type { Cipher } from './media-cipher.ts';
import type { MediaEndpoint } from './media-endpoint.ts';
import type { PhoneDialog } from './phone-dialog.ts';

/** The caller of a call: somebody who dialled, or somebody whom the house has called. */
export interface CallerSide {
  /** The caller's own description; '' when the offer is left to us. */
  readonly offer: string;
  /** What the caller's phone has to use. */
  readonly cipher: Cipher;
  readonly endpoint: MediaEndpoint | null;
  /** Between two media servers: there is no endpoint now, but there will be one. */
  readonly isMoving: boolean;
  /** Once there is a dialog. */
  readonly phone: PhoneDialog | null;
  ring(): void;
  refuse(cause: EndCause): void;
  /** Anchors the caller on the media server; told through the events. */
  answer(): void;
  /** Two dialogs with each other's descriptions are one conversation. */
  connectTo(other: PhoneDialog, done: (error: Error | null) => void): void;
  hangUp(cause: EndCause): void;
  /** The same INVITE, shown again. false: this caller is not waiting. */
  adopt(request: SrfRequest, response: SrfResponse): boolean;
  close(): void;
}

export interface CallerEvents {
  answered(media: MediaFacts): void;
  answerFailed(why: string): void;
  /** CANCEL or BYE of the caller. */
  hungUp(): void;
  /** The media server was lost, the caller has an endpoint on another one: whatever was to be heard there begins anew. */
  moved(): void;
  /** How the caller sounded, after its end. */
  measured(sound: MeasuredSound): void;
  /** No sound can reach the caller any more, or the caller's phone is gone without a word. */
  mediaLost(): void;
  /** The signalling server was started anew: nobody can say any more how this conversation ends. */
  signallingLost(): void;
}

/** What becomes of the call of somebody whom the house calls. */
export interface CalledEvents extends CallerEvents {
  ringing(sipStatus: number): void;
  failed(result: LegResult): void;
}
