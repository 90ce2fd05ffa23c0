import type { CompiledPlan } from '../core/dialplan/index.ts';
import type { CompiledRoster } from '../core/oncall/index.ts';

/** The unit that a calling extension belongs to, or is; null for outside callers and people. */
export function unitOf(
  { plan, roster }: { readonly plan: CompiledPlan; readonly roster: CompiledRoster },
  from: string,
): string | null {
  const extension = plan.extension(from);
  const unit = extension?.unit ?? roster.unitByPhone(from)?.id;
  return unit ?? (extension?.kind === 'unit' ? extension.name : null);
}
