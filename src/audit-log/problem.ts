/** What is wrong with a chain, and where. */
export interface Problem {
  readonly what: ProblemKind;
  /** The entry, or the first of those that are missing; null when the problem is with no single entry. */
  readonly seq: number | null;
  readonly callId: string | null;
  readonly says: string;
}

/**
 * edited: its bytes are not those that were chained; removed: missing, also at the end; unlinked: does not follow the
 * entry before it, so one of the two was inserted, removed, replaced or moved; replaced: not the chain that was certified;
 * rewritten: from this very entry on, the chain is not the one that was signed.
 */
export type ProblemKind =
  | 'edited'
  | 'removed'
  | 'unlinked'
  | 'replaced'
  | 'rewritten'
  | 'checkpointForged'
  | 'checkpointMissing'
  | 'headMissing'
  | 'headForged'
  | 'headSetAside'
  | 'unreadable';
