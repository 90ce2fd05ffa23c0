import type { LegTarget } from './leg-target.ts';

/** What the house calls somebody about: a message somebody has to listen to, or what became of one they left. */
export type Errand =
  | {
      readonly errand: 'deliver';
      readonly messageId: string;
      readonly mailbox: string;
      /** Mailbox whose PIN lets the person listen: their own, or the one that the message is in. */
      readonly opener: string;
    }
  | { readonly errand: 'tellClaimed' | 'tellUnclaimed'; readonly messageId: string; readonly mailbox: string };

/** Somebody whom the house calls. */
export interface Party {
  /** PersonId, or '' for whoever left the message. */
  readonly person: string;
  readonly target: LegTarget;
}
