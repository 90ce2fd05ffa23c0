import type { Prompt } from '../dialplan/index.ts';
import type { EscalationChain, Urgency } from '../oncall/index.ts';

/** What a mailbox allows. Lengths follow what FusionPBX and its users settled on. */
export const voicemailRules = {
  maxMessageMs: 300_000,
  /** The recorder has to say what it got this long after the caller hung up. */
  recorderPatienceMs: 5_000,
} as const;

/** Said when nobody on the chain has accepted; the caller is told so, and that the message is passed on as urgent. */
export function nobodyAcceptedGreeting(service: Prompt, isUrgent: boolean): readonly Prompt[] {
  return [
    { say: 'id', id: 'nobody-accepted' },
    { say: 'id', id: 'leave-message-for' },
    service,
    ...(isUrgent ? [{ say: 'id', id: 'message-is-urgent' } as const] : []),
    { say: 'id', id: 'press-hash-when-done' },
  ];
}

/** The chain decides; a STAT call is never filed as routine, whatever the chain says. */
export function isMessageUrgent(chain: EscalationChain | undefined, urgency: Urgency): boolean {
  return urgency === 'stat' || (chain?.lastResort.urgent ?? true);
}
