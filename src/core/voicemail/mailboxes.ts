import type { CompiledPlan, Mailbox } from '../dialplan/index.ts';

/** A mailbox with everything that a plan may leave out. */
export interface MailboxRules {
  readonly id: string;
  readonly name: string;
  /** null: it cannot be opened from a phone that is not its own. */
  readonly number: string | null;
  readonly phones: readonly string[];
  readonly openTo: readonly string[];
  readonly mostMessages: number;
  readonly longestMs: number;
  /** null: for ever. */
  readonly keepDays: number | null;
  /** Opening hours of the plan, outside of which another greeting is played; null: always the same. */
  readonly hours: string | null;
}

const usual = { mostMessages: 100, longestMs: 300_000 } as const;

export function rulesOf(plan: CompiledPlan, mailbox: string): MailboxRules {
  return withRules(plan, plan.mailbox(mailbox) ?? { id: mailbox, name: mailbox });
}

/** The mailbox that a phone shows the lamp of and opens as its own. */
export function mailboxOfPhone(plan: CompiledPlan, extension: string): MailboxRules | null {
  return find(plan, ({ phones }) => phones.includes(extension));
}

export function mailboxByNumber(plan: CompiledPlan, keyed: string): MailboxRules | null {
  return find(plan, ({ number }) => number === keyed);
}

/** Those that the person of a mailbox may open besides it, with the PIN of their own. */
export function alsoOpenTo(plan: CompiledPlan, person: string): readonly string[] {
  return plan.source.mailboxes.filter(({ openTo = [] }) => openTo.includes(person)).map(({ id }) => id);
}

/**
 * What becomes of a message for a mailbox that holds `messages` already. A full one sends its callers to a human; where
 * none answers there is room for as many again. What is urgent or comes from a chain is always taken.
 */
export function roomFor(
  { mostMessages }: Pick<MailboxRules, 'mostMessages'>,
  messages: number,
  message: { readonly mustBeTaken: boolean; readonly evenFull: boolean },
): 'taken' | 'toHuman' | 'refused' {
  if (message.mustBeTaken || messages < mostMessages) return 'taken';
  if (!message.evenFull) return 'toHuman';
  return messages < 2 * mostMessages ? 'taken' : 'refused';
}

function find(plan: CompiledPlan, isIt: (box: MailboxRules) => boolean): MailboxRules | null {
  for (const box of plan.source.mailboxes) {
    const rules = withRules(plan, box);
    if (isIt(rules)) return rules;
  }
  return null;
}

function withRules(plan: CompiledPlan, { id, name, number, phones, openTo = [], ...limits }: Mailbox): MailboxRules {
  const isExtension = plan.extension(id) !== undefined;
  return {
    id,
    name,
    number: number ?? (/^\d+$/.test(id) ? id : null),
    phones: phones ?? (isExtension ? [id] : []),
    openTo,
    mostMessages: limits.mostMessages ?? usual.mostMessages,
    longestMs: limits.longestMs ?? usual.longestMs,
    keepDays: limits.keepDays ?? null,
    hours: limits.hours ?? null,
  };
}
