import type { Rung } from '../core/audit/index.ts';
import { wrapped } from './report.ts';

/** One rung of the ladder of a call as lines on a screen. */
export function tellRung({ afterMs, says, stands }: Rung, isLate: boolean): readonly string[] {
  if (stands === 'aside') return [];
  const time = `+${(afterMs / 1000).toFixed(1)} s`.padStart(9);
  const margin = `${time}  ${stands === 'inStep' ? '  ' : ''}`;
  const line = wrapped(`${margin}${says}${isLate ? ' (written late)' : ''}`, margin.length + 2);
  return stands === 'heading' || stands === 'ending' ? ['', ...line] : line;
}
