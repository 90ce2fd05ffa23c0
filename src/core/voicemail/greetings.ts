import type { CompiledPlan } from '../dialplan/index.ts';
import type { Instant } from '../time/index.ts';
import { rulesOf } from './mailboxes.ts';

/** `absence` takes the place of the others for as long as there is one. */
export type GreetingKind = 'usual' | 'closed' | 'absence';

/** Ids of the sealed recordings of a mailbox. */
export type Greetings = { readonly [K in GreetingKind]?: string };

export const GREETING_NAME = 'greeting-';

/** Longer ones are cut: whoever calls wants to leave a message. */
export const longestGreetingMs = 60_000;
/** Shorter ones are a slip of the finger. */
export const shortestGreetingMs = 1_000;

/** The recording that callers hear now; null: what the house says. */
export function greetingNow(plan: CompiledPlan, mailbox: string, recorded: Greetings, at: Instant): string | null {
  const { hours } = rulesOf(plan, mailbox);
  const isOpen = hours === null || plan.isOpen(hours, at);
  return recorded.absence ?? (isOpen ? undefined : recorded.closed) ?? recorded.usual ?? null;
}
