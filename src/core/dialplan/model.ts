import type { ServiceId, Urgency } from '../oncall/index.ts';
import type { Instant } from '../time/index.ts';

/** A piece of speech or sound, by meaning; the shell turns it into files. */
export type Prompt =
  | { readonly say: 'id'; readonly id: string }
  | { readonly say: 'digits'; readonly digits: string }
  /** A service, a person or a unit by name: its own recording where there is one, else spelled. */
  | { readonly say: 'name'; readonly of: 'service' | 'person' | 'unit'; readonly id: string; readonly text: string };

/** Where a call goes next. A plan is a graph of these; the compiler has checked every name in it. */
export type Verb =
  | { readonly verb: 'ring'; readonly extension: string; readonly forMs: number; readonly otherwise: Verb | null }
  | { readonly verb: 'operator'; readonly forMs: number; readonly otherwise: Verb | null }
  | { readonly verb: 'escalate'; readonly service: ServiceId; readonly urgency: Urgency }
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
  | { readonly verb: 'hours'; readonly hours: string; readonly open: Verb; readonly closed: Verb }
  | {
      readonly verb: 'voicemail';
      readonly mailbox: string;
      readonly urgent: boolean;
      readonly greeting: readonly Prompt[];
    }
  | { readonly verb: 'run'; readonly flow: string }
  | {
      readonly verb: 'refuse';
      readonly cause: 'numberNotInService' | 'notAllowed';
      readonly prompts: readonly Prompt[];
    };

export interface Extension {
  readonly number: string;
  /** "Ward 4B" */
  readonly name: string;
  readonly kind: 'unit' | 'person' | 'post';
  /** The recorded name is the prompt `name-<nameId>`: "ward-4b". Empty: none is recorded, the name is spelled. */
  readonly nameId: string;
}

export interface Mailbox {
  readonly id: string;
  readonly name: string;
  /** Extension of whoever listens to its messages and sees to them. Without it nobody is said to. */
  readonly claimedBy?: string;
}

export interface Route {
  /** What is dialled: "7011", "1500", "+12025550100". */
  readonly number: string;
  /** `inside`: authenticated phones; `trunk`: from a trunk; `anywhere`. */
  readonly from: 'inside' | 'trunk' | 'anywhere';
  readonly to: Verb;
}

/** Minutes after local midnight on each ISO weekday (1 = Monday), half-open. */
export interface OpeningHours {
  readonly id: string;
  readonly weekly: readonly { readonly weekday: number; readonly fromMinute: number; readonly toMinute: number }[];
}

export interface PlanSource {
  readonly version: string;
  readonly site: string;
  readonly zone: string;
  /** ISO 3166 country for national numbers, "US". */
  readonly country: string;
  readonly operator: string;
  /** Trunk that mobiles and outside numbers leave by. */
  readonly trunk: string;
  readonly mainNumber: string;
  readonly extensions: readonly Extension[];
  readonly mailboxes: readonly Mailbox[];
  readonly routes: readonly Route[];
  readonly flows: Readonly<Record<string, Verb>>;
  readonly hours: readonly OpeningHours[];
}

export interface TraceLine {
  /** Dotted place in the plan: "routes.7011" or "flows.main-line.keys.2". */
  readonly at: string;
  readonly says: string;
}

export interface CompiledPlan {
  readonly version: string;
  readonly source: PlanSource;
  extension(number: string): Extension | undefined;
  mailbox(id: string): Mailbox | undefined;
  route(dialled: string, from: 'inside' | 'trunk'): Route | undefined;
  flow(id: string): Verb | undefined;
  isOpen(hoursId: string, at: Instant): boolean;
}

/** `resolve` follows `run` and `hours` until a verb that acts. */
export interface Decision {
  readonly verb: Exclude<Verb, { verb: 'run' } | { verb: 'hours' }>;
  readonly trace: readonly TraceLine[];
}
