import type { ServiceId, ServicePlace, Urgency } from '../oncall/index.ts';

/** A piece of speech or sound, by meaning; the shell turns it into files. */
export type Prompt =
  | { readonly say: 'id'; readonly id: string }
  | { readonly say: 'digits'; readonly digits: string }
  /** Letters and digits, one by one: "4B". */
  | { readonly say: 'letters'; readonly letters: string }
  /** A service, a person or a unit by name: its own recording where there is one, else spelled. */
  | { readonly say: 'name'; readonly of: 'service' | 'person' | 'unit'; readonly id: string; readonly text: string };

/** Where a call goes next. A plan is a graph of these; the compiler has checked every name in it. */
export type Verb =
  /** Behind a `gather`, the extension may be `KEYED`: what the caller keyed. */
  | { readonly verb: 'ring'; readonly extension: string; readonly forMs: number; readonly otherwise: Verb | null }
  | { readonly verb: 'ringGroup'; readonly group: string; readonly otherwise: Verb | null }
  /** `site`: whose operator; without it the one of the home site. */
  | {
      readonly verb: 'operator';
      readonly forMs: number;
      readonly otherwise: Verb | null;
      readonly site?: string;
    }
  /** Rings an outside number. `DIALLED`: the number that the caller dialled, translated by the site. */
  | {
      readonly verb: 'forward';
      readonly to: string;
      readonly trunk: string;
      /** Tried in their order when the trunk before cannot take the call. */
      readonly failover?: readonly string[];
      readonly forMs: number;
      readonly otherwise: Verb | null;
    }
  | { readonly verb: 'queue'; readonly queue: string; readonly otherwise: Verb }
  /** `place`: of the service in the roster; known to a compiled plan where a number leads here directly. */
  | {
      readonly verb: 'escalate';
      readonly service: ServiceId;
      readonly urgency: Urgency;
      readonly place?: ServicePlace;
    }
  | {
      readonly verb: 'askUrgency';
      readonly service: ServiceId;
      readonly prompts: readonly Prompt[];
      readonly keys: Readonly<Record<string, Urgency>>;
      readonly noKeyMs: number;
      readonly noKey: Urgency;
    }
  | {
      readonly verb: 'menu';
      readonly id: string;
      readonly greeting: readonly Prompt[];
      readonly prompts: readonly Prompt[];
      readonly keys: Readonly<Record<string, Verb>>;
      readonly noKeyMs: number;
      /** Times the menu is offered in all; a wrong key or none uses one up. */
      readonly tries: number;
      readonly wrongKey: readonly Prompt[];
      readonly noKey: readonly Prompt[];
      readonly otherwise: Verb;
    }
  | {
      readonly verb: 'gather';
      readonly id: string;
      readonly prompts: readonly Prompt[];
      readonly maxDigits: number;
      readonly noKeyMs: number;
      /** Times the digits are asked for in all. */
      readonly tries: number;
      readonly wrong: readonly Prompt[];
      /** The narrowest pattern that fits what was keyed says what to do. */
      readonly digits: Readonly<Record<string, Verb>>;
      readonly otherwise: Verb;
    }
  /** Recordings, played to their end. */
  | { readonly verb: 'play'; readonly prompts: readonly Prompt[]; readonly times: number; readonly then: Verb }
  /** Digits, letters and names, put together from recordings. */
  | { readonly verb: 'say'; readonly prompts: readonly Prompt[]; readonly then: Verb }
  /** Asks a program of the house; it can choose between `answers` and nothing else. */
  | {
      readonly verb: 'lookup';
      readonly hook: string;
      readonly answers: Readonly<Record<string, Verb>>;
      /** No answer in time, an error, or a word that is not in `answers`. */
      readonly otherwise: Verb;
    }
  | {
      readonly verb: 'voicemail';
      readonly mailbox: string;
      readonly urgent: boolean;
      readonly greeting: readonly Prompt[];
      /** Never written in a plan: the mailbox is full, and no human could be reached instead. */
      readonly evenFull?: true;
    }
  /** Opens mailboxes: that of the calling phone, or any by its number and PIN. */
  | { readonly verb: 'mailbox'; readonly whose: 'own' | 'ask' }
  | { readonly verb: 'hangUp'; readonly cause: PlannedEnding; readonly prompts: readonly Prompt[] }
  | {
      readonly verb: 'refuse';
      readonly cause: 'numberNotInService' | 'notAllowed';
      readonly prompts: readonly Prompt[];
    }
  | DecidingVerb;

/** Verbs that `resolve` follows by itself: they do nothing that a caller could notice. */
export type DecidingVerb =
  | { readonly verb: 'hours'; readonly hours: string; readonly open: Verb; readonly closed: Verb }
  | { readonly verb: 'run'; readonly flow: string }
  /** Goes on as if an inside phone had dialled this number of the plan. Behind a `gather` it may be `KEYED`. */
  | { readonly verb: 'transfer'; readonly number: string }
  /** The first case that is true; their order is that of the document. */
  | {
      readonly verb: 'choose';
      readonly by: ChoiceBy;
      readonly cases: Readonly<Record<string, Verb>>;
      readonly otherwise: Verb;
    }
  /** From here on the call is this urgent. */
  | { readonly verb: 'setUrgency'; readonly urgency: Urgency; readonly then: Verb };

/** What the cases of a `choose` name: caller lists, units, facilities, sites, trunks, opening hours or urgencies. */
export const choiceBys = ['caller', 'unit', 'facility', 'site', 'trunk', 'hours', 'urgency'] as const;
export type ChoiceBy = (typeof choiceBys)[number];

/** Stands for the digits that a `gather` got. */
export const KEYED = 'keyed';
/** Stands for the number that was dialled. */
export const DIALLED = 'dialled';

/** Endings that a plan may ask for; each is a row of `core/call/end-causes.ts`. */
export const plannedEndings = [
  'planBusy',
  'planCongested',
  'planNumberChanged',
  'planDeclined',
  'planGoodbye',
] as const;
export type PlannedEnding = (typeof plannedEndings)[number];

/** Verbs that somebody notices. */
export type ActingVerb = Exclude<Verb, DecidingVerb>;
