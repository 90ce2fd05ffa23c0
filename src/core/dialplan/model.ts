import type { Urgency } from '../oncall/index.ts';
import type { Holiday, Instant } from '../time/index.ts';
import type { Translation } from './translate.ts';
import type { ActingVerb, Prompt, Verb } from './verb.ts';

export interface Extension {
  readonly number: string;
  /** "Ward 4B" */
  readonly name: string;
  readonly kind: 'unit' | 'person' | 'post';
  /** The recorded name is the prompt `name-<nameId>`: "ward-4b". Empty: none is recorded, the name is spelled. */
  readonly nameId: string;
  /** Where the phone stands. */
  readonly unit?: string;
  /** Without it, the site of the unit, else the home site. */
  readonly site?: string;
}

export interface Mailbox {
  readonly id: string;
  readonly name: string;
  /** Extension of whoever listens to its messages and sees to them. Without it nobody is said to. */
  readonly claimedBy?: string;
  /** What is keyed to open it from a phone that is not its own: "3101". An id of digits is its own number. */
  readonly number?: string;
  /** Extensions whose phones show its lamp and open it as their own. Without it, the extension that is its id. */
  readonly phones?: readonly string[];
  /** Mailboxes of people who open this one, each with the PIN of their own. Without it, its own PIN opens it. */
  readonly openTo?: readonly string[];
  /** Messages it holds before callers are sent to a human. */
  readonly mostMessages?: number;
  /** How long one message may be. */
  readonly longestMs?: number;
  /** After so many days the key of a message is shredded. Without it, messages stay. */
  readonly keepDays?: number;
  /** Opening hours, outside of which callers hear the greeting for that. */
  readonly hours?: string;
  /** Who is told of each message: programs, and by e-mail. `to`: whom a program is to tell, a number of the staff. */
  readonly notify?: readonly ({ readonly hook: string; readonly to?: string } | { readonly email: string })[];
}

export interface Route {
  /** What is dialled: "7011", "1500", "+12025550100", or a pattern of `core/dialplan/patterns`: "2xxx". */
  readonly number: string;
  /** `inside`: authenticated phones; `trunk`: from a trunk; `anywhere`. */
  readonly from: 'inside' | 'trunk' | 'anywhere';
  /** Only for phones of this site. A call from outside that takes it belongs to the site from then on. */
  readonly site?: string;
  readonly to: Verb;
}

/** A route as a call finds it. */
export interface TakenRoute {
  readonly number: string;
  readonly site: string | undefined;
  readonly to: Verb;
}

/** Minutes after local midnight, half-open. */
export interface DaySpan {
  readonly fromMinute: number;
  readonly toMinute: number;
}

export interface OpeningHours {
  readonly id: string;
  /** On each ISO weekday (1 = Monday). */
  readonly weekly: readonly ({ readonly weekday: number } & DaySpan)[];
  /** Days on which other hours count; the first that fits. No spans: closed. */
  readonly except?: readonly { readonly on: Holiday; readonly name: string; readonly spans: readonly DaySpan[] }[];
  /** Without it, that of the home site. */
  readonly zone?: string;
}

/** One campus with its own clock, numbers, operator and outside line. */
export interface Site {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  /** ISO 3166 country for national numbers, "US". */
  readonly country: string;
  readonly operator: string;
  /** Trunk that mobiles and outside numbers leave by. */
  readonly trunk: string;
  /** Tried in their order when the trunk before cannot take the call. */
  readonly failover?: readonly string[];
  readonly mainNumber: string;
  /** What its phones dial, into the form that routes are written in; the narrowest that fits. */
  readonly dialling: readonly Translation[];
}

/** How one trunk writes numbers. */
export interface TrunkNumbers {
  readonly trunk: string;
  /** Called and calling numbers as they come, into E.164. */
  readonly incoming: readonly Translation[];
  /** E.164 into what the carrier wants to be sent. */
  readonly outgoing: readonly Translation[];
}

export interface Facility {
  readonly id: string;
  readonly name: string;
  readonly site?: string;
}

export interface Unit {
  readonly id: string;
  readonly name: string;
  readonly facility?: string;
}

/** Calling numbers by name, so that no number of a caller has to be kept to decide by. */
export interface CallerList {
  readonly id: string;
  /** Patterns of extensions and E.164 numbers; `ANONYMOUS` for callers from outside who show none. */
  readonly numbers: readonly string[];
}

export const ANONYMOUS = 'anonymous';

export const groupOrders = ['all', 'sequential', 'roundRobin'] as const;

export interface RingGroup {
  readonly id: string;
  readonly name: string;
  /** Extensions, in their order. */
  readonly members: readonly string[];
  readonly order: (typeof groupOrders)[number];
  /** How long all of them ring together, or each of them in turn. */
  readonly forMs: number;
}

