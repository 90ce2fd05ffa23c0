import { z } from 'zod';
import type { AnswerHint } from '../core/call/index.ts';

const ms = z.number().int().min(0).max(3_600_000);
const told = z.object({ hint: z.enum(['human', 'mailbox', 'unsure']), speechMs: ms, pauseMs: ms });

/** What mediad says in wardline::answer_hint; null: that is none, for a media server may be another machine. */
export function readAnswerHint(said: unknown): AnswerHint | null {
  const read = told.safeParse(said);
  return read.success ? read.data : null;
}
