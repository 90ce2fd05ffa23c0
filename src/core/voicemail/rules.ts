import type { CompiledPlan, Prompt } from '../dialplan/index.ts';
import type { CompiledRoster, EscalationChain, Urgency } from '../oncall/index.ts';

/** What every mailbox allows; the rest is in mailboxes.ts. */
export const voicemailRules = {
  /** The recorder has to say what it got this long after the caller hung up. */
  recorderPatienceMs: 5_000,
} as const;

/** What the caller hears before the beep; a plan that writes its own greeting has the last word. */
export function greetingOf(
  plan: CompiledPlan,
  roster: CompiledRoster,
  box: { readonly mailbox: string; readonly urgent: boolean; readonly greeting: readonly Prompt[] },
): readonly Prompt[] {
  if (box.greeting.length > 0) return box.greeting;
  const greeting: Prompt = { say: 'id', id: `voicemail-greeting-${kindOf(plan, roster, box.mailbox)}` };
  return box.urgent ? [greeting, { say: 'id', id: 'voicemail-urgent-note' }] : [greeting];
}

function kindOf(plan: CompiledPlan, roster: CompiledRoster, mailbox: string): 'person' | 'service' | 'office' {
  if (plan.extension(mailbox)?.kind === 'person') return 'person';
  return roster.services().some((service) => service.mailbox === mailbox) ? 'service' : 'office';
}

/** The chain decides; a STAT call is never filed as routine, whatever the chain says. */
export function isMessageUrgent(chain: EscalationChain | undefined, urgency: Urgency): boolean {
  return urgency === 'stat' || (chain?.lastResort.urgent ?? true);
}
