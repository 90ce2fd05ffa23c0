import type { Instant } from '../time/index.ts';
import type { GreetingKind } from './greetings.ts';

/** What a caller who opens a mailbox is shown of a message: plain data, and nothing that names a patient. */
export interface MessageBrief {
  readonly messageId: string;
  readonly at: Instant;
  readonly isUrgent: boolean;
  readonly state: 'new' | 'saved';
  /** Extension that left it; null for an outside caller, and where it is not known any more. */
  readonly from: string | null;
  /** Extension to call back, where the caller keyed one. */
  readonly callBack: string | null;
  readonly isPrivate: boolean;
  readonly isClaimed: boolean;
  /** Mailbox of the person who has sent it from a mailbox: as a reply, or forwarded; null for a caller's own message. */
  readonly sentBy: string | null;
  readonly isForwarded: boolean;
  /** Service of the chain in which nobody accepted, or whose colleague it was handed over to. */
  readonly service: string | null;
}

/** What is noted on the message itself. */
export type MessageMark = 'heard' | 'saved' | 'deleted' | 'restored' | 'claimed';
export type MessageAct = MessageMark | 'forwarded' | 'replied' | 'handedOver' | 'read';

/** `paused`: too many were tried; `noPin`: the mailbox has none, or there is no such mailbox. */
export type PinResult = 'right' | 'wrong' | 'noPin' | 'paused';

/** Who listens to what. */
export interface Session {
  /** Mailbox whose PIN was keyed. */
  readonly person: string;
  readonly mailbox: string;
  /** Further ones that this person may open. */
  readonly further: readonly string[];
  /** The only message that this person may hear here: the house has brought it. */
  readonly only?: string;
}

interface Listed {
  readonly session: Session;
  readonly messages: readonly MessageBrief[];
  /** Index of the one being heard; as many as there are: behind the last. */
  readonly at: number;
  /** Deleted in this session, the last one last. */
  readonly deleted: readonly string[];
}

interface SigningIn {
  readonly opens: string | null;
  /** The message that the house brings, which lets somebody in whom the mailbox is not open to. */
  readonly brought?: string | undefined;
  readonly person: string | null;
  readonly attempt: number;
  readonly token: number;
}

/** A caller who opens mailboxes; owned by a call as an escalation is. */
export type Retrieval =
  /** The number of the person's mailbox is asked for. `opens`: the shared one that it is for, null: their own. */
  | { readonly name: 'askingNumber'; readonly opens: string | null; readonly attempt: number; readonly token: number }
  /** `person`: null where no mailbox has the number; that shows only with the PIN. */
  | ({ readonly name: 'askingPin' } & SigningIn)
  | ({ readonly name: 'checkingPin' } & SigningIn)
  | { readonly name: 'listing'; readonly session: Session; readonly token: number }
  /** `silences`: times in a row that no key came. */
  | ({ readonly name: 'listening'; readonly silences: number; readonly token: number } & Listed)
  /** What is done less often: keys of `mailbox-more`. `now`: where to go on. */
  | { readonly name: 'more'; readonly now: RetrievalIn<'listening'>; readonly token: number }
  /** `kind`: null until one is chosen. */
  | {
      readonly name: 'greetings';
      readonly now: RetrievalIn<'listening'>;
      readonly kind: GreetingKind | null;
      readonly token: number;
    }
  | {
      readonly name: 'recordingGreeting';
      readonly now: RetrievalIn<'listening'>;
      readonly kind: GreetingKind;
      readonly greetingId: string;
      /** Of the tone. */
      readonly token: number;
    }
  /** Until when an absence lasts. */
  | {
      readonly name: 'askingAbsenceEnd';
      readonly now: RetrievalIn<'listening'>;
      readonly greetingId: string;
      readonly token: number;
    }
  /** Which mailbox a message is sent to, or which service it is handed over to. */
  | {
      readonly name: 'askingTo';
      readonly why: 'forward' | 'handOver';
      readonly now: RetrievalIn<'listening'>;
      readonly token: number;
    }
  | {
      readonly name: 'askingComment';
      readonly now: RetrievalIn<'listening'>;
      readonly to: string;
      readonly token: number;
    }
  | {
      readonly name: 'recordingComment';
      readonly now: RetrievalIn<'listening'>;
      readonly to: string;
      readonly commentId: string;
      /** Of the tone. */
      readonly token: number;
    }
  | { readonly name: 'forwarding'; readonly now: RetrievalIn<'listening'>; readonly token: number }
  | { readonly name: 'over'; readonly then: After };

/** What the call goes on with. */
export type After =
  | { readonly go: 'goodbye' }
  | { readonly go: 'operator' }
  | { readonly go: 'unavailable' }
  | { readonly go: 'callBack'; readonly extension: string }
  /** A message for this mailbox is recorded; behind it the caller is back at the messages. */
  | { readonly go: 'reply'; readonly to: string; readonly replyId: string; readonly now: RetrievalIn<'listening'> };

export type RetrievalIn<N extends Retrieval['name']> = Extract<Retrieval, { readonly name: N }>;
