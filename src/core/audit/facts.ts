import type { AnswerHint, LegResult, LegTarget, MeasuredSound, MediaFacts } from '../call/events.ts';
import type { Errand } from '../call/errand.ts';
import type { EndCause, Fault } from '../call/end-causes.ts';
import type { RingGroup, TraceLine } from '../dialplan/index.ts';
import type { Device, DutyTier, Urgency } from '../oncall/index.ts';
import type { Phi } from '../phi/index.ts';
import type { GreetingKind } from '../voicemail/greetings.ts';
import type { MessageAct, PinResult } from '../voicemail/retrieval.ts';

/**
 * The closed vocabulary of the audit. A fact is what was decided or what happened, never what a program did.
 * Values of `Phi` are sealed before they are written. Times are in the entry, not in the fact.
 * Steps count from 1. `person` is a PersonId, an extension for a plain call, and '' where nobody holds the tier.
 */
export type CallFact =
  | {
      readonly fact: 'arrived';
      readonly from: string;
      readonly number: Phi<string> | null;
      readonly dialled: Phi<string> | string;
      readonly peer: string;
      readonly sipCallId: string;
    }
  /** `person`: '' for whoever left the message; an outside number of theirs is sealed. */
  | {
      readonly fact: 'houseCalled';
      readonly person: string;
      readonly target: LegTarget | { readonly kind: 'dialled'; readonly number: Phi<string>; readonly trunk: string };
      readonly about: Errand['errand'];
      readonly messageId: string;
    }
  | { readonly fact: 'documentsUsed'; readonly plan: string; readonly roster: string }
  | { readonly fact: 'decided'; readonly trace: readonly TraceLine[] }
  | { readonly fact: 'refusedAtDoor'; readonly cause: EndCause; readonly why: string }
  | { readonly fact: 'callerAnswered'; readonly media: MediaFacts }
  | { readonly fact: 'keyPressed'; readonly menu: string; readonly key: string; readonly meaning: string }
  | {
      readonly fact: 'escalationStarted';
      readonly service: string;
      readonly urgency: Urgency;
      readonly chain: string;
      readonly steps: number;
    }
  | { readonly fact: 'stepStarted'; readonly step: number; readonly says: string; readonly dwellMs: number }
  | {
      readonly fact: 'considered';
      readonly step: number;
      readonly tier: DutyTier | 'post';
      readonly person: string;
      /** null where nobody holds the tier. */
      readonly device: Device | null;
      /** The name of a further number of the person: "home". */
      readonly contact?: string;
      readonly verdict: 'rung' | 'skipped';
      /** Why it is rung, or what is in the way. */
      readonly because: string;
      /** By which rule the person holds the tier, '' where nobody does. */
      readonly duty: string;
    }
  /** A number of the hospital's own plan or roster is written as it is, one that a caller dialled is sealed. */
  | {
      readonly fact: 'legRung';
      readonly leg: string;
      readonly person: string;
      readonly target: LegTarget | { readonly kind: 'dialled'; readonly number: Phi<string>; readonly trunk: string };
    }
  | {
      readonly fact: 'groupRung';
      readonly group: string;
      readonly order: RingGroup['order'];
      readonly members: readonly string[];
    }
  | {
      readonly fact: 'digitsKeyed';
      readonly gather: string;
      readonly digits: Phi<string>;
      readonly meaning: string;
    }
  | { readonly fact: 'lookupAsked'; readonly hook: string; readonly told: readonly string[] }
  | { readonly fact: 'lookupAnswered'; readonly hook: string; readonly answer: string; readonly because: string }
  | { readonly fact: 'legRinging'; readonly leg: string; readonly sipStatus: number }
  | { readonly fact: 'legAnswered'; readonly leg: string; readonly media: MediaFacts }
  | {
      readonly fact: 'legEnded';
      readonly leg: string;
      readonly result: LegResult | { readonly kind: 'hungUp' | 'stoodDown' | 'mediaLost' };
    }
  /** Not one more message could be kept: the caller was told before the tone. */
  | { readonly fact: 'recorderFull'; readonly mailbox: string }
  /** Its numbers are of the whole leg; it may stand behind the end of the call. */
  | ({ readonly fact: 'soundMeasured'; readonly leg: string } & MeasuredSound)
  | { readonly fact: 'challenged'; readonly leg: string; readonly attempt: number }
  /** Decides nothing: whoever reads the trace sees what it was like. */
  | ({ readonly fact: 'answerHinted'; readonly leg: string } & AnswerHint)
  | {
      readonly fact: 'challengeAnswered';
      readonly leg: string;
      readonly result: 'accepted' | 'declined' | 'wrongDigit' | 'silence' | 'timeout' | 'tooLate';
    }
  | {
      readonly fact: 'stepOver';
      readonly step: number;
      readonly because: 'timeUp' | 'everybodyFailed' | 'nobodyToRing';
    }
  | {
      readonly fact: 'accepted';
      readonly leg: string;
      readonly person: string;
      readonly how: 'answeredDesk' | 'pressedDigit';
      readonly step: number;
    }
  | { readonly fact: 'bridged'; readonly leg: string }
  /** They went on talking while the process that had connected them was gone. */
  | { readonly fact: 'adopted'; readonly leg: string }
  | { readonly fact: 'nobodyAccepted'; readonly service: string }
  | {
      readonly fact: 'pinTried';
      /** '' where no mailbox has the number that was keyed. */
      readonly mailbox: string;
      readonly result: PinResult;
      readonly device: string;
    }
  /** `person`: mailbox of the person whose PIN it was. `device`: an extension, or "outside". */
  | {
      readonly fact: 'mailboxOpened';
      readonly mailbox: string;
      readonly person: string;
      readonly device: string;
      readonly messages: number;
    }
  | {
      readonly fact: 'messageAccessed';
      readonly how: MessageAct;
      readonly messageId: string;
      readonly mailbox: string;
      readonly person: string;
      readonly device: string;
      readonly reason: string;
      /** Mailbox that it was sent to, or service that it was handed over to. */
      readonly to?: string;
      /** The message in that mailbox. */
      readonly copyId?: string;
    }
  | {
      readonly fact: 'messageUnplayable';
      readonly messageId: string;
      readonly mailbox: string;
      readonly person: string;
      readonly device: string;
      readonly reason: string;
      readonly why: string;
    }
  | {
      readonly fact: 'greetingChanged';
      /** `endSet`: until when it lasts; `ended`: it has come to that. */
      readonly how: 'recorded' | 'deleted' | 'endSet' | 'ended';
      readonly mailbox: string;
      readonly kind: GreetingKind;
      readonly greetingId: string;
      /** 0 unless it was recorded. */
      readonly durationMs: number;
      /** Mailbox of a person, a user of the machine, or "system". */
      readonly person: string;
      readonly device: string;
      readonly reason?: string;
      /** Milliseconds since 1970; null for no end. */
      readonly endsAt?: number | null;
    }
  | { readonly fact: 'mailboxFull'; readonly mailbox: string; readonly messages: number }
  | {
      readonly fact: 'recordingStarted';
      readonly messageId: string;
      readonly mailbox: string;
      readonly urgent: boolean;
      /** Of the chain in which nobody accepted, where there was one. */
      readonly service?: string;
      readonly urgency?: Urgency;
      /** Mailbox of the person who replies. */
      readonly sentBy?: string;
    }
  /** At the key: `recordingEnded` comes when the caller is content or gone, and may never come. */
  | ({ readonly fact: 'messageMarked'; readonly messageId: string } & Marks)
  | ({
      readonly fact: 'recordingEnded';
      readonly messageId: string;
      readonly durationMs: number;
      readonly by: string;
      readonly why: string;
    } & Marks)
  /** The caller says it again: this take is shredded. */
  | { readonly fact: 'recordingDiscarded'; readonly messageId: string; readonly mailbox: string }
  | { readonly fact: 'ended'; readonly cause: EndCause; readonly fault: Fault; readonly talkedMs: number };

