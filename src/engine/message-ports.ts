import type { Phi } from '../core/phi/index.ts';
import type { Instant } from '../core/time/index.ts';
import type {
  Chase,
  GreetingKind,
  Greetings,
  LeftMessage,
  MessageBrief,
  MessageMark,
  Notice,
  PinResult,
} from '../core/voicemail/index.ts';

/** What callers left, as far as a running call has to know. Answers from memory or at once. */
export interface Mailboxes {
  /** Messages that nobody has deleted. */
  count(mailbox: string): number;
  /**
   * Never rejects. `mailbox` is null where there is none; that takes as long. `from`: an extension, or the number or
   * trunk of an outside caller: whoever tries too many PINs is not listened to for a while, whatever the mailbox.
   */
  checkPin(tried: {
    readonly mailbox: string | null;
    readonly pin: Phi<string>;
    readonly from: string | Phi<string>;
  }): Promise<PinResult>;
  /** Those that nobody has deleted; null when they cannot be read. Never rejects. */
  list(mailbox: string): Promise<readonly MessageBrief[] | null>;
  /** Whether one more message can be kept on the disk. Never throws. */
  hasRoomToRecord(): boolean;
  /** Greetings that were recorded for a mailbox. Never throws. */
  greetingsOf(mailbox: string): Greetings;
  /** null: there is none any more. Never throws; written until it is durable. */
  setGreeting(mailbox: string, kind: GreetingKind, greetingId: string | null, by: string): void;
  /** null: it lasts until it is deleted. Never throws; written until it is durable, behind what was set before. */
  setAbsenceEnd(mailbox: string, endsAt: Instant | null): void;
  /** Resolves with who has the message: whoever claimed it first. Never rejects. */
  claim(messageId: string, by: string): Promise<string>;
  /** Never throws; written until it is durable. */
  change(messageId: string, change: MessageMark, by: string): void;
  /** Resolves with what is in the way; null: the other mailbox has it. Never rejects. */
  forward(sending: Forwarding): Promise<string | null>;
  /** Never throws; written until it is durable. */
  handOver(messageId: string, service: string, by: string): void;
}

/** A message on its way to another mailbox. */
export interface Forwarding {
  readonly messageId: string;
  /** The recording that is heard before it. */
  readonly commentId: string | null;
  /** Mailbox that gets `copyId`. */
  readonly to: string;
  readonly copyId: string;
  readonly isUrgent: boolean;
  /** Mailbox of the person who sends it. */
  readonly by: string;
}

/** Messages that somebody has to listen to and take. Answers from the store, and throws when it cannot. */
export interface ChaseBook {
  /** Those that are followed, and those that may have to be. */
  open(): readonly ChasedMessage[];
  save(messageId: string, chase: Chase, at: Instant): void;
}

export interface ChasedMessage {
  readonly left: LeftMessage;
  /** null: not followed so far. */
  readonly chase: Chase | null;
  /** Mailbox of whoever has taken it. */
  readonly claimedBy: string | null;
  /** Deleted or shredded. */
  readonly isGone: boolean;
}

/** What is to be told to programs of the house. Throws when the store cannot be read or written. */
export interface NoticeBook {
  /** Those whose time has come, the oldest first. */
  due(at: Instant, limit: number): readonly DueNotice[];
  /** A try begins: nothing of it may have left the house before. */
  begun(id: string, at: Instant): void;
  /** The try was in vain. `isUnsure`: it may have arrived all the same. */
  failed(id: string, dueAt: Instant, isUnsure: boolean): void;
  /** It is not tried any more. `because`: '' when it was taken, or why it is given up. It stays due until it is `recorded`. */
  over(id: string, because: string): void;
  /** What became of it is on record. */
  recorded(id: string): void;
}

export interface DueNotice extends Notice {
  /** Those that were begun. */
  readonly tries: number;
  /** A try of then may have arrived: nobody knows how it ended. null: there is none. */
  readonly begunAt: Instant | null;
  /** It is over, and that is not on record yet: '' when it was taken, or why it is given up. null: it is to be sent. */
  readonly outcome: string | null;
}
