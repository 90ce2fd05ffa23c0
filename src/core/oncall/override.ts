import type { Instant, Span } from '../time/index.ts';
import type { DutyTier, PersonId, ServiceId } from './vocabulary.ts';

export const overrideKinds = ['add', 'remove', 'replace', 'swap', 'take'] as const;
export type OverrideKind = (typeof overrideKinds)[number];

/**
 * What a person changed about who is on call, on top of the rules. Rows are only ever added and ended, so that the past
 * stays as it was: one counts from when it was made (a swap: accepted) and no longer than until it was undone.
 *
 * add: `in` is on call as well; remove: `out` is not, whoever the rules name next is; replace: `in` stands in wherever
 * the rules name `out`; take: `in` is on call, whoever it would have been; swap: a replace with a second half.
 */
export interface ShiftOverride extends Span {
  readonly id: number;
  readonly kind: OverrideKind;
  readonly service: ServiceId;
  readonly tier: DutyTier;
  readonly out: PersonId | null;
  readonly in: PersonId | null;
  /** As people know them: "R. Okafor". */
  readonly author: string;
  readonly reason: string;
  readonly madeAt: Instant;
  /** The same number for both halves of a swap; null for all else. */
  readonly swap: number | null;
  /** null: proposed, and of no effect yet. */
  readonly acceptedAt: Instant | null;
  readonly acceptedBy: string | null;
  /** Undone, declined, or ended by whoever took over. */
  readonly endedAt: Instant | null;
  readonly endedBy: string | null;
  /** The override that took its place; when that one is undone, this one counts again. */
  readonly endedFor: number | null;
}

export function isInForce({ acceptedAt, endedAt }: ShiftOverride): boolean {
  return acceptedAt !== null && endedAt === null;
}

/** When an override really counts; null when it never does. */
export function spanInForce({ from, to, acceptedAt, endedAt }: ShiftOverride): Span | null {
  if (acceptedAt === null) return null;
  const start = from > acceptedAt ? from : acceptedAt;
  const end = endedAt !== null && endedAt < to ? endedAt : to;
  return start < end ? { from: start, to: end } : null;
}
