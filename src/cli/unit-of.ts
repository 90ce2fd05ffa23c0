import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster } from '../core/oncall/index.ts';
import { rulesOf } from '../core/voicemail/index.ts';

/** The unit that a calling extension belongs to, or is; null for outside callers and people. */
export function unitOf(
  { plan, roster }: { readonly plan: CompiledPlan; readonly roster: CompiledRoster },
  from: string,
): string | null {
  const extension = plan.extension(from);
  const unit = extension?.unit ?? roster.unitByPhone(from)?.id;
  return unit ?? (extension?.kind === 'unit' ? extension.name : null);
}

/** The unit whose key opens a mailbox too: that of the extension it is called after, else of its first phone that has one. */
export function unitOfMailbox(
  documents: { readonly plan: CompiledPlan; readonly roster: CompiledRoster },
  mailbox: string,
): string | null {
  for (const phone of [mailbox, ...rulesOf(documents.plan, mailbox).phones]) {
    const unit = unitOf(documents, phone);
    if (unit !== null) return unit;
  }
  return null;
}
