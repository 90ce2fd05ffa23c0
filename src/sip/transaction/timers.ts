/** RFC 3261 table 4, in milliseconds. */
export interface SipTimers {
  /** Round-trip estimate. */
  readonly t1: number;
  /** Longest interval between retransmissions. */
  readonly t2: number;
  /** How long a message may stay in the network. */
  readonly t4: number;
}

export const standardTimers: SipTimers = { t1: 500, t2: 4_000, t4: 5_000 };

/** Timers B, F, H, J, L, M and the patience for a lost ACK: 64 times T1, 32 s as standardised. */
export function transactionTimeoutMs(timers: SipTimers): number {
  return 64 * timers.t1;
}
