import type { Clock } from '../engine/ports.ts';
import type { SrfClient, SrfDialog, SrfRequest, SrfResponse, Unknown } from './client-libraries/index.ts';
import { safely } from './client-libraries/index.ts';
import type { MediaLink } from './media.ts';
import type { OpenInvites } from './open-invites.ts';
import type { TelephonyOptions } from './options.ts';
import type { Log, SealRecipients } from './ports.ts';
import type { PromptLibrary } from './prompts.ts';
import type { Registrations } from './registrations.ts';
import type { Trunks } from './trunks.ts';

/** What every call needs of the house; made once by `Telephony`. */
export interface Shell {
  readonly srf: SrfClient;
  readonly media: MediaLink;
  readonly prompts: PromptLibrary;
  readonly registrations: Registrations;
  readonly trunks: Trunks;
  readonly sealRecipients: SealRecipients;
  readonly options: TelephonyOptions;
  readonly log: Log;
  readonly clock: Clock;
  /** Live dialogs with phones and trunks, each with who is told when the signalling server does not know it any more. */
  readonly dialogs: Map<SrfDialog, Unknown>;
  /** Callers who have not got a final answer. */
  readonly unanswered: Map<SrfRequest, SrfResponse>;
  readonly openInvites: OpenInvites;
  /** Resolves when the signalling server is connected, or after a few seconds without it. */
  whenUp(): Promise<void>;
  /** Password for outgoing digest of a trunk, read at start. */
  trunkPassword(trunk: string): string | undefined;
}

/** A listener that cannot throw into the client library. */
export function guarded<A extends unknown[]>(log: Log, where: string, run: (...args: A) => void) {
  return safely(where, (at, error) => log.error({ at, err: error }, 'fault in a telephony listener'), run);
}

export const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER';

/** Reason of RFC 3326 for a Q.850 cause. */
export function reasonOf(cause: { readonly q850: number; readonly says: string }): string {
  return `Q.850;cause=${cause.q850};text="${cause.says.replace(/[\\"]/g, '')}"`;
}

export const completedElsewhere = 'SIP;cause=200;text="Call completed elsewhere"';
