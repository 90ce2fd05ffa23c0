import type { Protocol } from '../../sip/index.ts';

/** What a ladder is asked for: the call by its own Call-ID, and those whose Call-ID begins with `prefix` and a dot. */
export interface LadderQuestion {
  readonly callIds: readonly string[];
  readonly prefix: string | undefined;
}

/** One step of a ladder. Nothing in it names a patient or opens a door. */
export interface Rung {
  readonly atMs: number;
  readonly isSent: boolean;
  readonly protocol: Protocol;
  /** "192.0.2.10:5060" */
  readonly remote: string;
  readonly callId: string;
  /** `INVITE`, also of an answer to one. */
  readonly method: string;
  /** null: a request. */
  readonly status: number | null;
  /** Users of Request-URI (of a request), From and To. */
  readonly asked: string;
  readonly from: string;
  readonly to: string;
  /** What tells a message sent again from a new one. */
  readonly sameness: string;
  readonly hasSdp: boolean;
  /** `SIP;cause=200` of a request that ends something. */
  readonly reason: string | null;
  /** The whole message. */
  readonly text: string;
}

export interface LadderAnswer {
  readonly rungs: readonly Rung[];
  /** There were more: these are the first. */
  readonly isCut: boolean;
  /** Since when messages are there at all; null: none are. */
  readonly sinceMs: number | null;
  readonly keepMs: number;
}