/** Callers who wait for the next free of several people. The data is complete; calls cannot wait in one yet. */
export interface Queue {
  readonly id: string;
  readonly name: string;
  readonly members: readonly string[];
  readonly strategy: 'all' | 'longestIdle' | 'roundRobin';
  readonly ringMs: number;
  readonly maxWaitMs: number;
  readonly maxCallers: number;
  readonly greeting: readonly Prompt[];
}

/** A program that a `lookup` asks over HTTP. */
export interface Hook {
  readonly id: string;
  readonly url: string;
  readonly waitMs: number;
  /** What it is told besides the id of the call; numbers may be a patient's. */
  readonly send: readonly ('dialled' | 'caller' | 'site' | 'unit')[];
}

/** What `dialplans/` says, checked for its shape and joined. Sections that may be left out are empty without them. */
export interface PlanSource {
  readonly version: string;
  /** Name of the home site, whose other particulars follow. */
  readonly site: string;
  readonly zone: string;
  readonly country: string;
  readonly operator: string;
  readonly trunk: string;
  readonly failover?: readonly string[];
  readonly mainNumber: string;
  readonly dialling?: readonly Translation[];
  /** Besides the home site, which has the id `HOME`. */
  readonly sites?: readonly Site[];
  readonly trunks?: readonly TrunkNumbers[];
  readonly facilities?: readonly Facility[];
  readonly units?: readonly Unit[];
  readonly callers?: readonly CallerList[];
  readonly extensions: readonly Extension[];
  readonly groups?: readonly RingGroup[];
  readonly queues?: readonly Queue[];
  readonly hooks?: readonly Hook[];
  readonly mailboxes: readonly Mailbox[];
  readonly routes: readonly Route[];
  readonly flows: Readonly<Record<string, Verb>>;
  readonly hours: readonly OpeningHours[];
}

export const HOME = 'home';

export interface TraceLine {
  /** Dotted place in the plan: "routes.7011" or "flows.main-line.keys.2". */
  readonly at: string;
  readonly says: string;
}

/** What a plan decides by, besides the number dialled. */
export interface About {
  readonly at: Instant;
  /** Of the calling phone, or of the trunk the call came by. */
  readonly site: string;
  readonly unit: string | null;
  readonly facility: string | null;
  /** null for a call from inside. */
  readonly trunk: string | null;
  /** Caller lists that the calling number stands in. */
  readonly lists: readonly string[];
  readonly urgency: Urgency | null;
  /** As routes are written. May be a patient's number: no trace names it unless a route does. */
  readonly dialled: string;
}

/** A phone of the home site of which nothing else is known. */
export function nothingKnown(at: Instant): About {
  return { at, site: HOME, unit: null, facility: null, trunk: null, lists: NO_LISTS, urgency: null, dialled: '' };
}

const NO_LISTS: readonly string[] = [];

/** Who calls, for the plan. `number`: calling number of an outside caller, null when none is shown. */
export type PlanCaller =
  | { readonly kind: 'phone'; readonly extension: string }
  | { readonly kind: 'trunk'; readonly trunk: string; readonly number: string | null };

/** The compiled form: every question is answered in a time that does not depend on the size of the plan. */
export interface CompiledPlan {
  readonly version: string;
  readonly source: PlanSource;
  extension(number: string): Extension | undefined;
  mailbox(id: string): Mailbox | undefined;
  /**
   * An exact number goes before a pattern, and the narrowest pattern before others. A phone is served by the routes of
   * its own site first, then by those of no site; for a call from outside the site does not count.
   */
  route(dialled: string, from: 'inside' | 'trunk', site?: string): TakenRoute | undefined;
  flow(id: string): Verb | undefined;
  isOpen(hoursId: string, at: Instant): boolean;
  /** What day it is, where other hours count than on its weekday: "Christmas". */
  specialDay(hoursId: string, at: Instant): string | null;
  /** Whose clock the opening hours are read on. */
  hoursZone(hoursId: string): string;
  site(id: string): Site;
  sites(): readonly Site[];
  group(id: string): RingGroup;
  hook(id: string): Hook;
  queue(id: string): Queue;
  /** Everything a plan wants to know of a call. `dialled` is taken as it came and translated by site or trunk. */
  about(caller: PlanCaller, dialled: string, at: Instant): About;
  /** An E.164 number as the trunk wants to be sent it. */
  forTrunk(e164: string, trunk: string): string;
  /** Which pattern of a `gather` fits what was keyed, if one does. */
  matchKeyed(gather: Extract<Verb, { verb: 'gather' }>, digits: string): string | undefined;
}

/** `resolve` follows deciding verbs until a verb that acts. */
export interface Decision {
  readonly verb: ActingVerb;
  readonly trace: readonly TraceLine[];
  /** What the plan knows of the call by now: its site by the route, its urgency as the plan set it. */
  readonly about: About;
}
