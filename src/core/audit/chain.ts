/** One link: `hash` = SHA-256(prev ‖ UTF-8 bytes of body). `at` and `callId` repeat the body, so that entries can be found. */
export interface ChainRow {
  /** 1, 2, 3 … without a gap. */
  readonly seq: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly callId: string | null;
  /** Canonical form (canonical.ts). */
  readonly body: string;
  /** 32 bytes; zeros before the first entry. */
  readonly prev: Uint8Array;
  readonly hash: Uint8Array;
}

/** A link whose hashes are text, lower-case hex: for whoever looks at very many of them. */
export type HexRow = Omit<ChainRow, 'prev' | 'hash'> & { readonly prev: string; readonly hash: string };

/** The last link; `seq` 0 and zeros for an empty chain. */
export interface ChainHead {
  readonly seq: number;
  readonly hash: Uint8Array;
}

export type AppendResult =
  | { readonly kind: 'appended' }
  /** Somebody else appended first; nothing was written. */
  | { readonly kind: 'headMoved'; readonly head: ChainHead };

/** Where the links lie. Every method rejects with PortError storeUnavailable or storeDamaged. */
export interface ChainStore {
  head(): Promise<ChainHead>;
  /** All rows or none, durable when it resolves; only if `after` still is the last link. */
  append(after: ChainHead, rows: readonly ChainRow[]): Promise<AppendResult>;
  /** In order of seq. */
  read(afterSeq: number, limit: number): Promise<readonly ChainRow[]>;
  /** The same, in less than half of the time. A store that has no such way is asked by `read`. */
  readHex?(afterSeq: number, limit: number): Promise<readonly HexRow[]>;
  /** The body of an entry as it lies in the store, which may be no text at all; null when there is none. */
  bodyBytes?(seq: number): Promise<Uint8Array | null>;
  ofCall(callId: string, limit: number): Promise<readonly ChainRow[]>;
  /** What the store itself finds wrong with its files; [] when nothing. */
  faults(): Promise<readonly string[]>;
}
