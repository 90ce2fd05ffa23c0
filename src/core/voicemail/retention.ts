import type { Instant } from '../time/index.ts';

/** What decides how long a message stays. */
export interface Kept {
  readonly messageId: string;
  readonly mailbox: string;
  readonly at: Instant;
  readonly deletedAt: Instant | null;
  /** Somebody has to be able to hear it, whatever the rules say: a legal hold. */
  readonly isHeld: boolean;
}

const dayMs = 24 * 3_600_000;
/** Whoever deleted the wrong one has this long to say so. */
const undoMs = dayMs;

/** Why the key of a message is to be shredded now; null: it is not. `keepDays`: of its mailbox, null: for ever. */
export function shredBecause(message: Kept, keepDays: number | null, at: Instant): 'deleted' | 'retention' | null {
  if (message.isHeld) return null;
  if (message.deletedAt !== null) return at - message.deletedAt >= undoMs ? 'deleted' : null;
  return keepDays !== null && at - message.at >= keepDays * dayMs ? 'retention' : null;
}