/** As the caller marked a message after it was recorded; a number is sealed. */
export interface Marks {
  readonly urgent?: true;
  readonly private?: true;
  readonly callBack?: Phi<string>;
}

/** What `digitsKeyed` means when a caller was silent. */
export const NOTHING_KEYED = 'nothing';

/** Where somebody shows who they are: a phone that registers or calls, a program that reads a calendar. */
export type LoginDoor = 'phone' | 'calendar';

/** Facts that belong to no call. `by` is an operating-system user, "system", or later a signed-in person. */
export type SystemFact =
  | { readonly fact: 'started'; readonly version: string; readonly node: string }
  | { readonly fact: 'stopped'; readonly because: string }
  /** What it runs with. `hash` tells configurations apart; `set` names the keys that are not as they come. */
  | { readonly fact: 'configured'; readonly hash: string; readonly set: readonly string[] }
  /**
   * Whoever showed a password, and was let in or not; the first time at once, further ones together. `who`: an extension or
   * the number of a calendar; '' for a name that nobody has, or for many. `address`: '' for many, or where it is not known.
   */
  | {
      readonly fact: 'loginsSeen';
      readonly door: LoginDoor;
      readonly who: string;
      readonly address: string;
      readonly result: 'right' | 'wrong';
      readonly times: number;
      /** ISO 8601, of the first and of the last. */
      readonly from: string;
      readonly until: string;
    }
  /** The key that signs the record from now on. `from`: where it comes from, without arguments. */
  | { readonly fact: 'signingKeyUsed'; readonly key: string; readonly from: string }
  /** Nobody said it stopped: a kill, a power cut. `from`: the last entry before. Times are ISO 8601. */
  | { readonly fact: 'timeLost'; readonly from: string; readonly until: string }
  | {
      readonly fact: 'documentActivated';
      readonly kind: 'plan' | 'roster';
      readonly version: string;
      readonly files: readonly string[];
      /** Who ordered it, or that somebody saved a file; entries of older versions do not say. */
      readonly by?: string;
    }
  | { readonly fact: 'documentRefused'; readonly problems: readonly string[] }
  | { readonly fact: 'phoneAdded'; readonly extension: string; readonly by: string }
  | { readonly fact: 'phoneRemoved'; readonly extension: string; readonly by: string }
  /** A swap counts when it is accepted, everything else from now. Times are ISO 8601. */
  | {
      readonly fact: 'overrideMade';
      readonly override: number;
      readonly kind: 'add' | 'remove' | 'replace' | 'swap' | 'take';
      readonly service: string;
      readonly tier: DutyTier;
      readonly from: string;
      readonly until: string;
      /** PersonId, '' for nobody. */
      readonly out: string;
      readonly in: string;
      readonly author: string;
      readonly reason: string;
      readonly by: string;
    }
  | { readonly fact: 'swapAccepted'; readonly override: number; readonly author: string; readonly by: string }
  | {
      readonly fact: 'overrideEnded';
      readonly override: number;
      readonly author: string;
      readonly because: string;
      readonly by: string;
    }
  /** What another system published came into force; shifts from now on that came and went. */
  | {
      readonly fact: 'feedTaken';
      readonly feed: string;
      readonly added: number;
      readonly removed: number;
      readonly by: string;
    }
  /** It cannot be believed; the last good one stays in force. Said once, until it is good again. */
  | { readonly fact: 'feedRefused'; readonly feed: string; readonly because: string; readonly by: string }
  /** A server gets no new calls from now on, or gets them again. */
  | {
      readonly fact: 'serverDrained' | 'serverUndrained';
      readonly kind: 'signalling' | 'media';
      readonly server: string;
      readonly by: string;
    }
  /** An address under which programs read the duties of a person or of a service (the other one is ''). */
  | {
      readonly fact: 'calendarMade' | 'calendarEnded';
      readonly calendar: number;
      readonly person: string;
      readonly service: string;
      readonly by: string;
    }
  /** An urgent message is followed through the roster until somebody takes it. `service`: '' for a mailbox of none. */
  | {
      readonly fact: 'chaseStarted';
      readonly messageId: string;
      readonly mailbox: string;
      readonly service: string;
      readonly steps: number;
    }
  | {
      readonly fact: 'chaseTold';
      readonly messageId: string;
      readonly mailbox: string;
      readonly step: number;
      readonly tier: DutyTier | 'post';
      readonly person: string;
      readonly device: Device;
      readonly because: string;
    }
  /** Nobody of the chain has taken it: it is the house supervisor's from now on. */
  | { readonly fact: 'chaseUnclaimed'; readonly messageId: string; readonly mailbox: string }
  | {
      readonly fact: 'chaseOver';
      readonly messageId: string;
      readonly mailbox: string;
      readonly because: 'claimed' | 'deleted';
      readonly by: string;
      readonly tookMs: number;
    }
  /**
   * A program of the house was told that a message waits, may have been told already and is told again, or could not be told for
   * three days. `hook`: '' for an e-mail.
   */
  | {
      readonly fact: 'noticeRepeated';
      readonly messageId: string;
      readonly mailbox: string;
      readonly hook: string;
      readonly tries: number;
    }
  | {
      readonly fact: 'noticeSent';
      readonly messageId: string;
      readonly mailbox: string;
      readonly hook: string;
      readonly tries: number;
    }
  | {
      readonly fact: 'noticeGivenUp';
      readonly messageId: string;
      readonly mailbox: string;
      readonly hook: string;
      readonly tries: number;
      readonly because: string;
    }
  /** A program or a service of the house was given a message and has made text of it, or could not. */
  | {
      readonly fact: 'messageTranscribed';
      readonly messageId: string;
      readonly mailbox: string;
      readonly tries: number;
    }
  | {
      readonly fact: 'transcriptGivenUp';
      readonly messageId: string;
      readonly mailbox: string;
      readonly tries: number;
      readonly because: string;
    }
  /** First ordered, then done: a kill in between leaves an order that is carried out later. `sha256` is the receipt. */
  | {
      readonly fact: 'messageShredOrdered';
      readonly messageId: string;
      readonly mailbox: string;
      readonly because: 'ordered' | 'deleted' | 'retention';
      readonly reason: string;
      readonly by: string;
    }
  | {
      readonly fact: 'messageShredded';
      readonly messageId: string;
      readonly mailbox: string;
      readonly sha256: string;
      readonly because: 'ordered' | 'deleted' | 'retention';
      readonly reason: string;
      readonly by: string;
    }
  | {
      readonly fact: 'messageHeld' | 'messageReleased';
      readonly messageId: string;
      readonly mailbox: string;
      readonly reason: string;
      readonly by: string;
    }
  /** Keys that messages are sealed to. `key` says whose it is: "mailbox 3101", "unit cardiology", "house". */
  | { readonly fact: 'keyMade' | 'keyShredded'; readonly key: string; readonly keyId: string; readonly by: string }
  /** It has opened a message or a greeting, or wrapped it to others. */
  | {
      readonly fact: 'keyUsed';
      readonly key: string;
      readonly keyId: string;
      readonly use: 'heard' | 'exported' | 'forwarded' | 'measured' | 'rotated' | 'transcribed' | 'read';
      readonly messageId: string;
      readonly by: string;
    }
  | {
      readonly fact: 'keysRotated';
      readonly keys: number;
      readonly messages: number;
      readonly left: number;
      readonly reason: string;
      readonly by: string;
    }
  | { readonly fact: 'masterKeyChanged'; readonly keys: number; readonly reason: string; readonly by: string }
  /** A mailbox got a PIN, or another one; a pause after wrong ones is over with it. */
  | { readonly fact: 'pinSet'; readonly mailbox: string; readonly by: string }
  /** The pause after wrong PINs is over by order. `phone`: extension whose pause is over too, '' for none. */
  | {
      readonly fact: 'pinUnlocked';
      readonly mailbox: string;
      readonly phone: string;
      readonly reason: string;
      readonly by: string;
    }
  /** Entries of older versions do not say from where, nor why. */
  | {
      readonly fact: 'messageExported';
      readonly messageId: string;
      readonly by: string;
      readonly device?: string;
      readonly reason?: string;
    }
  /** Somebody took records away, or looked for them. Times are ISO 8601. */
  | {
      readonly fact: 'auditRead';
      readonly how: 'export' | 'report' | 'search' | 'show';
      /** The form, the report, what was looked for, or the call. */
      readonly what: string;
      readonly from: string;
      readonly to: string;
      /** How numbers of outside callers were given out. */
      readonly numbers: 'sealed' | 'masked' | 'shown';
      readonly by: string;
      /** Entries of older versions do not say. */
      readonly device?: string;
      /** Of `audit.reveal`, and why; where numbers were shown. */
      readonly role?: string;
      readonly reason?: string;
    }
  /** Entries `from` to `to`, all before `before`, were cut off the beginning; `hash` is that of the last of them, hex. */
  | {
      readonly fact: 'auditPruned';
      readonly from: number;
      readonly to: number;
      readonly hash: string;
      readonly before: string;
      readonly by: string;
    }
  | { readonly fact: 'callsLost'; readonly calls: readonly string[] }
  | { readonly fact: 'auditDelayed'; readonly facts: number; readonly because: string }
  /** Facts that neither the store, nor the spool file, nor memory could hold. */
  | { readonly fact: 'auditLost'; readonly facts: number; readonly because: string }
  /** The chain on disk is not the one this house certified last; `foundEntries` are in it. */
  | {
      readonly fact: 'auditBroken';
      readonly certifiedEntries: number;
      readonly foundEntries: number;
      readonly because: string;
    }
  /** A fact that could not be put into canonical form: our mistake, shown instead of left out. */
  | { readonly fact: 'factUnwritable'; readonly kind: string; readonly because: string };

export type Fact = CallFact | SystemFact;
