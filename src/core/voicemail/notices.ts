import type { CompiledPlan } from '../dialplan/index.ts';
import { type Instant, plusMs } from '../time/index.ts';

/** That a message waits, for a program of the house (a pager, an SMS gateway) or by e-mail. Nothing of it names a caller or a patient. */
export interface Notice {
  /** The same for the same message and addressee, however often it is made: nobody is told twice. */
  readonly id: string;
  readonly messageId: string;
  readonly mailbox: string;
  /** Id of the program; '' for an e-mail. */
  readonly hook: string;
  /** What the program needs to find its addressee, a number of the staff, '' for none; an e-mail address. */
  readonly to: string;
  readonly isUrgent: boolean;
  readonly madeAt: Instant;
}

export function noticesOf(
  plan: CompiledPlan,
  message: { readonly messageId: string; readonly mailbox: string; readonly isUrgent: boolean; readonly at: Instant },
): readonly Notice[] {
  const { messageId, mailbox, isUrgent, at: madeAt } = message;
  return (plan.mailbox(mailbox)?.notify ?? []).map((told) => {
    const about = { messageId, mailbox, isUrgent, madeAt };
    if ('email' in told) return { id: `${messageId} <${told.email}>`, hook: '', to: told.email, ...about };
    const { hook, to = '' } = told;
    return { id: `${messageId} ${hook} ${to}`.trim(), hook, to, ...about };
  });
}

/** What a telephone shows; by decision without a number, a name or a word of the message. */
export function noticeText(plan: CompiledPlan, { mailbox, isUrgent }: Notice): string {
  const name = plan.mailbox(mailbox)?.name ?? mailbox;
  return `${plan.source.site}: ${isUrgent ? 'an urgent message' : 'a message'} waits in the mailbox ${name}.`;
}

const firstRetryMs = 10_000;
const lastRetryMs = 3_600_000;
const givesUpAfterMs = 3 * 86_400_000;

/** When it is tried again after `tries` times in vain; null: it is given up after three days. */
export function nextTry(notice: Pick<Notice, 'madeAt'>, tries: number, at: Instant): Instant | null {
  if (at - notice.madeAt >= givesUpAfterMs) return null;
  return plusMs(at, Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(tries - 1, 20)));
}
