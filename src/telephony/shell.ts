import type { Clock, Random } from '../engine/ports.ts';
import type { Media } from './media.ts';
import type { TelephonyOptions } from './options.ts';
import type { Log, SealRecipients } from './ports.ts';
import type { PromptLibrary } from './prompts.ts';
import type { Registrations } from './registrations.ts';
import type { Signalling } from './signalling.ts';
import type { TalkBook } from './talk-book.ts';
import type { Trunks } from './trunks.ts';

/** What every call needs of the house; made once by `Telephony`. */
export interface Shell {
  readonly signalling: Signalling;
  readonly media: Media;
  readonly prompts: PromptLibrary;
  readonly registrations: Registrations;
  readonly trunks: Trunks;
  readonly talks: TalkBook;
  readonly sealRecipients: SealRecipients;
  readonly options: TelephonyOptions;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Password for outgoing digest of a trunk, read at start. */
  trunkPassword(trunk: string): string | undefined;
}

export const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER, SUBSCRIBE';

/** Reason of RFC 3326 for a Q.850 cause. */
export function reasonOf(cause: { readonly q850: number; readonly says: string }): string {
  return `Q.850;cause=${cause.q850};text="${cause.says.replace(/[\\"]/g, '')}"`;
}

export const completedElsewhere = 'SIP;cause=200;text="Call completed elsewhere"';

/** Of an error for the record: what failed, and what was behind it. */
export function whyOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
